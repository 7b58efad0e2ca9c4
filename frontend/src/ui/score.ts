/** The score by which a network is judged: what it is depends on the task (accuracy, R², a bound on the evidence, a reward). */

type Metrics = Readonly<Record<string, number>>;
export type Split = "test" | "val";

/** In the order in which one of several is the score. All of them are better when larger. */
const SCORES = ["accuracy", "r2", "elbo", "log_likelihood", "log_evidence", "reward"] as const;

/** The name of the score of a split among these metrics, for example "test_r2"; null where none was measured. */
export function scoreKey(metrics: Metrics, split: Split): string | null {
  const name = SCORES.find((score) => `${split}_${score}` in metrics);
  return name === undefined ? null : `${split}_${name}`;
}

export function scoreOf(metrics: Metrics, split: Split): number | undefined {
  const key = scoreKey(metrics, split);
  return key === null ? undefined : metrics[key];
}

/** Whether differences of this score are percentage points. */
export const isShare = (key: string): boolean => key.endsWith("_accuracy");

/** The one name of several scores, null where they are of different kinds. */
export function commonKey(keys: Iterable<string | null>): string | null {
  const found = new Set([...keys].filter((key) => key !== null));
  const [only] = found;
  return found.size === 1 ? (only ?? null) : null;
}
