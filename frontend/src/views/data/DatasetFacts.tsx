/** What a data set of the registry is, and where its missing files belong. */
import type { Dataset } from "../../api/types";
import { Doubts } from "../../ui/ClassTable";
import { CodeBlock } from "../../ui/Copy";
import { exact, metricName } from "../../ui/format";
import { linkified } from "../../ui/linkified";
import { noSamples, targetsText } from "../datasetText";

const PROVIDES: Record<Dataset["provides"], string> = {
  samples: "examples to train on",
  table: "results from a table, so nothing is trained",
  objective: "a reward for each architecture, so nothing is trained",
};

function shapeText(dataset: Dataset): string {
  if (dataset.input_kind === "none") return noSamples(dataset);
  if (!dataset.shape) return "known once the files are read";
  const { input } = dataset.shape;
  const form =
    input.length === 3
      ? `${input[1]} × ${input[2]} pixels, ${input[0]} ${input[0] === 1 ? "channel" : "channels"}`
      : input.length === 2
        ? `${input[0]} ${input[0] === 1 ? "channel" : "channels"} of ${input[1]} moments`
        : input.join() === "1" ? "1 feature" : `${input.join(" × ")} features`;
  return `${form}; ${targetsText(dataset)}`;
}

export function DatasetFacts({ dataset }: { dataset: Dataset }) {
  const sizes = Object.entries(dataset.sizes);
  return (
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
            Put {dataset.missing_files.length === 1 ? "this file" : "these files"} into the data folder. That is the folder named by <code>NASCOPE_DATA</code>, or{" "}
            <code>var/data</code> where it is not set.
          </p>
          <CodeBlock text={dataset.missing_files.join("\n")} label={`Missing files of ${dataset.title}`} />
        </div>
      )}
    </div>
  );
}
