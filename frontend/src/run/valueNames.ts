/** What the value is called by which a search compares its candidates. */
import type { Run } from "../api/types";
import { metricName } from "../ui/format";

/** These search with one weight for all connections; their finalists are trained, and have another validation value then. */
const SHARED_WEIGHTS = new Set(["wann"]);

/** "validation", "validation, shared weights", "reward" */
export function bestName(run: Run): string {
  const measure = run.best?.metric ?? "val_accuracy";
  if (measure !== "val_accuracy") return metricName(measure);
  return SHARED_WEIGHTS.has(run.algorithm.id) ? "validation, shared weights" : "validation";
}
