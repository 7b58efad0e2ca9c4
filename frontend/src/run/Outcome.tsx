/** The end of a run: what was found, what it scores on data nobody had seen, how that compares with chance, and the download. */
import type { Model, Options, Run } from "../api/types";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { FinalistChosen, Report } from "../types/events.gen";
import { metric } from "../ui/format";
import { isShare } from "../ui/score";
import { axisOf } from "../ui/scoreKinds";
import { domainNames } from "../views/datasetText";
import { RANDOM, visitsText } from "../views/experimentText";
import { spread } from "../views/statistics";
import { besideOne, besideRandom } from "../views/verdict";
import { ControlTable } from "./ControlTable";
import { FinalModel } from "./FinalModel";
import { Reports } from "./Reports";

/** On these data nearly every architecture of these spaces is good: a comparison there says little about a search. */
const EASY = new Set(["digits", "mnist"]);

function comparison(run: Run, key: string, own: number, others: number[], title: string): string {
  const easy = isShare(key) && run.datasets.every((name) => EASY.has(name));
  const beside = title === RANDOM ? besideRandom(key, own, others) : besideOne(key, own, others[0] ?? NaN, title);
  return `${beside}${
    easy ? " On this data set almost every architecture does well: it cannot tell a good search from a bad one. Try Fashion-MNIST or a NAS-Bench-201 table for that." : ""
  }`;
}

/** "0.93 to 1.06 times its parameters": of how many of the random ones that is known. */
function sizesText(own: Model, others: readonly Model[]): string {
  const ratios = others.flatMap((model) => (model.parameters && own.parameters ? [model.parameters / own.parameters] : []));
  if (ratios.length < others.length || ratios.length === 0) return "";
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(2));
  return low === high ? ` They have ${low} times its parameters.` : ` They have ${low} to ${high} times its parameters.`;
}

/** Beside the four numbers, not of the search; `linear_regression`, `small_cnn` as the report names them. */
const CONTROLS: readonly [key: string, name: string, note: string][] = [
  ["test_linear_regression", "linear regression", "least squares on one-hot labels, same training part"],
  ["test_small_cnn", "small CNN", "two convolutions, same training part"],
];

function FourNumbers({ metrics, report }: { metrics: Record<string, number>; report: Report | undefined }) {
  const rows: [string, string, string][] = [
    ["random", `${metric(metrics["test_random_mean"])} ± ${metric(metrics["test_random_sd"])}`, "one shared weight, drawn at random"],
    ["ensemble", metric(metrics["test_ensemble"]), "six shared weights vote"],
    ["tuned", metric(metrics["test_tuned"]), `the best shared weight, ${metric(metrics["tuned_weight"])}`],
    ["trained", metric(metrics["test_accuracy"]), "every edge gets its own weight"],
  ];
  const controls = CONTROLS.filter(([key]) => report?.values[key] !== undefined);
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
      {controls.length > 0 && (
        <tbody>
          <tr>
            <th scope="rowgroup" colSpan={2}>
              Controls
            </th>
          </tr>
          {controls.map(([key, name, note]) => (
            <tr key={key}>
              <th scope="row">
                {name}
                <span>{note}</span>
              </th>
              <td>{metric(report?.values[key])}</td>
            </tr>
          ))}
        </tbody>
      )}
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
  // Of several finalists each has its own, in the order in which they ended: there they stand in detail only.
  const sweeps = reports.filter((report) => report.name === "shared_weight");
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

  // One network and one to compare it with, or several random ones: two numbers side by side. Anything more gets a part of its own each.
  const alone = finalists.length === 1;
  const [other] = baselines;
  const test = own.test_score;
  const key = test?.metric ?? "test_accuracy";
  const title = other ? titleOf(other) : "";
  const alike = baselines.length === 1 || baselines.every((model) => titleOf(model) === RANDOM);
  // Only equals are compared.
  const scored = alone && alike && test ? baselines.filter((model) => model.test_score && axisOf(model.test_score) === axisOf(test)) : [];
  const others = scored.flatMap((model) => model.test_score?.value ?? []);
  const chance = spread(others)?.mean;
  const separate = chance === undefined ? baselines : [];
  const randomName = others.length > 1 ? `mean of ${others.length} random ones` : "random architecture";
  return (
    <section className="card outcome" id={RESULT} tabIndex={-1} aria-label="Result">
      <h3>Result</h3>
      {finalists.map((model) => (
        <div className="outcome-model" key={model.id}>
          {(!alone || domainsOf(model).length > 1) && <ModelTitle title={titleOf(model)} domains={domainsOf(model)} several={names.length > 1} />}
          <FinalModel
            model={model}
            domains={domainsOf(model)}
            beside={chance === undefined ? [] : [{ name: title === RANDOM ? randomName : title, value: chance, first: true }]}
          >
            {test && chance !== undefined && (
              <p className="run-hint">
                {comparison(run, key, test.value, others, title)}
                {title === RANDOM && sizesText(own, scored)}
              </p>
            )}
            {model.metrics["test_random_mean"] !== undefined && <FourNumbers metrics={model.metrics} report={sweeps.length === 1 ? sweeps[0] : undefined} />}
          </FinalModel>
        </div>
      ))}
      {separate.map((model) => (
        <div className="outcome-model" key={model.id}>
          <ModelTitle title={`for comparison: ${titleOf(model)}`} domains={domainsOf(model)} several={names.length > 1} />
          <FinalModel model={model} domains={domainsOf(model)} />
        </div>
      ))}
      {run.finish !== undefined && run.finish.sentences.length > 0 && <p className="run-hint">{run.finish.sentences.join(" ")}</p>}
      {run.test_visits.experiment > 0 && <p className="run-hint">{visitsText(run.test_visits, run.datasets.length)}</p>}
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
