/** Live validation and the estimate of cost: the form's own check at once, the server's after a short rest. */
import { useEffect, useMemo, useRef, useState } from "react";
import { ApiError, messageOf } from "../../api/problem";
import { createEstimate, getEstimate, validateExperiment } from "../../api/resources";
import type { Estimate, ExperimentBody, FieldProblem, RunSchema } from "../../api/types";
import { check } from "../../schema/check";
import { budgetsFor, clash, needBudget, placeClosed, wrongCount, type Catalogue } from "./compatibility";
import { readBudget, readSeeds, type Draft, type Forms } from "./draft";

const VALIDATE_MS = 300;
const ESTIMATE_MS = 700;
const POLL_MS = 600;

/** What is wrong with the draft as far as the browser can tell, by path in the experiment's body. */
export function localProblems(draft: Draft, catalogue: Catalogue, schemas: RunSchema, forms: Forms): Map<string, string> {
  const problems = new Map<string, string>();
  const add = (path: string, message: string) => {
    if (!problems.has(path)) problems.set(path, message);
  };
  const part = (path: string, schema: Parameters<typeof check>[0] | undefined, values: unknown) => {
    if (schema) for (const problem of check(schema, values, schema, path)) add(problem.path, problem.message);
  };
  const chosen = draft.algorithms.flatMap(({ id }) => catalogue.algorithms.find((item) => item.id === id) ?? []);
  const count = wrongCount(chosen, draft.datasets.length);
  if (count !== null) add("datasets", count);
  draft.datasets.forEach(({ id, options }, place) => {
    const dataset = catalogue.datasets.find((item) => item.id === id);
    const closed = dataset ? placeClosed(catalogue, dataset, draft.space, chosen) : `There is no data set '${id}'.`;
    if (closed !== null) add(`datasets.${place}`, closed);
    part(`dataset_options.${place}`, dataset?.schema, options);
  });
  part("space_options", catalogue.spaces.find((item) => item.id === draft.space)?.schema, draft.spaceOptions);
  if (draft.algorithms.length === 0) add("algorithms", "Choose at least one algorithm.");
  const disagreement = clash(chosen);
  if (disagreement !== null) add("algorithms", disagreement);
  draft.algorithms.forEach(({ id, options }, index) => {
    part(`algorithms.${index}.options`, catalogue.algorithms.find((item) => item.id === id)?.schema, options);
  });
  const seeds = readSeeds(draft.seeds);
  if (typeof seeds === "string") add("seeds", seeds);
  const ids = draft.algorithms.map((item) => item.id);
  if (draft.budgetKind === "none") {
    const names = needBudget(catalogue, ids).map((item) => item.title);
    if (names.length > 0) add("budget", `${names.join(" and ")} ${names.length === 1 ? "stops" : "stop"} only by a budget.`);
  } else {
    const amount = readBudget(draft.budgetKind, draft.budget);
    if (typeof amount === "string") add("budget", amount);
    else if (!budgetsFor(catalogue, ids, draft.space, draft.datasets.map((item) => item.id)).includes(draft.budgetKind)) {
      add("budget", `This choice cannot spend a budget in ${draft.budgetKind}.`);
    }
  }
  part("training", schemas.training, draft.training);
  part("", forms.evaluationSchema, draft.evaluation);
  part("finale", schemas.finale, draft.finale);
  part("runtime", forms.runtimeSchema, draft.runtime);
  return problems;
}

/** The server's problems, one message per path; its "budget.trials" belongs to the one budget field. */
export function byPath(problems: FieldProblem[]): Map<string, string> {
  const map = new Map<string, string>();
  for (const { field, message } of problems) {
    const path = field.startsWith("budget") ? "budget" : field.startsWith("seeds") ? "seeds" : field;
    if (!map.has(path)) map.set(path, message.charAt(0).toUpperCase() + message.slice(1));
  }
  return map;
}

