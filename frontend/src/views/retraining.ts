/** Training a model's architecture again: what a person chooses, made into the body of the experiment that does it. */
import type { ExperimentBody, Model, Retraining } from "../api/types";

export const MOST_SEEDS = 10;
/** How many times as long as before; `other` is a length of one's own. */
export const TIMES = ["1", "2", "4"] as const;

/** Whether to offer it; why an offer cannot be taken the server says. */
export const canBeTrained = (model: Pick<Model, "role" | "parameters">): boolean => model.role === "finalist" && model.parameters !== null;

export interface Choices {
  /** Epochs or steps, as the model's training counts; null where they cannot be changed. */
  length: number | null;
  both: boolean;
  seeds: number;
  ensemble: boolean;
}

/** As it was trained before. */
export const choicesOf = ({ length }: Retraining): Choices => ({ length: length?.count ?? null, both: false, seeds: 1, ensemble: false });

/** What is wrong with a length, in words; null where nothing is. */
export function lengthProblem(length: unknown, unit: "epochs" | "steps"): string | null {
  const most = unit === "epochs" ? 10_000 : 10_000_000;
  return typeof length === "number" && Number.isInteger(length) && length >= 1 && length <= most ? null : `give a whole number of ${unit} from 1 to ${most.toLocaleString("en")}`;
}

/**
 * The body with these choices. On both parts nothing can be stopped early, and no examples are left out: what the model's training had of
 * that is taken back, as the form says.
 */
export function bodyOf({ body, length }: Retraining, choices: Choices): ExperimentBody | null {
  if (!body) return null;
  const own = (body.finale.training ?? {}) as Record<string, unknown>;
  const training = {
    ...own,
    ...(length && choices.length !== null ? { [length.unit]: choices.length } : {}),
    ...(choices.both ? { early_stop: 0, train_examples: 0 } : {}),
  };
  const several = choices.seeds > 1;
  return {
    ...body,
    finale: {
      ...body.finale, training, ...(choices.both ? { train_on: "train_and_validation" } : {}), ...(several ? { seeds: choices.seeds } : {}),
      ...(several && choices.ensemble ? { ensemble: true } : {}),
    },
  };
}

/** What the choice of both parts takes back of the model's own training, in words; null where it takes back nothing. */
export function takenBack({ body }: Retraining): string | null {
  const own = (body?.finale.training ?? {}) as Record<string, unknown>;
  const parts = [own.early_stop ? "its early stop, which needs a validation score" : "", own.train_examples ? "its limit to the first examples" : ""].filter(Boolean);
  return parts.length > 0 ? parts.join(" and ") : null;
}

/** Networks that will be scored on the test part. */
export const newVisits = ({ seeds, ensemble }: Choices): number => seeds + (ensemble && seeds > 1 ? 1 : 0);
