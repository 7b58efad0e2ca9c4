/**
 * Grid against random search over two hyper-parameters of which one matters more (Bergstra, Bengio 2012, "Random Search for
 * Hyper-Parameter Optimization", figure 1): f(x, y) = (bell(x - x0) + w bell(y - y0)) / (1 + w) on the unit square.
 *
 * With w = 0 only x counts: a grid of k x k points tries k values of it, k² points at random try k².
 */
import { uniform } from "./distributions";

export interface Trial {
  x: number;
  y: number;
}

export interface Problem {
  /** Where each parameter is best, in [0, 1]. */
  peak: Trial;
  /** Of the second parameter against the first, 0 to 1. */
  importance: number;
}

export const WIDTH = 0.1;
export const bell = (distance: number): number => Math.exp(-0.5 * (distance / WIDTH) ** 2);

export const score = ({ peak, importance }: Problem, { x, y }: Trial): number => (bell(x - peak.x) + importance * bell(y - peak.y)) / (1 + importance);

/** k x k points in the middles of k x k equal cells. */
export function gridTrials(side: number): Trial[] {
  return Array.from({ length: side * side }, (_, index) => ({ x: ((index % side) + 0.5) / side, y: (Math.floor(index / side) + 0.5) / side }));
}

/** Uniform over the unit square; the same for the same seed. */
export function randomTrials(count: number, seed: number): Trial[] {
  const next = uniform(seed);
  return Array.from({ length: count }, () => ({ x: next(), y: next() }));
}

export function bestOf(problem: Problem, trials: readonly Trial[]): { trial: Trial; value: number } {
  const [first = { x: 0, y: 0 }] = trials;
  return trials.reduce((best, trial) => {
    const value = score(problem, trial);
    return value > best.value ? { trial, value } : best;
  }, { trial: first, value: score(problem, first) });
}

export const distinct = (trials: readonly Trial[]): number => new Set(trials.map((trial) => trial.x)).size;

/** Widest stretch of the important parameter without a try, the borders 0 and 1 counted. */
export function widestGap(trials: readonly Trial[]): number {
  const places = [0, ...trials.map((trial) => trial.x).sort((a, b) => a - b), 1];
  return Math.max(...places.slice(1).map((place, index) => place - (places[index] ?? 0)));
}

export interface Comparison {
  problems: number;
  /** Mean of the best value found. */
  grid: number;
  random: number;
  /** Share of the problems in which random search found the better point. */
  randomBetter: number;
}

/** Over problems whose peak lies anywhere, each with points drawn anew: one picture may be luck, this is not. */
export function compare(side: number, importance: number, problems = 500): Comparison {
  const next = uniform(2012);
  const grid = gridTrials(side);
  const result: Comparison = { problems, grid: 0, random: 0, randomBetter: 0 };
  for (let index = 0; index < problems; index++) {
    const problem = { peak: { x: next(), y: next() }, importance };
    const [byGrid, byChance] = [bestOf(problem, grid).value, bestOf(problem, Array.from({ length: side * side }, () => ({ x: next(), y: next() }))).value];
    result.grid += byGrid / problems;
    result.random += byChance / problems;
    if (byChance > byGrid) result.randomBetter += 1 / problems;
  }
  return result;
}
