/** A data set of the registry: what it is, examples, how its values are spread, what uses it. */
import { askDatasetLook, getDatasets } from "../../api/resources";
import type { Dataset, DatasetLook } from "../../api/types";
import { useResource } from "../../api/useResource";
import { paths } from "../../app/routes";
import { useTitle } from "../../app/useTitle";
import { ButtonLink } from "../../ui/Button";
import { Doubts } from "../../ui/ClassTable";
import { FigureTable } from "../../ui/FigureTable";
import { Panel } from "../../ui/Panel";
import { Empty, Failure, Skeleton } from "../../ui/States";
import { exact } from "../../ui/format";
import { measured } from "../../ui/figures";
import { Balance } from "./Balance";
import { DatasetFacts } from "./DatasetFacts";
import { Samples } from "./Samples";
import { Uses } from "./Uses";
import { shapeWords } from "./dataText";

const ASK_MS = 1000;

function Seen({ look }: { look: NonNullable<DatasetLook["result"]> }) {
  const rows = look.features.map(({ name, ...values }) => [name, ...[values.mean, values.std, values.least, values.largest].map(measured)]);
  return (
    <>
      <Panel title="Examples" note="of the training part; nobody looks at the test part">
        <div className="stack">
          <Samples samples={look.samples} columns={look.features.map((feature) => feature.name)} target={look.task === "classification" ? "class" : "target"} />
          <Doubts warnings={look.notices} />
        </div>
      </Panel>
      <Panel title="Statistics" note={`${shapeWords(look.kind, look.shape)}; ${exact(look.train)} to train, ${exact(look.validation)} to validate`} flush>
        {look.balance.length > 0 && (
          <Balance head={look.task === "classification" ? "Class" : "Target"} parts={["Training", "Validation"]} rows={look.balance.map(({ name, train, validation }) => ({ name, counts: [train, validation] }))} />
        )}
        <FigureTable figures={{ title: "Values in the training part", head: [look.kind === "vector" ? "Feature" : "Channel", "mean", "deviation", "least", "largest"], rows }} className="data-figures" />
        {look.features_left > 0 && <p className="muted small data-figures">and {exact(look.features_left)} more features</p>}
      </Panel>
    </>
  );
}

function Look({ dataset }: { dataset: Dataset }) {
  const look = useResource(`look ${dataset.id}`, (signal) => askDatasetLook(dataset.id, signal));
  const waiting = look.data !== undefined && (look.data.state === "queued" || look.data.state === "running");
  const again = useResource(waiting ? `look again ${dataset.id}` : null, (signal) => askDatasetLook(dataset.id, signal), ASK_MS);
  const now = again.data ?? look.data;
  if (look.error !== undefined && !now) return <Failure what="Examples did not load" error={look.error} retry={look.reload} />;
  if (now?.state === "failed") return <Empty title="It could not be looked at">{now.reason}</Empty>;
  if (!now?.result) return <Skeleton lines={5} label="A worker looks at the data" />;
  return <Seen look={now.result} />;
}

export function BuiltInPage({ id }: { id: string }) {
  const datasets = useResource("datasets", getDatasets);
  const dataset = datasets.data?.find((item) => item.id === id);
  useTitle(dataset?.title ?? "Data");
  if (datasets.loading) return <Skeleton lines={8} label="Loading the data set" />;
  if (datasets.error !== undefined) return <Failure what="The data set did not load" error={datasets.error} retry={datasets.reload} />;
  if (!dataset) {
    return (
      <Empty heading="h1" title="There is no such data set" actions={<ButtonLink to={paths.data}>All data sets</ButtonLink>}>
        It may have been removed, or belong to somebody else.
      </Empty>
    );
  }
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>{dataset.title}</h1>
          <p>
            <code>{dataset.id}</code>
          </p>
        </div>
        {dataset.available && (
          <div className="actions">
            <ButtonLink kind="primary" to={paths.newExperiment({ dataset: dataset.id })}>
              Search on it
            </ButtonLink>
          </div>
        )}
      </div>
      <Panel title="What it is">
        <DatasetFacts dataset={dataset} />
      </Panel>
      {dataset.available && dataset.provides === "samples" && <Look dataset={dataset} />}
      <Panel title="What uses it" flush>
        <Uses dataset={dataset.id} />
      </Panel>
    </div>
  );
}
