/** Words about experiments and runs that several pages use. */
import { BUDGET_KINDS, type BudgetInfo, type BudgetKind, type Experiment, type ExperimentBody, type Model, type Options, type Run, type RunState, type TestVisits } from "../api/types";
import { equal } from "../schema/model";
import type { Score } from "../types/events.gen";
import { count, duration, exact, share } from "../ui/format";
import { ahead, axes } from "../ui/scoreKinds";

/** States in the order in which a person wants to know of them. */
export const STATE_ORDER: readonly RunState[] = ["running", "pausing", "queued", "paused", "failed", "completed", "cancelled"];

export const ACTIVE: ReadonlySet<RunState> = new Set(["queued", "running", "pausing"]);

/** A run's state in a word or two, for lists. */
export function stateWord(run: Pick<Run, "state" | "elsewhere">): string {
  if (!run.elsewhere) return run.state;
  return run.state === "paused" ? "interrupted" : `${run.state}, own process`;
}

/** An amount of one kind without its unit. */
export function amountText(kind: BudgetKind, amount: number): string {
  return kind === "seconds" ? duration(amount) : kind === "trials" ? exact(amount) : count(amount);
}

/** An amount of one kind with its unit: "900 k samples", "3.1 TFLOPs", "12 s of device time". */
export function unitText(kind: BudgetKind, amount: number): string {
  const text = amountText(kind, amount);
  if (kind === "flops") return /[a-zA-Z]$/.test(text) ? `${text}FLOPs` : `${text} FLOPs`;
  return kind === "seconds" ? `${text} of device time` : `${text} ${kind}`;
}

/** The same of what a search can have more of: a kind of budget, or an option by which its plan gets longer, "12 epochs". */
export const amountOf = (unit: string, amount: number): string =>
  (BUDGET_KINDS as readonly string[]).includes(unit) ? unitText(unit as BudgetKind, amount) : `${exact(amount)} ${unit}`;

/** "900 k samples", "100 trials, repeats not counted", "as configured". */
export function budgetText(budget: BudgetInfo | null): string {
  if (!budget) return "as configured";
  return unitText(budget.kind, budget.limit) + (budget.kind === "trials" && !budget.count_repeats ? ", repeats not counted" : "");
}

/** "412 k of 900 k samples"; without a budget what was charged in samples, or in trials where nothing is trained. */
export function chargedText(run: Run): string {
  const { budget, charged } = run;
  const kind = chargedKind(run);
  return budget ? `${amountText(kind, charged[kind])} of ${unitText(kind, budget.limit)}` : unitText(kind, charged[kind]);
}

/** In what a run's charge is shown: its budget's kind; where a plan of its own ends it, samples, or trials where none are taken. */
export const chargedKind = ({ budget, charged }: Pick<Run, "budget" | "charged">): BudgetKind => budget?.kind ?? (charged.samples > 0 || charged.trials === 0 ? "samples" : "trials");

/** What was charged in all kinds but that of `chargedText`: equal in one is not equal in the others. */
export function alsoChargedText(run: Run): string {
  const shown = chargedKind(run);
  const others = BUDGET_KINDS.filter((kind) => kind !== shown && run.charged[kind] > 0);
  return others.map((kind) => unitText(kind, run.charged[kind])).join(" · ");
}

/** "388 distinct, 72 % repeats". */
export function architecturesText({ counts }: Pick<Run, "counts">): string {
  const distinct = `${exact(counts.architectures)} distinct`;
  return counts.repeated > 0 ? `${distinct}, ${share(counts.repeated / counts.trials)} repeats` : distinct;
}

/** "3 of 40 trials failed"; empty where none did. */
export function failedText({ counts }: Run): string {
  return counts.failed > 0 ? `${exact(counts.failed)} of ${exact(counts.trials)} trials failed` : "";
}

