/** The end of a run: what was found, what it scores on data nobody had seen, how that compares with chance, and the download. */
import { modelDownloadUrl } from "../api/resources";
import type { Model, Run } from "../api/types";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import { bytes, count, metric } from "../ui/format";

/** On these data nearly every architecture of these spaces is good: a comparison there says little about a search. */
const EASY = new Set(["digits", "mnist"]);

function comparison(run: Run, own: number, other: number): string {
  const gap = own - other;
  const size = Math.abs(gap) < 0.0005 ? "as good as" : `${Math.abs(100 * gap).toFixed(1)} points ${gap > 0 ? "better than" : "worse than"}`;
  const easy = run.datasets.some((name) => EASY.has(name));
  return `The best architecture is ${size} a random one that was trained in the same way.${
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

export function Outcome({ run, store }: { run: Run; store: RunStore }) {
  useTopic(store, "end");
  const own = run.models.find((model) => model.role === "finalist");
  if (!own) return null;
  const other = run.models.find((model) => model.role === "baseline");
  const test = own.metrics["test_accuracy"];
  const chance = other?.metrics["test_accuracy"];
  const table = own.metrics["reward"];
  return (
    <section className="card outcome" aria-label="Result">
      <h3>Result</h3>
      <dl className="outcome-scores">
        {test !== undefined && (
          <div>
            <dt>test accuracy, once</dt>
            <dd className="outcome-test" data-testid="test-accuracy">{metric(test)}</dd>
          </div>
        )}
        {chance !== undefined && (
          <div>
            <dt>random architecture</dt>
            <dd data-testid="baseline-accuracy">{metric(chance)}</dd>
          </div>
        )}
        {own.metrics["val_accuracy"] !== undefined && (
          <div>
            <dt>validation</dt>
            <dd>{metric(own.metrics["val_accuracy"])}</dd>
          </div>
        )}
        {table !== undefined && (
          <div>
            <dt>reward</dt>
            <dd>{metric(table)}</dd>
          </div>
        )}
        {own.parameters !== null && (
          <div>
            <dt>parameters</dt>
            <dd>{count(own.parameters)}</dd>
          </div>
        )}
        {own.flops !== null && (
          <div>
            <dt>FLOPs (2×MACs)</dt>
            <dd>{count(own.flops)}</dd>
          </div>
        )}
      </dl>
      {test !== undefined && chance !== undefined && <p className="run-hint">{comparison(run, test, chance)}</p>}
      {own.metrics["random_mean"] !== undefined && <FourNumbers metrics={own.metrics} />}
      <Download model={own} />
    </section>
  );
}
