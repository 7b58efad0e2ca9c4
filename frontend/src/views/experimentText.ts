/** Words about experiments and runs that several pages use. */
import type { BudgetKind, Experiment, ExperimentBody, Model, Options, Run, RunState } from "../api/types";
import { equal } from "../schema/model";
import { count, duration, exact, metricName } from "../ui/format";
import { commonKey, scoreKey, scoreOf } from "../ui/score";

/** States in the order in which a person wants to know of them. */
export const STATE_ORDER: readonly RunState[] = ["running", "pausing", "queued", "paused", "failed", "completed", "cancelled"];

export const ACTIVE: ReadonlySet<RunState> = new Set(["queued", "running", "pausing"]);

/** "900 k samples", "100 trials", "2 min 10 s", "no limit". */
export function budgetText(budget: { kind: BudgetKind; limit: number } | null): string {
  if (!budget) return "as configured";
  if (budget.kind === "seconds") return `${duration(budget.limit)} of computing`;
  return `${budget.kind === "trials" ? exact(budget.limit) : count(budget.limit)} ${budget.kind}`;
}

/** "412 k of 900 k samples"; without a budget what was charged in samples, or in trials where nothing is trained. */
export function chargedText(run: Run): string {
  const { budget, charged } = run;
  if (budget?.kind === "trials") return `${exact(charged.trials)} of ${exact(budget.limit)} trials`;
  if (budget?.kind === "seconds") return `${duration(charged.seconds)} of ${duration(budget.limit)}`;
  if (budget) return `${count(charged.samples)} of ${count(budget.limit)} samples`;
  return charged.samples > 0 || charged.trials === 0 ? `${count(charged.samples)} samples` : `${exact(charged.trials)} trials`;
}

/** Test scores of what a run found: one, or one for each data set where each has a network of its own. */
export function testScores(run: Run): number[] {
  const finalists = run.models.filter((model) => model.role === "finalist").sort((a, b) => a.index - b.index);
  // Of several networks for the same data the first is the one that the search chose on validation; the test split must not choose.
  const own = run.datasets.length > 1 ? finalists : finalists.slice(0, 1);
  return own.flatMap((model) => scoreOf(model.metrics, "test") ?? []);
}

/** "Test accuracy", "Test R²"; "Test score" where runs are scored in different ways. */
export function testTitle(runs: readonly Run[]): string {
  // Before the first test the measure of the search says what it will be.
  const key = commonKey(
    runs.flatMap((run) => (run.models.length > 0 ? run.models.map((model) => scoreKey(model.metrics, "test")) : [run.best?.metric.startsWith("val_") ? run.best.metric.replace("val_", "test_") : null])),
  );
  return key === null ? "Test score" : metricName(key).replace(/^./, (letter) => letter.toUpperCase());
}

/** The mean over data sets, by which runs are compared. */
export function testScore(run: Run): number | null {
  const scores = testScores(run);
  return scores.length === 0 ? null : scores.reduce((sum, value) => sum + value, 0) / scores.length;
}

/** The best trained network of a run's finale, and the random one it is compared with. */
export function finaleOf(run: Run): { best: Model | null; baseline: Model | null } {
  const score = (model: Model) => scoreOf(model.metrics, "test") ?? -Infinity;
  const finalists = run.models.filter((model) => model.role === "finalist").sort((a, b) => a.index - b.index);
  const best = finalists[0] ?? null;
  const baseline = run.models.filter((model) => model.role === "baseline" && Number.isFinite(score(model)))[0] ?? null;
  return { best, baseline };
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

/** The run with the best value so far; runs of one experiment have the same measure. */
export function bestRun(experiment: Experiment): Run | null {
  return experiment.runs.reduce<Run | null>((best, run) => (run.best && run.best.value > (best?.best?.value ?? -Infinity) ? run : best), null);
}
