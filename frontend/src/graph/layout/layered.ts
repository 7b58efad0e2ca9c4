/** A layered layout for small graphs: rank = longest path, order within a rank by the mean of the neighbours, few sweeps. */
import type { Point } from "../stage";

export type Link = readonly [string, string];

/** Longest-path rank of every node from the sources. Links that would close a cycle are ignored. */
export function longestPathRanks(nodes: readonly string[], links: readonly Link[]): Map<string, number> {
  const waiting = new Map(nodes.map((node) => [node, 0]));
  const out = new Map<string, string[]>();
  for (const [source, target] of links) {
    if (!waiting.has(source) || !waiting.has(target) || source === target) continue;
    waiting.set(target, (waiting.get(target) ?? 0) + 1);
    out.set(source, [...(out.get(source) ?? []), target]);
  }
  const rank = new Map(nodes.map((node) => [node, 0]));
  const ready = nodes.filter((node) => waiting.get(node) === 0);
  for (let node = ready.shift(); node !== undefined; node = ready.shift()) {
    for (const target of out.get(node) ?? []) {
      rank.set(target, Math.max(rank.get(target) ?? 0, (rank.get(node) ?? 0) + 1));
      const left = (waiting.get(target) ?? 0) - 1;
      waiting.set(target, left);
      if (left === 0) ready.push(target);
    }
  }
  return rank;
}

const SWEEPS = 6;

/** Places in the unit square. */
export function layered(nodes: readonly string[], links: readonly Link[]): Map<string, Point> {
  const rank = longestPathRanks(nodes, links);
  const depth = Math.max(0, ...rank.values());
  const rows: string[][] = Array.from({ length: depth + 1 }, () => []);
  for (const node of nodes) rows[rank.get(node) ?? 0]?.push(node);
  const near = new Map<string, string[]>();
  for (const [source, target] of links) {
    near.set(source, [...(near.get(source) ?? []), target]);
    near.set(target, [...(near.get(target) ?? []), source]);
  }
  const height = new Map<string, number>();
  const spread = (row: string[]) => row.forEach((node, index) => height.set(node, (index + 0.5) / row.length));
  rows.forEach(spread);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const turn = sweep % 2 === 0 ? rows : [...rows].reverse();
    for (const row of turn) {
      const mean = new Map(
        row.map((node) => {
          const around = (near.get(node) ?? []).map((other) => height.get(other) ?? 0.5);
          return [node, around.length === 0 ? (height.get(node) ?? 0.5) : around.reduce((sum, value) => sum + value, 0) / around.length];
        }),
      );
      row.sort((a, b) => (mean.get(a) ?? 0) - (mean.get(b) ?? 0));
      spread(row);
    }
  }
  return new Map(nodes.map((node) => [node, { x: depth === 0 ? 0.5 : (rank.get(node) ?? 0) / depth, y: height.get(node) ?? 0.5 }]));
}
