/** What the value is called by which a search compares its candidates. */
import type { Run } from "../api/types";
import { sense } from "../ui/scoreKinds";

/** "validation accuracy", "validation accuracy, shared weights", "reward" */
export function bestName(run: Run | null): string {
  const name = run?.search_measure.name ?? "search score";
  return run?.algorithm.metric_note ? `${name}, ${run.algorithm.metric_note}` : name;
}

/** "validation accuracy (share of examples)": the name and the unit, for the head of a column. */
export const measureName = (run: Run | null): string => (run ? `${run.search_measure.name} (${run.search_measure.unit})` : "search score");

/** "validation accuracy (share of examples), higher is better": for an axis. */
export const measureAxis = (run: Run | null): string => (run ? `${measureName(run)}, ${sense(run.search_measure.direction)}` : "search score");
