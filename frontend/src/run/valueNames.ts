/** What the value is called by which a search compares its candidates. */
import type { Run } from "../api/types";
import { metricName } from "../ui/format";

/** "validation", "validation, shared weights", "reward" */
export function bestName(run: Run | null): string {
  const measure = run?.best?.metric ?? "val_accuracy";
  const name = measure === "val_accuracy" ? "validation" : metricName(measure);
  return run?.algorithm.metric_note ? `${name}, ${run.algorithm.metric_note}` : name;
}
