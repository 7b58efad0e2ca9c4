import { useState } from "react";
import { getModels, modelDownloadUrl } from "../api/resources";
import type { Model } from "../api/types";
import { usePages } from "../api/usePages";
import { Link } from "../app/router";
import { paths } from "../app/routes";
import { useTitle } from "../app/useTitle";
import { Button, ButtonLink } from "../ui/Button";
import { CodeBlock } from "../ui/Copy";
import { Panel } from "../ui/Panel";
import { Chip } from "../ui/StateChip";
import { Empty, Failure, Skeleton } from "../ui/States";
import { bytes, count, exact, metric, metricName, moment } from "../ui/format";
import { ClassTables, Doubts } from "../ui/ClassTable";
import { inFull, selection } from "../ui/scoreKinds";
import { BeginWith } from "./BeginWith";
import { DamagedDownload } from "./DamagedDownload";
import { ModelContents } from "./ModelContents";
import { SeedScores } from "./SeedScores";
import { isOverSeeds } from "./seedScores";
import "./models.css";

/** The three scores, the test first. */
const scoresOf = (model: Model) => [model.test_score, model.validation_score, model.search_score].filter((score) => score !== null);

/** Shell first, then Python: both inside the unpacked folder, whose requirements are torch, safetensors and numpy, and Pillow for pictures. */
const shellOf = (score: string | null) => `pip install -r requirements.txt
python predict.py sample.csv       # or sample.png, sample.npy: README.md in the folder says more
python evaluate.py                 # prints the ${score ? metricName(score) : "test score"} shown here
${score === "test_accuracy" ? "python predict.py FILE             # class and probability; --help says what FILE is" : "python predict.py --help           # what it takes and gives"}`;
const PYTHON = `from model import load_model
network = load_model()             # a torch.nn.Module, ready to use`;

/** What the `<details>` hold is loaded when they are opened for the first time. `alone`: on the model's own page, which they are part of. */
export function ModelCard({ model, alone = false }: { model: Model; alone?: boolean }) {
  const { bundle } = model;
  const [opened, setOpened] = useState(alone);
  const scores = scoresOf(model);
  const said = new Set(scores.filter((score) => score.kind !== "search").map((score) => score.metric));
  const rest = Object.entries(model.metrics).filter(([name]) => !said.has(name) && !isOverSeeds(name));
  return (
    <Panel
      article
      title={<Link to={paths.run(model.run)}>{model.experiment.name}</Link>}
      note={[model.role === "baseline" && model.title, model.algorithm.title, `${model.space} on ${[...new Set(model.datasets)].join(", ")}`, `seed ${model.seed}`].filter(Boolean).join(" · ")}
      actions={model.role === "baseline" ? <Chip>for comparison</Chip> : model.index > 0 ? <Chip>finalist {model.index + 1}</Chip> : undefined}
    >
      <div className="model">
        <dl className="model-stats">
          {scores.map((score) => (
            <div key={score.kind} className={score.kind === "test" && model.role === "finalist" ? "stat stat-best" : "stat"} title={inFull(score)}>
              <dt>
                {score.name}
                {{ test: ", once", validation: ", finished", search: ", in the search" }[score.kind]}
              </dt>
              <dd>{metric(score.value)}</dd>
              <dd className="sub">{[score.unit, score.fidelity.text, selection(score)].filter(Boolean).join(" · ")}</dd>
            </div>
          ))}
          {model.parameters !== null && (
            <div className="stat">
              <dt>parameters</dt>
              <dd title={exact(model.parameters)}>{count(model.parameters)}</dd>
            </div>
          )}
          {model.flops !== null && (
            <div className="stat">
              <dt>FLOPs per example</dt>
              <dd title="one multiplication with one addition counts two">{count(model.flops)}</dd>
            </div>
          )}
          <div className="stat">
            <dt>made</dt>
            <dd>{moment(model.created)}</dd>
          </div>
        </dl>
        {bundle?.damage ? (
          <DamagedDownload key={bundle.repair} model={model} bundle={bundle} />
        ) : bundle ? (
          <a className="button button-primary" href={modelDownloadUrl(model.id)} download>
            Download, {bytes(bundle.size)}
          </a>
        ) : (
          <span className="muted">{model.reason ? model.reason.charAt(0).toUpperCase() + model.reason.slice(1) : "There is nothing to download."}</span>
        )}
        {!alone && (
          <ButtonLink small to={paths.model(model.id)} aria-label={`Try it, curves and architecture: ${model.experiment.name}, ${model.title || "model"} ${model.index + 1}`}>
            {bundle && !bundle.damage ? "Try it" : "Its page"}
          </ButtonLink>
        )}
        <BeginWith model={model} />
      </div>
      <SeedScores model={model} />
      <Doubts warnings={model.warnings} />
      <ClassTables tables={model.by_class} />
      <details className="model-more" open={alone} onToggle={(event) => event.currentTarget.open && setOpened(true)}>
        <summary>{bundle ? "ONNX and other parts, calibration, speed, how to load it, checksum" : "Architecture"}</summary>
        <div className="stack">
          {bundle && !bundle.damage && (
            <>
              {opened && <ModelContents model={model} />}
              <p>Unpack the download anywhere; then, in that folder:</p>
              <CodeBlock text={shellOf(model.test_score?.metric ?? null)} label="How to evaluate and use the model" />
              <CodeBlock text={PYTHON} label="How to load the model in Python" />
            </>
          )}
          <dl className="facts">
            {bundle && (
              <>
                <dt>SHA-256</dt>
                <dd className={bundle.sha256 ? "mono" : "muted"}>{bundle.sha256 || "known once it is in place"}</dd>
                <dt>Size</dt>
                <dd>{exact(bundle.size)} bytes, a zip without any pickle</dd>
                <dt>Checked</dt>
                <dd>{bundle.checked ? `${moment(bundle.checked)}: ${bundle.damage || "whole"}` : "before each download"}</dd>
              </>
            )}
            <dt>Architecture</dt>
            <dd className="mono">{model.genome_hash}</dd>
            {rest.map(([name, value]) => (
              <div key={name} className="facts-pair">
                <dt>{metricName(name)}</dt>
                <dd>{metric(value)}</dd>
              </div>
            ))}
          </dl>
        </div>
      </details>
    </Panel>
  );
}

/** Every trained network of the person's runs, newest first. */
export function ModelsPage() {
  useTitle("Models");
  const pages = usePages("models", getModels, 10_000);
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>Models</h1>
          <p>Finished networks, each tested once: what a search found, and what stands beside it for comparison. Each download runs without NAScope; its score was repeated in a fresh process.</p>
        </div>
      </div>
      {pages.loading ? (
        <Skeleton lines={6} label="Loading models" />
      ) : pages.items.length === 0 && pages.error !== undefined ? (
        <Failure what="The models did not load" error={pages.error} retry={pages.reload} />
      ) : pages.items.length === 0 ? (
        <Panel>
          <Empty
            title="No models yet"
            actions={
              <ButtonLink kind="primary" to={paths.home}>
                Start a search
              </ButtonLink>
            }
          >
            When a search ends, the network that it found is finished, tested once and put here, for download where one can be made.
          </Empty>
        </Panel>
      ) : (
        pages.items.map((model) => <ModelCard key={model.id} model={model} />)
      )}
      {pages.more && (
        <div className="row">
          <Button busy={pages.loadingMore} onClick={pages.loadMore}>
            Older models
          </Button>
        </div>
      )}
    </div>
  );
}
