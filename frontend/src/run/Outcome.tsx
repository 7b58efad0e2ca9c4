/** The end of a run: what was found, what it scores on data nobody had seen, how that compares with chance, and the download. */
import type { Model, Options, Run } from "../api/types";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { FinalistChosen, Report } from "../types/events.gen";
import { metric, metricName } from "../ui/format";
import { isShare, scoreKey } from "../ui/score";
import { domainNames } from "../views/datasetText";
import { ControlTable } from "./ControlTable";
import { FinalModel } from "./FinalModel";
import { Reports } from "./Reports";

/** On these data nearly every architecture of these spaces is good: a comparison there says little about a search. */
const EASY = new Set(["digits", "mnist"]);

/** The title that the engine gives where an algorithm has no comparison of its own. */
const RANDOM = "random architecture, finished in the same way";

function comparison(run: Run, key: string, own: number, other: number, title: string): string {
  const gap = own - other;
  const amount = isShare(key) ? `${Math.abs(100 * gap).toFixed(1)} points` : `by ${metric(Math.abs(gap))} of ${metricName(key)}`;
  const side = gap > 0 ? "better than" : "worse than";
  const size = Math.abs(gap) < 0.0005 ? "as good as" : `${amount} ${side}`;
  const easy = isShare(key) && run.datasets.every((name) => EASY.has(name));
  const beside = title === RANDOM ? "a random one that was trained in the same way" : `the ${title}`;
  return `The best architecture is ${size} ${beside}.${
    easy ? " On this data set almost every architecture does well: it cannot tell a good search from a bad one. Try Fashion-MNIST or a NAS-Bench-201 table for that." : ""
  }`;
}

function FourNumbers({ metrics }: { metrics: Record<string, number> }) {
  const rows: [string, string, string][] = [
    ["random", `${metric(metrics["random_mean"])} ± ${metric(metrics["random_sd"])}`, "one shared weight, drawn at random"],
    ["ensemble", metric(metrics["ensemble"]), "six shared weights vote"],
    ["tuned", metric(metrics["tuned"]), `the best shared weight, ${metric(metrics["tuned_weight"])}`],
    ["trained", metric(metrics["trained"]), "every edge gets its own weight"],
  ];
  return (
    <table className="four-numbers">
      <caption>Test accuracy, four ways</caption>
      <tbody>
        {rows.map(([name, value, note]) => (
          <tr key={name}>
            <th scope="row">
              {name}
              <span>{note}</span>
            </th>
            <td>{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Whether what can be removed from `studied` networks is still to come: the download does not wait for it. */
function measuring(run: Run, studied: number, reports: readonly Report[]): boolean {
  const finale = run.config?.["finale"] as Options | undefined;
  return run.state === "running" && finale?.["redundancy"] !== false && reports.filter((report) => report.name === "redundancy").length < studied;
}

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** "Path of task B" over the name of its data set. */
function ModelTitle({ title, domains, several }: { title: string; domains: string[]; several: boolean }) {
  return (
    <h4>
      {sentence(title)}
      {several && <span>on {domains.join(" and ")}</span>}
    </h4>
  );
}

/** Id of the result, so that the header can lead to it. */
export const RESULT = "result";

export function Outcome({ run, store }: { run: Run; store: RunStore }) {
  useTopic(store, "end");
  const controls = store.controls.map((item) => item.data);
  const reports = store.reports.map((item) => item.data);
  const finalists = run.models.filter((model) => model.role === "finalist").sort((a, b) => a.index - b.index);
  const baselines = run.models.filter((model) => model.role === "baseline").sort((a, b) => a.index - b.index);
  const [own] = finalists;
  if (!own) {
    if (controls.length === 0 && reports.length === 0) return null;
    return (
      <section className="card outcome" aria-label="Controls">
        <ControlTable controls={controls} />
        <Reports reports={reports} />
      </section>
    );
  }

  const names = domainNames(run.datasets, run.config?.["dataset_options"] as Options[] | undefined);
  const chosen = (model: Model): FinalistChosen | undefined => store.finalists.find((item) => item.index === model.index);
  const domainsOf = (model: Model) => (chosen(model)?.domains ?? [0]).map((place) => names[place] ?? String(place + 1));
  const titleOf = (model: Model) => chosen(model)?.title || (model.role === "finalist" ? "best architecture found" : RANDOM);

  // One network and one to compare it with: two numbers side by side. Anything more gets a part of its own each.
  const alone = finalists.length === 1;
  const [other] = baselines;
  const key = scoreKey(own.metrics, "test") ?? "test_accuracy";
  const chance = alone && baselines.length === 1 ? other?.metrics[key] : undefined;
  const title = other ? titleOf(other) : "";
  const test = own.metrics[key];
  const separate = chance === undefined ? baselines : [];
  return (
    <section className="card outcome" id={RESULT} tabIndex={-1} aria-label="Result">
      <h3>Result</h3>
      {finalists.map((model) => (
        <div className="outcome-model" key={model.id}>
          {(!alone || domainsOf(model).length > 1) && <ModelTitle title={titleOf(model)} domains={domainsOf(model)} several={names.length > 1} />}
          <FinalModel
            model={model}
            domains={domainsOf(model)}
            beside={chance === undefined ? [] : [{ name: title === RANDOM ? "random architecture" : title, value: chance, first: true }]}
          >
            {test !== undefined && chance !== undefined && <p className="run-hint">{comparison(run, key, test, chance, title)}</p>}
            {model.metrics["random_mean"] !== undefined && <FourNumbers metrics={model.metrics} />}
          </FinalModel>
        </div>
      ))}
      {separate.map((model) => (
        <div className="outcome-model" key={model.id}>
          <ModelTitle title={`for comparison: ${titleOf(model)}`} domains={domainsOf(model)} several={names.length > 1} />
          <FinalModel model={model} domains={domainsOf(model)} />
        </div>
      ))}
      {measuring(run, finalists.filter((model) => domainsOf(model).length === 1 && model.parameters !== null).length, reports) && (
        <p className="run-hint" role="status">
          What can be removed from {alone ? "the network" : "the networks"} is being measured. A download that is offered is complete and stays as it is.
        </p>
      )}
      <ControlTable controls={controls} />
      <Reports reports={reports} />
    </section>
  );
}
