/** One network at the end of a run: its scores, what it costs, and its download. */
import { modelDownloadUrl } from "../api/resources";
import type { Model } from "../api/types";
import { bytes, count, metric, metricName } from "../ui/format";
import { scoreKey } from "../ui/score";

export interface Score {
  name: string;
  value: number;
  /** The score that counts. */
  first?: boolean;
  title?: string;
}

/** The scores of a network, in the order in which they matter. `domains` names the data sets of one that was tested on several. */
export function scoresOf(model: Model, domains: readonly string[]): Score[] {
  const { metrics } = model;
  const scores: Score[] = [];
  const add = (key: string, name: string, more: Partial<Score> = {}) => {
    const value = metrics[key];
    if (value !== undefined) scores.push({ name, value, ...more });
  };
  const several = domains.length > 1;
  const test = scoreKey(metrics, "test");
  const validation = scoreKey(metrics, "val");
  if (test) {
    add(test, `${several ? "mean " : ""}${metricName(test)}, once`, { first: true });
    if (several) domains.forEach((domain, place) => add(`${test}_${place + 1}`, `test, ${domain}`));
  }
  // A network that is searched by shared weights has a value of the search besides: it must be clear which of the two this is.
  if ("random_mean" in metrics) {
    add("val_accuracy", "validation, trained", { title: "with a trained weight on every edge; the search itself compares networks by shared weights" });
  } else if (validation) {
    // Beside the test accuracy it is clear what was validated.
    const name = validation === "val_accuracy" ? "validation" : metricName(validation);
    add(validation, several ? `mean ${name}` : name);
  }
  add("log_evidence", metricName("log_evidence"));
  add("reward", metricName("reward"));
  return scores;
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

/** `beside` are scores of others that belong next to this one's. */
export function FinalModel({ model, domains, beside = [], children }: { model: Model; domains: string[]; beside?: Score[]; children?: React.ReactNode }) {
  const [first, ...rest] = scoresOf(model, domains);
  const finalist = model.role === "finalist";
  return (
    <>
      <dl className="outcome-scores">
        {[...(first ? [first] : []), ...beside, ...rest].map((score) => (
          <div key={score.name} title={score.title}>
            <dt>{score.name}</dt>
            <dd
              className={score.first && finalist && !beside.includes(score) ? "outcome-test" : undefined}
              data-testid={beside.includes(score) || !finalist ? (score.first ? "baseline-accuracy" : undefined) : score.first ? "test-accuracy" : undefined}
            >
              {metric(score.value)}
            </dd>
          </div>
        ))}
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
      {children}
      {(finalist || model.bundle) && <Download model={model} />}
    </>
  );
}
