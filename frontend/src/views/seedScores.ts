/** The scores of a finalist that was trained several times, out of its metrics (`search.several_work`). */
import type { Model } from "../api/types";

export interface OverSeeds {
  /** In words: "test accuracy". */
  name: string;
  values: number[];
  mean: number;
  /** Standard error of the mean; null of one value. */
  error: number | null;
}

/** Whether a metric is of one of several trainings, or of all of them: these stand together, not among the model's own. */
export const isOverSeeds = (name: string): boolean => /_seed_\d+$|_seeds_(mean|se)$/.test(name);

/** Of the test score, then of the validation score; nothing where the network was trained once. */
export function overSeeds({ metrics, test_score, validation_score }: Pick<Model, "metrics" | "test_score" | "validation_score">): OverSeeds[] {
  return [test_score, validation_score].flatMap((score) => {
    const mean = score ? metrics[`${score.metric}_seeds_mean`] : undefined;
    if (!score || mean === undefined) return [];
    const values: number[] = [];
    for (let place = 1; ; place++) {
      const value = metrics[`${score.metric}_seed_${place}`];
      if (value === undefined) break;
      values.push(value);
    }
    return [{ name: score.name, values, mean, error: metrics[`${score.metric}_seeds_se`] ?? null }];
  });
}
