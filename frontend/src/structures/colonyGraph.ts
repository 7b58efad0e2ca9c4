/** The colony's frame as nodes and edges with places in the unit square: a column per depth, a row per layer type that never changes. */
import type { Ant, ColonyEdge, ColonyFrame } from "../types/events.gen";

export interface ColonyNode {
  id: string;
  column: number;
  type: string;
  row: number;
  /** Ants of the generation that came through. */
  ants: number;
  /** How many of them took this layer's weights over. */
  inherited: number;
  /** How decided its attributes are: 1 = one value has all pheromone, 0 = all alike; NaN without attributes. */
  decided: number;
}

export interface ColonyGraph {
  nodes: ColonyNode[];
  edges: ColonyEdge[];
  rows: string[];
  columns: number;
}

/** Pictures first, then vectors: the order in which a network has them. Types of other spaces follow in order of appearance. */
const ROWS = ["conv", "pool", "batch_norm", "dropout", "flatten", "dense", "batch_norm_flat", "dropout_flat", "output"];
const ENTRY = "input";

export const nodeId = (column: number, type: string): string => `${column}/${type}`;

/** "batch_norm_flat" -> "batch norm (flat)". */
export function typeTitle(type: string): string {
  return type.replace(/_flat$/, " (flat)").replaceAll("_", " ");
}

/** 0 where all values have equal shares, 1 where one has all. */
export function decidedness(shares: readonly number[]): number {
  if (shares.length < 2) return 1;
  const entropy = shares.reduce((sum, share) => sum - (share > 0 ? share * Math.log(share) : 0), 0);
  return Math.min(Math.max(1 - entropy / Math.log(shares.length), 0), 1);
}

export function colonyGraph(frame: ColonyFrame): ColonyGraph {
  const nodes = new Map<string, ColonyNode>();
  const rows = [...ROWS];
  const add = (column: number, type: string) => {
    const id = nodeId(column, type);
    const known = nodes.get(id);
    if (known) return known;
    if (type !== ENTRY && !rows.includes(type)) rows.push(type);
    // The input has a column to itself: it stands beside the first four rows' middle.
    const node = { id, column, type, row: type === ENTRY ? 1.5 : rows.indexOf(type), ants: 0, inherited: 0, decided: NaN };
    nodes.set(id, node);
    return node;
  };
  for (const edge of frame.edges) {
    add(edge.depth, edge.source);
    add(edge.depth + 1, edge.target);
  }
  for (const ant of frame.ants) {
    ant.path.forEach((type, column) => {
      const node = add(column, type);
      node.ants++;
      if (column > 0 && column <= ant.inherited) node.inherited++;
    });
  }
  frame.best.forEach((type, column) => add(column, type));
  const found = new Map<ColonyNode, number[]>();
  for (const [key, shares] of Object.entries(frame.attributes)) {
    const node = nodes.get(key.split("/").slice(0, 2).join("/"));
    if (node) found.set(node, [...(found.get(node) ?? []), decidedness(Object.values(shares))]);
  }
  for (const [node, parts] of found) node.decided = parts.reduce((sum, part) => sum + part, 0) / parts.length;
  return { nodes: [...nodes.values()], edges: frame.edges, rows, columns: Math.max(0, ...[...nodes.values()].map((node) => node.column)) + 1 };
}

/** A node's attributes: name -> share of pheromone of each value. */
export function attributesOf(frame: ColonyFrame, id: string): [string, [string, number][]][] {
  return Object.entries(frame.attributes)
    .filter(([key]) => key.startsWith(`${id}/`))
    .map(([key, shares]) => [key.slice(id.length + 1), Object.entries(shares)]);
}

/** Where an ant is, `walked` columns after it set out: between column floor(walked) and the next; at its end it stays. */
export function antAt(ant: Ant, walked: number): { from: string; to: string; column: number; share: number } | null {
  const last = ant.path.length - 1;
  if (last < 0) return null;
  const column = Math.min(Math.max(Math.floor(walked), 0), last);
  return { from: ant.path[column] ?? "", to: ant.path[Math.min(column + 1, last)] ?? "", column, share: column === last ? 0 : Math.min(Math.max(walked - column, 0), 1) };
}
