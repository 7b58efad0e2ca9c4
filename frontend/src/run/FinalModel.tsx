/** One network at the end of a run: its scores, what it costs, and its download. */
import { modelDownloadUrl } from "../api/resources";
import type { Model } from "../api/types";
import { paths } from "../app/routes";
import type { Score } from "../types/events.gen";
import { ButtonLink } from "../ui/Button";
import { ClassTables, Doubts } from "../ui/ClassTable";
import { bytes, count, metric } from "../ui/format";
import { inFull, selection } from "../ui/scoreKinds";
import { BeginWith } from "../views/BeginWith";
import { DamagedDownload } from "../views/DamagedDownload";
import { SeedScores } from "../views/SeedScores";
import { ModelAssessment } from "./assessment/ModelAssessment";

export interface Shown {
  name: string;
  value: number;
  /** The score that counts. */
  first?: boolean;
  /** What it takes to read the number. */
  title?: string;
  note?: string;
}

const shown = (score: Score, name: string, first = false): Shown => ({
  name, value: score.value, first, title: inFull(score), note: [score.unit, score.fidelity.text, selection(score)].filter(Boolean).join(" · "),
});

/** The scores of a network, in the order in which they matter. `domains` names the data sets of one that was tested on several. */
export function scoresOf(model: Model, domains: readonly string[]): Shown[] {
  const { metrics, test_score: test, validation_score: validation, search_score: search } = model;
  const scores: Shown[] = [];
  if (test) {
    scores.push(shown(test, `${test.name}, once`, true));
    if (domains.length > 1)
      domains.forEach((domain, place) => {
        const value = metrics[`${test.metric}_${place + 1}`];
        if (value !== undefined) scores.push({ name: `test, ${domain}`, value, note: test.unit });
      });
  }
  if (validation) scores.push(shown(validation, `${validation.name}, finished`));
  if (search) scores.push(shown(search, `${search.name}, in the search`));
  return scores;
}

function Download({ model }: { model: Model }) {
  if (!model.bundle) return model.reason ? <p className="run-hint">No download: {model.reason}.</p> : null;
  if (model.bundle.damage) return <DamagedDownload key={model.bundle.repair} model={model} bundle={model.bundle} />;
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
export function FinalModel({ model, domains, beside = [], children }: { model: Model; domains: string[]; beside?: Shown[]; children?: React.ReactNode }) {
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
            {score.note && <dd className="outcome-note">{score.note}</dd>}
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
      <SeedScores model={model} />
      <Doubts warnings={model.warnings} />
      <ClassTables tables={model.by_class} />
      {finalist && <ModelAssessment model={model} domains={domains} />}
      {children}
      {(finalist || model.bundle) && <Download model={model} />}
      {model.bundle && !model.bundle.damage && (
        <ButtonLink small to={paths.model(model.id)}>
          Try it
        </ButtonLink>
      )}
      <BeginWith model={model} />
    </>
  );
}
