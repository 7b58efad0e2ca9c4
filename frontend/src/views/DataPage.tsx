import { getDatasets } from "../api/resources";
import type { Dataset } from "../api/types";
import { useResource } from "../api/useResource";
import { paths } from "../app/routes";
import { useTitle } from "../app/useTitle";
import { ButtonLink } from "../ui/Button";
import { Doubts } from "../ui/ClassTable";
import { CodeBlock } from "../ui/Copy";
import { Panel } from "../ui/Panel";
import { Chip } from "../ui/StateChip";
import { Failure, Skeleton } from "../ui/States";
import { exact, metricName, plural } from "../ui/format";
import { linkified } from "../ui/linkified";
import { noSamples, targetsText } from "./datasetText";

const PROVIDES: Record<Dataset["provides"], string> = {
  samples: "examples to train on",
  table: "results from a table, so nothing is trained",
  objective: "a reward for each architecture, so nothing is trained",
};

function shapeText(dataset: Dataset): string {
  if (dataset.input_kind === "none") return noSamples(dataset);
  if (!dataset.shape) return "known once the files are read";
  const { input } = dataset.shape;
  const channels = plural(input[0] ?? 0, "channel");
  const forms: Record<Dataset["input_kind"], string> = {
    image: `${input[1]} × ${input[2]} pixels, ${channels}`, series: `${plural(input[1] ?? 0, "moment")}, ${channels}`, vector: `${input.join(" × ")} features`, none: "",
  };
  const form = forms[dataset.input_kind];
  return `${form}; ${targetsText(dataset)}`;
}

function DatasetPanel({ dataset }: { dataset: Dataset }) {
  const sizes = Object.entries(dataset.sizes);
  return (
    <Panel
      article
      title={dataset.title}
      note={<code>{dataset.id}</code>}
      actions={
        dataset.available ? (
          <>
            <Chip tone="good">available</Chip>
            <ButtonLink small to={paths.newExperiment({ dataset: dataset.id })}>
              Search on it
            </ButtonLink>
          </>
        ) : (
          <Chip tone="warn">files missing</Chip>
        )
      }
    >
      <div className="stack">
        <p>{dataset.description}</p>
        {dataset.notice && <Doubts warnings={[dataset.notice]} />}
        <dl className="facts">
          <dt>Gives</dt>
          <dd>{PROVIDES[dataset.provides] ?? dataset.provides}</dd>
          <dt>Input</dt>
          <dd>{shapeText(dataset)}</dd>
          {sizes.length > 0 && (
            <>
              <dt>Sizes, as declared</dt>
              <dd>{sizes.map(([name, size]) => `${exact(size)} ${name}`).join(", ")}</dd>
            </>
          )}
          <dt>Chosen by</dt>
          <dd>{metricName(dataset.metric)}</dd>
          <dt>Licence</dt>
          <dd>{dataset.licence}</dd>
          <dt>Source</dt>
          <dd>{linkified(dataset.source)}</dd>
        </dl>
        {!dataset.available && (
          <div className="stack">
            <p>
              Put {dataset.missing_files.length === 1 ? "this file" : "these files"} into the data folder. That is the folder named by{" "}
              <code>NASCOPE_DATA</code>, or <code>var/data</code> where it is not set.
            </p>
            <CodeBlock text={dataset.missing_files.join("\n")} label={`Missing files of ${dataset.title}`} />
          </div>
        )}
      </div>
    </Panel>
  );
}

export function DataPage() {
  useTitle("Data");
  const datasets = useResource("datasets", getDatasets);
  const sorted = [...(datasets.data ?? [])].sort((a, b) => Number(b.available) - Number(a.available));
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>Data</h1>
          <p>Training data fit the weights, validation data choose the structure, and the test part is opened once, at the end of a run.</p>
        </div>
      </div>
      {datasets.loading && <Skeleton lines={6} label="Loading data sets" />}
      {datasets.error !== undefined && <Failure what="The data sets did not load" error={datasets.error} retry={datasets.reload} />}
      {sorted.map((dataset) => (
        <DatasetPanel key={dataset.id} dataset={dataset} />
      ))}
    </div>
  );
}