/** Test scores of what a run found: one, or one for each data set where each has a network of its own. */
export function testScores(run: Run): Score[] {
  const finalists = run.models.filter((model) => model.role === "finalist").sort((a, b) => a.index - b.index);
  // Of several networks for the same data the first is the one that the search chose on validation; the test split must not choose.
  const own = run.datasets.length > 1 ? finalists : finalists.slice(0, 1);
  return own.flatMap((model) => model.test_score ?? []);
}

/**
 * "5 finished networks of this experiment were scored on this test part", with what follows from it. Counted together is what opens the same
 * examples: two subsets of the classes are two test parts.
 */
export function visitsText({ experiment, data, part, further }: TestVisits, dataSets = 1): string {
  const own = `${exact(experiment)} finished ${experiment === 1 ? "network" : "networks"} of this experiment`;
  const all = data > experiment ? `, ${exact(data)} of all your runs,` : "";
  // Of several data sets a network may have been scored on one alone.
  const scored = dataSets > 1
    ? `${own} ${experiment === 1 ? "was" : "were"} scored on the test parts of its data sets, once on each that it is for; of all your runs ${[{ part, data }, ...further].map((one) => `${exact(one.data)} on that of ${one.part}`).join(", ")}.`
    : `${own}${all} ${data === 1 ? "was" : "were"} scored on the test part of ${part}, each once.`;
  return `${scored} The more of them you have looked at, the less the best of them says; choose by validation.`;
}

/** The title that the engine gives where an algorithm has no comparison of its own. */
export const RANDOM = "random architecture, finished in the same way";

/** The best trained network of a run's finale, and the test scores of the random ones that were finished in the same way. */
export function finaleOf(run: Run): { best: Model | null; random: number[] } {
  const finalists = run.models.filter((model) => model.role === "finalist").sort((a, b) => a.index - b.index);
  const best = finalists[0] ?? null;
  const random = run.models.flatMap((model) => (model.role === "baseline" && model.title === RANDOM ? (model.test_score?.value ?? []) : []));
  return { best, random };
}

/**
 * The options that the person set for a run (its own `options` hold every default as well). Of several variants of one algorithm it is
 * the one with the most settings that the run agrees with.
 */
export function givenOptions(run: Run, algorithms: ExperimentBody["algorithms"]): Options {
  const fitting = algorithms
    .filter((item) => item.id === run.algorithm.id)
    .filter((item) => Object.entries(item.options).every(([name, value]) => equal(run.options[name], value)))
    .sort((a, b) => Object.keys(b.options).length - Object.keys(a.options).length);
  return fitting[0]?.options ?? {};
}

/** "up to 16": how many trials of equal shape are trained together, from what a run was configured with; null where each is for itself. */
export function togetherText(together: unknown): string | null {
  return typeof together === "number" && together > 1 ? `up to ${together}` : null;
}

/** "mean of 5 folds": how candidates are scored, from what a run was configured with; null where it is the data set's validation part. */
export function foldsText(folds: unknown): string | null {
  return typeof folds === "number" && folds > 1 ? `mean of ${folds} folds` : null;
}

/** Wall-clock seconds from the start to the end, or to now. */
export function seconds(run: Run): number | null {
  if (!run.started) return null;
  const end = run.finished ? Date.parse(run.finished) : Date.now();
  return Math.max(0, (end - Date.parse(run.started)) / 1000);
}

/** The titles of the algorithms of an experiment, each once. */
export function algorithmTitles(experiment: Experiment): string[] {
  return [...new Set(experiment.runs.map((run) => run.algorithm.title))];
}

/**
 * The score that a list shows of an experiment: the best search score, or where there is none the best validation score of a finished network. Null where the runs'
 * scores are not of one kind and measure, because then none of them is the best. Never a test score: that would be choosing by it.
 */
export function leadingScore(experiment: Experiment): Score | null {
  const searched = experiment.runs.flatMap((run) => run.search_score ?? []);
  const scores = searched.length > 0 ? searched : experiment.runs.flatMap((run) => run.validation_score ?? []);
  if (axes(scores).length !== 1) return null;
  return scores.reduce((best, score) => (ahead(score, best) ? score : best));
}
