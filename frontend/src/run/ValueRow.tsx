/** The numbers that come with a live picture, in words: "entropy 42 % of uniform · baseline 0.61". */
import { count, metric, metricName } from "../ui/format";
import { figure, type Figures } from "../ui/figures";
import { Marked } from "../ui/Marked";

const NAMES: Record<string, string> = {
  entropy_share: "entropy",
  entropy: "entropy",
  reward: "reward",
  reward_mean: "mean reward",
  baseline: "baseline",
  advantage_std: "spread of the advantage",
  gradient_norm: "gradient norm",
  skip_rate: "skip rate",
  stage: "now",
  overlap: "modules shared with earlier tasks",
  diversity: "diversity",
};

/** What a search on shared weights is doing (`stage` of its frames). */
const STAGES = ["warm-up of the weights ω", "weights ω", "controller θ", "ranking samples"];

export function valueText(name: string, value: number): string {
  if (name === "stage") return STAGES[value] ?? count(value);
  if (/_share$|_rate$|^share(_|$)/.test(name)) return `${(100 * value).toFixed(value < 0.0995 ? 1 : 0)} %${name === "entropy_share" ? " of uniform" : ""}`;
  return Number.isInteger(value) ? count(value) : metric(value);
}

export function ValueRow({ values, step }: { values: Record<string, number>; step?: number | undefined }) {
  const shown = Object.entries(values).filter(([name]) => !(name === "entropy" && "entropy_share" in values));
  return (
    <ul className="value-row" aria-label="Figures">
      {step !== undefined && (
        <li>
          step <b>{count(step)}</b>
        </li>
      )}
      {shown.map(([name, value]) => (
        <li key={name}>
          <Marked text={NAMES[name] ?? metricName(name)} /> <b>{valueText(name, value)}</b>
        </li>
      ))}
    </ul>
  );
}

/** The same as a table for the saved file: whose numbers, their names, their values. Empty where there are none. */
export function valueFigures(title: string, owners: readonly { owner: string; values: Readonly<Record<string, number>> }[]): Figures[] {
  const rows = owners.flatMap(({ owner, values }) => Object.entries(values).map(([name, value]) => [owner, NAMES[name] ?? metricName(name), figure(value, valueText(name, value))]));
  return rows.length > 0 ? [{ title, head: ["of", "number", "value"], rows }] : [];
}
