/** The end of a run: what was found, what it scores on data nobody had seen, how that compares with chance, and the download. */
import { modelDownloadUrl } from "../api/resources";
import type { Model, Run } from "../api/types";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import { bytes, count, metric } from "../ui/format";
import { ControlTable } from "./ControlTable";
import { resultsOf, type Rival } from "./results";

/** On these data nearly every architecture of these spaces is good: a comparison there says little about a search. */
const EASY = new Set(["digits", "mnist"]);

function comparison(run: Run, own: number, other: number, name: string): string {
  const gap = own - other;
  const size = Math.abs(gap) < 0.0005 ? "as good as" : `${Math.abs(100 * gap).toFixed(1)} points ${gap > 0 ? "better than" : "worse than"}`;
  const easy = run.datasets.some((item) => EASY.has(item));
  return `The best architecture is ${size} ${name}.${
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

/** One network for several data sets: its score on each. */
function ByDataset({ run, model, domains, rivals }: { run: Run; model: Model; domains: readonly number[]; rivals: readonly Rival[] }) {
  const name = (place: number) => `test_accuracy_${place + 1}`;
  if (domains.length < 2 || model.metrics[name(0)] === undefined) return null;
  const beside = rivals.filter((rival) => rival.model.metrics[name(0)] !== undefined);
  return (
    <table className="four-numbers">
      <caption>Test accuracy on each data set</caption>
      {beside.length > 0 && (
        <thead>
          <tr>
            <td />
            <th scope="col">found</th>
            {beside.map((rival) => (
              <th scope="col" key={rival.model.id} title={rival.title}>
                {rival.short}
              </th>
            ))}
          </tr>
        </thead>
      )}
      <tbody>
        {domains.map((domain, place) => (
          <tr key={domain}>
            <th scope="row">{run.datasets[domain] ?? `data set ${domain + 1}`}</th>
            <td>{metric(model.metrics[name(place)])}</td>
            {beside.map((rival) => (
              <td key={rival.model.id}>{metric(rival.model.metrics[name(place)])}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Download({ model }: { model: Model }) {
  if (!model.bundle) return model.reason ? <p className="run-hint">No download: {model.reason}.</p> : null;
  return (
    <div className="outcome-download">
      <a className="button button-primary" href={modelDownloadUrl(model.id)} download>
        Download
      </a>
      <span>
        zip, {bytes(model.bundle.size)}: readable PyTorch code, weights, evaluation script
        {model.bundle.sha256 && <code title={model.bundle.sha256}>sha256 {model.bundle.sha256.slice(0, 16)}…</code>}
      </span>
    </div>
  );
}

function Scores({ model, rivals, joint }: { model: Model; rivals: readonly Rival[]; joint: boolean }) {
  const test = model.metrics["test_accuracy"];
  const reward = model.metrics["reward"];
  return (
    <dl className="outcome-scores">
      {test !== undefined && (
        <div>
          <dt>{joint ? "test accuracy, mean" : "test accuracy, once"}</dt>
          <dd className="outcome-test" data-testid="test-accuracy">{metric(test)}</dd>
        </div>
      )}
      {rivals.map(
        (rival) =>
          rival.model.metrics["test_accuracy"] !== undefined && (
            <div key={rival.model.id}>
              <dt title={rival.title}>{rival.short}</dt>
              <dd data-testid="baseline-accuracy">{metric(rival.model.metrics["test_accuracy"])}</dd>
            </div>
          ),
      )}
      {model.metrics["val_accuracy"] !== undefined && (
        <div>
          <dt>validation</dt>
          <dd>{metric(model.metrics["val_accuracy"])}</dd>
        </div>
      )}
      {reward !== undefined && (
        <div>
          <dt>reward</dt>
          <dd>{metric(reward)}</dd>
        </div>
      )}
      {model.parameters !== null && (
        <div>
          <dt>parameters</dt>
          <dd>{count(model.parameters)}</dd>
        </div>
      )}
      {model.flops !== null && (
        <div>
          <dt>FLOPs (2×MACs)</dt>
          <dd>{count(model.flops)}</dd>
        </div>
      )}
    </dl>
  );
}

export function Outcome({ run, store }: { run: Run; store: RunStore }) {
  useTopic(store, "end");
  const results = resultsOf(run, store.finalists);
  const controls = store.controls.map((item) => item.data);
  if (results.length === 0 && controls.length === 0) return null;
  return (
    <>
      {results.map(({ model, title, domains, rivals }) => {
        const [first] = rivals;
        const test = model.metrics["test_accuracy"];
        const chance = first?.model.metrics["test_accuracy"];
        return (
          <section className="card outcome" aria-label={results.length > 1 ? `Result: ${title}` : "Result"} key={model.id}>
            <h3>
              Result{results.length > 1 && <span> {title}</span>}
            </h3>
            <Scores model={model} rivals={rivals} joint={domains.length > 1} />
            <ByDataset run={run} model={model} domains={domains} rivals={rivals} />
            {test !== undefined && chance !== undefined && <p className="run-hint">{comparison(run, test, chance, first?.random ? "a random one that was trained in the same way" : `the baseline “${first?.short}”`)}</p>}
            {model.metrics["random_mean"] !== undefined && <FourNumbers metrics={model.metrics} />}
            <Download model={model} />
          </section>
        );
      })}
      {controls.length > 0 && <ControlTable controls={controls} />}
    </>
  );
}
