/**
 * The term of the upper-level objective Q that tells the structure's prior where to lie: -Σ λ_i KL(GS(s, λ_temp) || p'_i) over s.
 *
 * Bakhteev, lecture slides 2019 and PhD thesis 2020: each p'_i is a Gumbel-Softmax law near one vertex (temperature 0.1); a positive λ_i
 * attracts the prior to it, a negative one repels it. Going through the vertices with the λ goes through all structures.
 */
import { ConcreteDivergence } from "./concreteDivergence";
import { gridPoints, type Weights } from "./distributions";

export const PARTS = 60;
export const NEAR_TEMPERATURE = 0.1;
/** s' of p'_1, p'_2 and p'_3, in any scale (the thesis' figures). */
export const NEAR: readonly [Weights, Weights, Weights] = [[0.99, 0.05, 0.05], [0.05, 0.99, 0.05], [0.05, 0.05, 0.99]];
export const GRID = gridPoints(PARTS);

/** The three divergences at every point of the grid, (points) each. They depend on the temperature alone, not on the λ. */
export function divergences(temperature: number): [number[], number[], number[]] {
  return NEAR.map((near) => {
    const divergence = new ConcreteDivergence(temperature, near, NEAR_TEMPERATURE);
    return GRID.map((s) => divergence.from(s));
  }) as [number[], number[], number[]];
}

export const termAt = (kl: readonly [number, number, number], lambdas: Weights): number => -(lambdas[0] * kl[0] + lambdas[1] * kl[1] + lambdas[2] * kl[2]) + 0;

export function term(kl: readonly [number[], number[], number[]], lambdas: Weights): number[] {
  return GRID.map((_, index) => termAt([kl[0][index] ?? 0, kl[1][index] ?? 0, kl[2][index] ?? 0], lambdas));
}

export interface Highest {
  /** The grid's points at which the term is largest: several where two vertices repel alike. Neighbours count as one, half way. */
  places: Weights[];
  value: number;
  /** At the grid's rim: off the grid the term may rise further. */
  border: boolean;
}

/** One place for each group of neighbours: a maximum between points of the grid shows as several equal ones around it. */
function merged(places: readonly Weights[]): Weights[] {
  const groups: Weights[][] = [];
  for (const s of places) {
    const near = groups.find((group) => group.some((other) => Math.max(...s.map((value, index) => Math.abs(value - (other[index] ?? 0)))) < 1.5 / PARTS));
    if (near) near.push(s);
    else groups.push([s]);
  }
  return groups.map((group) => [0, 1, 2].map((index) => group.reduce((sum, s) => sum + (s[index] ?? 0), 0) / group.length) as unknown as Weights);
}

/** Null where the term is the same everywhere. */
export function highest(values: readonly number[]): Highest | null {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const slack = 1e-6 * Math.max(1, Math.abs(high));
  if (high - low <= slack) return null;
  const places = merged(GRID.filter((_, index) => (values[index] ?? -Infinity) >= high - slack));
  return { places, value: high, border: places.some((s) => Math.min(...s) < 1.5 / PARTS) };
}

/** Points by which the map is said in figures. */
export const NAMED: readonly { name: string; s: Weights }[] = [
  { name: "middle", s: [1 / 3, 1 / 3, 1 / 3] },
  { name: "near vertex 1", s: [0.9, 0.05, 0.05] },
  { name: "near vertex 2", s: [0.05, 0.9, 0.05] },
  { name: "near vertex 3", s: [0.05, 0.05, 0.9] },
  { name: "between 1 and 2", s: [0.45, 0.45, 0.1] },
  { name: "between 1 and 3", s: [0.45, 0.1, 0.45] },
  { name: "between 2 and 3", s: [0.1, 0.45, 0.45] },
];
