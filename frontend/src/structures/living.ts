/** The aging population at a moment, out of the candidates: the last P that gave a score, in the order in which their results came. */
import type { Candidates } from "../stream/candidates";

export interface Living {
  number: number;
  value: number;
  /** Places in the queue of its living or just fallen parents. */
  parents: number[];
  /** It has just fallen off (or will with the next birth): shown fading at the left. */
  fallen: boolean;
}

/** How many of the fallen are still shown. */
export const FALLEN = 6;

/**
 * The oldest first. Failed ones never entered, so they push nobody out; `population` = P of the run's options. Reads only the end of the
 * list, however long the run.
 */
export function livingAt(candidates: Candidates, seq: number, population: number): Living[] {
  const entered: { number: number; value: number }[] = [];
  for (let index = candidates.toldBefore(seq) - 1; index >= 0 && entered.length < population + FALLEN; index--) {
    const row = candidates.told[index];
    if (row && !Number.isNaN(row.value)) entered.push(row);
  }
  entered.reverse();
  const place = new Map(entered.map((row, index) => [row.number, index]));
  return entered.map((row, index) => ({
    number: row.number,
    value: row.value,
    parents: (candidates.parents[row.number] ?? []).flatMap((parent) => place.get(parent) ?? []),
    fallen: index < entered.length - population,
  }));
}

/** Mean and best of those that live. */
export function livingFacts(living: readonly Living[]): { count: number; mean: number; best: number } {
  const values = living.filter((item) => !item.fallen).map((item) => item.value);
  return { count: values.length, mean: values.reduce((sum, value) => sum + value, 0) / values.length, best: Math.max(...values) };
}

/** Limits of height and colour: a few that failed to learn would make all others look alike, so the worst tenth is cut off. */
export function scoreSpan(living: readonly Living[]): [number, number] {
  const sorted = living.map((item) => item.value).sort((a, b) => a - b);
  return [sorted[Math.floor(sorted.length / 10)] ?? 0, sorted.at(-1) ?? 1];
}
