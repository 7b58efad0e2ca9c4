/** Steps of a structure that grows and shrinks, in words. */
import type { GrowthStep } from "../types/events.gen";
import { metric } from "../ui/format";

/** "0.512 to 0.498", "0.498 from nothing" */
export function objectiveText(step: GrowthStep): string {
  return step.before === null || step.before === undefined ? `${metric(step.after)}, the first` : `${metric(step.before)} to ${metric(step.after)}`;
}

/** One line of the log. */
export function growthLine(step: GrowthStep): string {
  return `${step.accepted ? "accepted" : "rejected"}: ${step.action} ${step.subject}; ${step.objective} ${objectiveText(step)}`;
}
