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
import { scoreKey } from "../ui/score";
import "./models.css";

/** Metrics that are worth a place of their own, in this order; the others follow in the details. */
const firstOf = (model: Model) => [scoreKey(model.metrics, "test"), scoreKey(model.metrics, "val")].filter((name) => name !== null);

/** Shell first, then Python: both inside the unpacked folder, which needs torch, safetensors and numpy only. */
const shellOf = (score: string | null) => `pip install torch safetensors numpy
python evaluate.py                 # prints the ${score ? metricName(score) : "test score"} shown here
${score === "test_accuracy" ? "python predict.py picture.png      # class and probability" : "python predict.py --help           # what it takes and gives"}`;
const PYTHON = `from model import load_model
network = load_model()             # a torch.nn.Module, ready to use`;

function ModelCard({ model }: { model: Model }) {
  const { bundle } = model;
  const first = firstOf(model);
  const rest = Object.entries(model.metrics).filter(([name]) => !first.includes(name));
  return (
    <Panel
      article
      title={<Link to={paths.run(model.run)}>{model.experiment.name}</Link>}
      note={`${model.algorithm.title} · ${model.space} on ${[...new Set(model.datasets)].join(", ")} · seed ${model.seed}`}
      actions={model.role === "baseline" ? <Chip>random, for comparison</Chip> : model.index > 0 ? <Chip>finalist {model.index + 1}</Chip> : undefined}
    >
      <div className="model">
        <dl className="model-stats">
          {first.map((name) => (
            <div key={name} className={name.startsWith("test_") && model.role === "finalist" ? "stat stat-best" : "stat"}>
              <dt>{metricName(name)}</dt>
              <dd>{metric(model.metrics[name])}</dd>
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
        {bundle ? (
          <a className="button button-primary" href={modelDownloadUrl(model.id)} download>
            Download, {bytes(bundle.size)}
          </a>
        ) : (
          <span className="muted">{model.reason ? model.reason.charAt(0).toUpperCase() + model.reason.slice(1) : "There is nothing to download."}</span>
        )}
      </div>
      <details className="model-more">
        <summary>{bundle ? "How to load it, checksum, architecture" : "Architecture"}</summary>
        <div className="stack">
          {bundle && (
            <>
              <p>Unpack the download anywhere; then, in that folder:</p>
              <CodeBlock text={shellOf(scoreKey(model.metrics, "test"))} label="How to evaluate and use the model" />
              <CodeBlock text={PYTHON} label="How to load the model in Python" />
            </>
          )}
          <dl className="facts">
            {bundle && (
              <>
                <dt>SHA-256</dt>
                <dd className={bundle.sha256 ? "mono" : "muted"}>{bundle.sha256 || "known once the first download has packed the zip"}</dd>
                <dt>Size</dt>
                <dd>{exact(bundle.size)} bytes, a zip without any pickle</dd>
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
          <p>The best networks, retrained and tested once. Each download runs without NAScope and was checked in a fresh process.</p>
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
            When a search ends, its best network is retrained, tested once and put here for download.
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