export interface ServerCheck {
  problems: Map<string, string>;
  /** What to know before the start although nothing is wrong. */
  advice: string[];
  /** How the networks of each algorithm's finale are trained, in words. */
  finish: string[];
  /** Whether the server has answered for exactly this body. */
  fresh: boolean;
  /** The server could not be asked. */
  error: string | null;
}

/** Asks the server once the body has rested; `body` null (something is already known to be wrong) asks nothing. */
export function useServerCheck(body: ExperimentBody | null): ServerCheck {
  const key = body === null ? null : JSON.stringify(body);
  const [answer, setAnswer] = useState<(Omit<ServerCheck, "fresh"> & { key: string }) | null>(null);
  useEffect(() => {
    if (key === null) return;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      validateExperiment(JSON.parse(key) as ExperimentBody, abort.signal).then(
        (result) => setAnswer({ key, problems: byPath(result.problems), advice: result.advice, finish: result.finish, error: null }),
        (error: unknown) => {
          if (abort.signal.aborted) return;
          const problems = error instanceof ApiError ? byPath(error.problems) : new Map<string, string>();
          setAnswer({ key, problems, advice: [], finish: [], error: problems.size > 0 ? null : messageOf(error) });
        },
      );
    }, VALIDATE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [key]);
  return useMemo(() => {
    const fresh = answer !== null && answer.key === key;
    return {
      problems: fresh ? answer.problems : new Map(),
      advice: fresh ? answer.advice : [],
      // The last ones stay while the next are asked for: they are read, not acted upon.
      finish: answer?.finish ?? [],
      fresh,
      error: fresh ? answer.error : null,
    };
  }, [answer, key]);
}

/** Advice, each sentence once. The estimate's takes the place of the check's: it knows how many trials a budget in samples allows. */
export function adviceOf(checked: readonly string[], estimate: Estimate | null, titleOf: (algorithm: string) => string): string[] {
  const runs = estimate?.state === "done" ? (estimate.result?.runs ?? []) : null;
  const said = runs?.flatMap((run) => run.advice.map((sentence) => `${titleOf(run.algorithm)}: ${sentence}`));
  return [...new Set(said ?? checked)];
}

/** What the estimate found that would be refused: a unit that needs more than a worker may take. */
export const estimatedProblems = (estimate: Estimate | null): Map<string, string> =>
  byPath((estimate?.state === "done" ? (estimate.result?.runs ?? []) : []).flatMap((run) => run.problem ?? []));

export interface EstimateState {
  estimate: Estimate | null;
  error: string | null;
}

const NOTHING: EstimateState = { estimate: null, error: null };

/** The estimate for a valid body; null asks for none. Answers are kept, so going back to an earlier choice costs nothing. */
export function useEstimate(body: ExperimentBody | null): EstimateState {
  // The name and the seeds' values do not change the cost, but the number of runs does: the server sums over seeds.
  const key = body === null ? null : JSON.stringify({ ...body, name: "" });
  const known = useRef(new Map<string, EstimateState>());
  const [state, setState] = useState<{ key: string; value: EstimateState } | null>(null);
  useEffect(() => {
    if (key === null) return;
    const earlier = known.current.get(key);
    if (earlier) {
      setState({ key, value: earlier });
      return;
    }
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    const fail = (error: unknown) => {
      if (!abort.signal.aborted) setState({ key, value: { estimate: null, error: messageOf(error) } });
    };
    const take = (estimate: Estimate) => {
      if (abort.signal.aborted) return;
      const value = { estimate, error: estimate.state === "failed" ? estimate.reason || "The estimate failed." : null };
      setState({ key, value });
      if (estimate.state === "done") known.current.set(key, value);
      else if (estimate.state !== "failed") timer = setTimeout(() => getEstimate(estimate.id, abort.signal).then(take, fail), POLL_MS);
    };
    timer = setTimeout(() => createEstimate(JSON.parse(key) as ExperimentBody, abort.signal).then(take, fail), ESTIMATE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [key]);
  return state !== null && state.key === key ? state.value : NOTHING;
}
