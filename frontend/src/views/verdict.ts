/**
 * The only place where scores are compared in words. A verdict needs enough pairs of seeds; everything else is an observation and says of how
 * many. Pages take their sentences from here (tests/verdict.test.ts looks for others).
 */
import { metric, metricName, plural } from "../ui/format";
import { isShare } from "../ui/score";
import { spread } from "./statistics";

/** Fewer pairs of seeds give no verdict: the interval of four is wider than three deviations. */
export const PAIRS_FOR_A_VERDICT = 5;

/** Two-sided 95 % points of Student's t for 1, 2, ... degrees of freedom; beyond the list the normal law's, which is too narrow by 4 % at most. */
const STUDENT = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06,
  2.056, 2.052, 2.048, 2.045, 2.042,
];

/** Half the width of the 95 % interval of the mean; null for fewer than two values. */
export function halfInterval(values: number[]): number | null {
  const found = spread(values);
  if (!found || found.deviation === null) return null;
  return ((STUDENT[values.length - 2] ?? 1.96) * found.deviation) / Math.sqrt(values.length);
}

/** "0.9412 ± 0.0030 (n = 5)": the mean with its 95 % interval; of one value only that. */
export function meanText(values: number[]): string {
  const found = spread(values);
  if (!found) return "–";
  const half = halfInterval(values);
  return half === null ? `${metric(found.mean)} (n = ${values.length})` : `${metric(found.mean)} ± ${metric(half)} (n = ${values.length})`;
}

/** "1.2 points", "0.031 of test R²". */
function amount(key: string, gap: number): string {
  return isShare(key) ? `${Math.abs(100 * gap).toFixed(1)} points` : `${metric(Math.abs(gap))} of ${metricName(key)}`;
}

const OBSERVATION = "one run with one seed (n = 1): an observation, no verdict on the method";

/** One finished network beside random ones of about its size: where it stands among them. */
export function besideRandom(key: string, own: number, random: number[]): string {
  const found = spread(random);
  if (!found) return "";
  const below = random.filter((value) => value < own).length;
  const range = random.length > 1 ? `, from ${metric(Math.min(...random))} to ${metric(Math.max(...random))}` : "";
  const gap = own - found.mean;
  const side = Math.abs(gap) < 0.0005 ? "at" : `${amount(key, gap)} ${gap > 0 ? "above" : "below"}`;
  return `${plural(random.length, "random architecture")} finished in the same way: mean ${metric(found.mean)}${range}. The best architecture is ${side} that mean and above ${below} of ${random.length}; ${OBSERVATION}.`;
}

/** One finished network beside one other. */
export function besideOne(key: string, own: number, other: number, name: string): string {
  const gap = own - other;
  const side = Math.abs(gap) < 0.0005 ? "at" : `${amount(key, gap)} ${gap > 0 ? "above" : "below"}`;
  return `The best architecture is ${side} the ${name}; ${OBSERVATION}.`;
}

/** The values of two groups under the seeds that both have. */
export interface Pairs {
  own: number[];
  other: number[];
}

/** "−1.6 ± 0.9 points (95 %, n = 4 pairs of equal seeds)": the mean difference of pairs with its interval, whatever it is; no verdict. */
export function differenceText(key: string, { own, other }: Pairs): string {
  const gaps = own.map((value, index) => value - (other[index] ?? NaN));
  const found = spread(gaps);
  if (!found) return "–";
  const [scale, unit] = isShare(key) ? [100, " points"] : [1, ""];
  const show = (value: number) => (isShare(key) ? (scale * value).toFixed(1) : metric(value));
  const half = halfInterval(gaps);
  const signed = `${found.mean < 0 ? "−" : "+"}${show(Math.abs(found.mean))}`;
  return half === null ? `${signed}${unit} (one pair of equal seeds)` : `${signed} ± ${show(half)}${unit} (95 %, n = ${gaps.length} pairs of equal seeds)`;
}

/** Whether one algorithm did better than another over pairs of runs with equal seeds. `key` names what was scored. */
export function paired(key: string, { own, other }: Pairs, name: string): string {
  const gaps = own.map((value, index) => value - (other[index] ?? NaN));
  if (gaps.length < PAIRS_FOR_A_VERDICT) {
    return `no verdict against ${name}: ${plural(gaps.length, "pair")} of equal seeds, at least ${PAIRS_FOR_A_VERDICT} are needed`;
  }
  const mean = spread(gaps)?.mean ?? 0;
  const half = halfInterval(gaps) ?? Infinity;
  const scale = isShare(key) ? 100 : 1;
  const unit = isShare(key) ? "points" : `of ${metricName(key)}`;
  const show = (value: number) => (isShare(key) ? (scale * value).toFixed(1) : metric(value));
  const interval = `${show(mean - half)} to ${show(mean + half)} ${unit} (95 %, n = ${gaps.length} pairs of equal seeds)`;
  if (mean - half > 0) return `better than ${name}: by ${interval}`;
  if (mean + half < 0) return `worse than ${name}: difference ${interval}`;
  return `no difference to ${name} is shown: ${interval}`;
}
