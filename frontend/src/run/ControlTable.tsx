/** What the controls inside a search gave: its own figures beside those of the search. */
import type { ControlScored } from "../types/events.gen";
import { count, metric, metricName } from "../ui/format";

/** Names of figures that are shares of examples. */
const SHARE = /accuracy|(^|_)share(_|$)|fitness|threshold|_mean$|_max$|_min$/;
/** 0 or 1 in the events, a word on the screen. */
const YES_NO = new Set(["reached"]);
/** In front of the search's own figure, beside which the control's stands. */
const OF_THE_SEARCH = ["transfer_", "search_"];
/** These words tell one figure from another, not the search from its control. */
const OTHER_FIGURE = new Set(["val", "test", "train", "random", "policy", "mean", "best", "max", "min"]);
/** Which of the tasks it was: the title says it. */
const LEFT_OUT = new Set(["task"]);

const NAMES: Record<string, string> = {
  reached: "threshold reached",
  fitness: "accuracy of the best path",
  policy_max: "best path of the policy",
  policy_mean: "mean path of the policy",
  random_max: "best random path",
  random_mean: "mean random path",
  random_paths: "paths of each kind",
};

export function figureName(name: string): string {
  const place = /^(.*)_(\d+)$/.exec(name);
  return NAMES[name] ?? (place ? `${metricName(place[1] ?? "")}, data set ${place[2]}` : metricName(name));
}

/** "61.3 %" for an accuracy, "yes" for a flag, plain digits for everything else. */
export function figureText(name: string, value: number | undefined): string {
  if (value === undefined) return "–";
  if (YES_NO.has(name)) return value === 0 ? "no" : "yes";
  if (SHARE.test(name) && value >= 0 && value <= 1) return `${(100 * value).toFixed(1)} %`;
  return Number.isInteger(value) ? count(value) : metric(value);
}

/** Rows of [name, control, search]; the search's figure is undefined where it has none of that name. */
export function figures(values: Record<string, number>): [name: string, control: number | undefined, search: number | undefined][] {
  const names = Object.keys(values);
  // "adanet_parameters" beside "parameters": the search's own.
  const byName = (name: string) =>
    names.filter((other) => name.endsWith(`_${other}`)).map((other) => name.slice(0, -other.length)).find((prefix) => !OTHER_FIGURE.has(prefix.slice(0, -1)));
  const own = new Map<string, { control?: number; search?: number }>();
  for (const [name, value] of Object.entries(values)) {
    const prefix = OF_THE_SEARCH.find((text) => name.startsWith(text)) ?? byName(name);
    const bare = prefix === undefined ? name : name.slice(prefix.length);
    // Beside the figures of random paths `samples` counts paths, elsewhere examples.
    const key = bare === "samples" && names.some((other) => other.startsWith("random_")) ? "random_paths" : bare;
    if (LEFT_OUT.has(key)) continue;
    own.set(key, { ...own.get(key), [prefix === undefined ? "control" : "search"]: value });
  }
  return [...own].map(([name, { control, search }]) => [name, control, search]);
}

function Control({ control }: { control: ControlScored }) {
  const rows = figures(control.values);
  const compared = rows.some(([, , search]) => search !== undefined);
  return (
    <section className="control" aria-label={control.title}>
      <h5>{control.title}</h5>
      <p className="run-hint">{control.message}</p>
      {rows.length > 0 && (
        <table className="four-numbers">
          {compared && (
            <thead>
              <tr>
                <td />
                <th scope="col">control</th>
                <th scope="col">search</th>
              </tr>
            </thead>
          )}
          <tbody>
            {rows.map(([name, own, search]) => (
              <tr key={name}>
                <th scope="row">{figureName(name)}</th>
                <td>{figureText(name, own)}</td>
                {compared && <td>{figureText(name, search)}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

export function ControlTable({ controls }: { controls: ControlScored[] }) {
  if (controls.length === 0) return null;
  return (
    <section className="controls" aria-label="Compared with">
      <h4>Compared with</h4>
      {controls.map((control) => (
        <Control key={`${control.name} ${control.title}`} control={control} />
      ))}
    </section>
  );
}
