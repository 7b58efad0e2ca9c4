/** Motifs of motifs: the graphs of a frame, which of them belong together, and a change in words. */
import type { GraphData, GraphEdge, Motif, MotifChange, MotifsFrame } from "../types/events.gen";
import { shortName } from "../graph/palette";

/** An edge as its three texts: the generated types know only that it has three parts. */
export const textsOf = (edge: readonly [unknown, unknown, unknown]): [source: string, target: string, operation: string] => [String(edge[0]), String(edge[1]), String(edge[2])];

/** The cell: the one motif of the last level. */
export const cellOf = (frame: MotifsFrame): Motif | undefined => frame.motifs.at(-1);

/** The motifs that the cell is made of; none where its edges are operations. */
export const partsOf = (frame: MotifsFrame): Motif[] => frame.motifs.slice(0, -1);

/** The motif that is looked at first: the one that has just changed, where it is used, else the most used one. */
export function firstOf(frame: MotifsFrame): number | null {
  const parts = partsOf(frame);
  const changed = frame.change?.level === 2 ? parts.find(({ number, uses }) => number === frame.change?.motif && uses > 0) : undefined;
  const most = parts.reduce<Motif | undefined>((best, motif) => (best === undefined || motif.uses > best.uses ? motif : best), undefined);
  return (changed ?? most)?.number ?? null;
}

/** Along a parabola: no three nodes on a line, so that no edge hides another. */
function layoutOf(count: number): Record<string, [number, number]> {
  const last = Math.max(count - 1, 1);
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [String(at + 1), [at / last, 0.9 - (3.2 * at * (last - at)) / last ** 2]]));
}

const kindOf = (node: number, count: number): string => (node === 1 ? "input" : node === count ? "output" : "hidden");

const edge = (source: string, target: string, operation: string): GraphEdge => ({ source, target, key: operation || "wire", operation: operation || null, attributes: {} });

/** One motif as a graph. */
export function motifGraph(motif: Motif): GraphData {
  const nodes = Array.from({ length: motif.nodes }, (_, at) => {
    const kind = kindOf(at + 1, motif.nodes);
    return { id: String(at + 1), label: kind === "hidden" ? String(at + 1) : kind, kind, aggregation: null, attributes: {} };
  });
  return { nodes, edges: motif.edges.map((item) => edge(...textsOf(item))), attributes: { layout: layoutOf(motif.nodes) } };
}

/** The flattened cell as a graph. A node inside of a motif has its own number as its label. */
export function flatGraph(frame: MotifsFrame): GraphData {
  const last = String(cellOf(frame)?.nodes ?? 1);
  const names = new Set(["1", ...frame.network.flatMap((item) => textsOf(item).slice(0, 2)), last]);
  const nodes = [...names].map((id) => {
    const kind = id === "1" ? "input" : id === last ? "output" : "hidden";
    return { id, label: kind === "hidden" ? (id.split(".").at(-1) ?? id) : kind, kind, aggregation: null, attributes: {} };
  });
  return { nodes, edges: frame.network.map((item) => edge(...textsOf(item))), attributes: {} };
}

/** Which edges of the cell are a motif: "1-3", ... */
export function placesOfMotif(frame: MotifsFrame, number: number): Set<string> {
  const edges = cellOf(frame)?.edges ?? [];
  return new Set(edges.map(textsOf).filter(([, , operation]) => operation === `motif_${number}`).map(([source, target]) => `${source}-${target}`));
}

/** Whether an edge of the flattened cell lies inside of one of these places. */
export function liesIn(places: ReadonlySet<string>, { source, target }: Pick<GraphEdge, "source" | "target">): boolean {
  const place = (target.includes(".") ? target : source).split(".")[0] ?? "";
  return places.has(place);
}

/** "level 2, motif 3, 1 → 4: none became max pool 3×3" */
export function changeText(change: MotifChange): string {
  return `level ${change.level}, motif ${change.motif}, ${change.source} → ${change.target}: ${shortName(change.old)} became ${shortName(change.new)}`;
}

/** Whether an edge of a motif is the one that a change has made. */
export function isChanged(change: MotifChange | null, motif: Motif, { source, target }: Pick<GraphEdge, "source" | "target">): boolean {
  return change !== null && change.level === motif.level && change.motif === motif.number && source === String(change.source) && target === String(change.target);
}

/** The operations of a graph, each once, in the order of their edges. */
export const operationsOf = (graph: GraphData): string[] => [...new Set(graph.edges.flatMap(({ operation }) => (operation ? [operation] : [])))];
