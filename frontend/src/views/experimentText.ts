/** Words about experiments and runs that several pages use. */
import type { BudgetKind, Experiment, Model, Run, RunState } from "../api/types";
import { count, duration, exact } from "../ui/format";

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

/** The best trained network of a run's finale, and the random one it is compared with. */
export function finaleOf(run: Run): { best: Model | null; baseline: Model | null } {
  const score = (model: Model) => model.metrics["test_accuracy"] ?? -Infinity;
  const finalists = run.models.filter((model) => model.role === "finalist").sort((a, b) => a.index - b.index);
  // The first finalist is the one that the search chose on validation; the test split must not choose.
  const best = finalists[0] ?? null;
  const baseline = run.models.filter((model) => model.role === "baseline" && Number.isFinite(score(model)))[0] ?? null;
  return { best, baseline };
}

export function seconds(run: Run): number | null {
  if (!run.started) return null;
  const end = run.finished ? Date.parse(run.finished) : Date.now();
  return Math.max(0, (end - Date.parse(run.started)) / 1000);
}

/** The titles of the algorithms of an experiment, each once. */
export function algorithmTitles(experiment: Experiment): string[] {
  return [...new Set(experiment.runs.map((run) => run.algorithm.title))];
}

/** Where a click on an experiment leads: its only run, or the comparison of its runs. */
export function bestRun(experiment: Experiment): Run | null {
  return experiment.runs.reduce<Run | null>((best, run) => (run.best && run.best.value > (best?.best?.value ?? -Infinity) ? run : best), null);
}
