/** Which scores may share a column or an axis, and what each is in words. */
import type { Score } from "../types/events.gen";
import { exact } from "./format";

export type ScoreKind = Score["kind"];

export const KIND_TITLES: Record<ScoreKind, string> = { search: "Search score", validation: "Validation, finished", test: "Test, once" };

/**
 * Scores of equal axis may stand under each other: of one kind, one measure, one unit. A search score depends on what the search gave its networks (shared weights,
 * two epochs, a table), so its fidelity belongs to it; finished networks are compared as what their searches led to, and each says its own.
 */
export const axisOf = (score: Score): string => [score.kind, score.metric, score.unit, score.data_sets, score.kind === "search" ? score.fidelity.text : ""].join("|");

export interface Axis {
  key: string;
  kind: ScoreKind;
  metric: string;
  name: string;
  unit: string;
  direction: Score["direction"];
  /** What all its networks had been given; null where they differ, then each value says it. */
  fidelity: string | null;
}

/** The different axes of these scores, in the order in which they come. */
export function axes(scores: readonly (Score | null)[]): Axis[] {
  const found = new Map<string, Axis>();
  for (const score of scores) {
    if (!score) continue;
    const key = axisOf(score);
    const known = found.get(key);
    if (!known) found.set(key, { key, kind: score.kind, metric: score.metric, name: score.name, unit: score.unit, direction: score.direction, fidelity: score.fidelity.text });
    else if (known.fidelity !== score.fidelity.text) known.fidelity = null;
  }
  return [...found.values()];
}

/** "best of 600"; empty where nothing was chosen by the score. */
export const selection = (score: Score): string => (score.selected_from > 1 ? `best of ${exact(score.selected_from)}` : "");

/** Which way is better, in words. */
export const sense = (direction: Score["direction"]): string => (direction === "maximise" ? "higher is better" : "lower is better");

/** All that a number does not say: "validation accuracy, share of examples, higher is better; trained for 12 epochs; best of 600". */
export function inFull(score: Score): string {
  const once = score.kind === "test" ? "scored once, when it was finished; nothing was chosen by it" : selection(score);
  return [`${KIND_TITLES[score.kind]}: ${score.name}, ${score.unit}, ${sense(score.direction)}`, score.fidelity.text, once].filter(Boolean).join("; ");
}

/** Whether `a` ranks before `b`, both of one axis. */
export const ahead = (a: Score, b: Score): boolean => (a.direction === "maximise" ? a.value > b.value : a.value < b.value);
