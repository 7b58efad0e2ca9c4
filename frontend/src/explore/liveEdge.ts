/** One edge of a run as its snapshot knows it, on the triangle of its three strongest operations. */
import { newest } from "../api/snapshot";
import type { RunState, Snapshot } from "../api/types";
import { edgeName } from "../graph/labels";
import { shortName } from "../graph/palette";
import { drawsOf, topThree } from "../graph/simplex";
import { decodeFloats } from "../stream/floats";
import type { FamilyGroup } from "../types/events.gen";
import type { Family, Weights } from "./distributions";

/** A run in another state may still say something new. */
export const ENDED: ReadonlySet<RunState> = new Set(["completed", "failed", "cancelled"]);

export interface EdgeChoice {
  key: string;
  group: FamilyGroup;
  edge: number;
  label: string;
}

/** Edges that fill a triangle: of groups with weights and three operations or more. */
export function edgesOf(snapshot: Snapshot): EdgeChoice[] {
  const structure = newest(snapshot, "structure").at(-1)?.data;
  return (newest(snapshot, "family").at(-1)?.data.groups ?? [])
    .filter((group) => group.operations.length >= 3 && structure?.groups[group.name])
    .flatMap((group) =>
      group.edges.map((ends, edge) => ({ key: `${group.name}/${edge}`, group, edge, label: edgeName(ends) })),
    );
}

export interface OperationRow {
  name: string;
  place: number;
  mean: number;
  /** Of the draws; null without draws. */
  drawn: number | null;
  /** Share of the draws in which it is the strongest. */
  strongest: number | null;
}

export interface LiveEdge {
  step: number;
  /** Of the three corners. */
  names: [string, string, string];
  /** Shares among the three. */
  mean: Weights;
  /** Those draws in which the three have any weight. */
  draws: Weights[];
  /** All draws, also those that leave nothing to the three. */
  drawn: number;
  /** Share of the mean's whole weight that the three hold. */
  held: number;
  /** Every operation, the strongest first. */
  rows: OperationRow[];
}

function shares(row: ArrayLike<number>, top: readonly [number, number, number]): Weights | null {
  const weights = top.map((place) => Math.max(row[place] ?? 0, 0));
  const sum = weights.reduce((total, value) => total + value, 0);
  return sum > 0 ? (weights.map((value) => value / sum) as unknown as Weights) : null;
}

const total = (row: ArrayLike<number>): number => Array.from(row).reduce((sum, value) => sum + Math.max(value, 0), 0);

/** Null where the frame has no row of this edge, or one without any weight. */
export function liveEdge(snapshot: Snapshot, { group, edge }: EdgeChoice): LiveEdge | null {
  const structure = newest(snapshot, "structure").at(-1)?.data;
  const text = structure?.groups[group.name];
  if (!structure || !text) return null;
  const count = group.operations.length;
  const row = decodeFloats(text).subarray(edge * count, (edge + 1) * count);
  if (row.length < count) return null;
  const top = topThree(row, 0, count);
  const mean = shares(row, top);
  if (!mean) return null;
  const samples = structure.samples?.[group.name];
  const all = samples ? drawsOf(decodeFloats(samples), group.edges.length, count, edge) : [];
  const wins = new Array<number>(count).fill(0);
  for (const draw of all) {
    const best = draw.indexOf(Math.max(...draw));
    wins[best] = (wins[best] ?? 0) + 1;
  }
  const rows = group.operations.map((operation, place): OperationRow => {
    const average = all.reduce((sum, draw) => sum + (draw[place] ?? 0), 0) / Math.max(all.length, 1);
    return { name: operation, place, mean: row[place] ?? 0, drawn: all.length > 0 ? average : null, strongest: all.length > 0 ? (wins[place] ?? 0) / all.length : null };
  });
  rows.sort((a, b) => b.mean - a.mean || a.place - b.place);
  return {
    step: structure.step,
    names: top.map((place) => shortName(group.operations[place] ?? "")) as [string, string, string],
    mean,
    draws: all.map((draw) => shares(draw, top)).filter((draw) => draw !== null),
    drawn: all.length,
    held: top.reduce((sum, place) => sum + Math.max(row[place] ?? 0, 0), 0) / total(row),
    rows,
  };
}

/** The sliders' centre that comes nearest to weights: s in their proportion, or μ as their logarithms about zero. */
export function centreFor(family: Family, weights: Weights): Weights {
  const clip = (value: number, low: number, high: number) => Number(Math.min(Math.max(value, low), high).toPrecision(3));
  const largest = Math.max(...weights);
  if (family !== "logit-normal") return weights.map((value) => clip((10 * value) / largest, 0.1, 10)) as unknown as Weights;
  const logs = weights.map((value) => Math.log(Math.max(value / largest, 1e-6)));
  // The middle of the largest and the smallest goes to zero: so the widest ratio fits into the sliders.
  const middle = (Math.max(...logs) + Math.max(Math.min(...logs), -6)) / 2;
  return logs.map((value) => clip(value - middle, -3, 3)) as unknown as Weights;
}
