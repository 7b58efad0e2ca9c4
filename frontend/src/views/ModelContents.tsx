/** The files of a download that can be had alone, whether the model's probabilities are true, and how fast it answers. */
import { getModelContents, modelDownloadUrl } from "../api/resources";
import type { Model, ModelContents as Contents } from "../api/types";
import { useResource } from "../api/useResource";
import { PlotGrid } from "../plots/PlotCard";
import { Failure } from "../ui/States";
import { bytes, exact, metric } from "../ui/format";
import { reliability } from "./reliability";

const WHAT = {
  onnx: "ONNX: other runtimes, raw inputs, names of classes inside",
  program: "torch.export: PyTorch without the model's code",
  card: "model card, in the form of the Hugging Face hub",
};

/** Seconds of a pass, short ones in thousandths. */
const passed = (seconds: number) => (seconds < 1 ? `${metric(seconds * 1000)} ms` : `${metric(seconds)} s`);

/** "0.51 ms (0.49 to 0.6 ms)": the middle, and between what half of the passes lie. */
function spread({ seconds, low, high }: NonNullable<Contents["latency"]>["one"]): string {
  return low == null || high == null ? passed(seconds) : `${passed(seconds)} (${passed(low)} to ${passed(high)})`;
}

function Speed({ latency }: { latency: NonNullable<Contents["latency"]> }) {
  const { one, many, threads, processor } = latency;
  return (
    <p>
      One example took {spread(one)}, {exact(many.examples)} together {spread(many)}: medians{one.low == null ? "" : " and quartiles"} of {exact(one.repeats)} and {exact(many.repeats)} passes on the
      machine that made it ({processor}, {exact(threads)} thread{threads === 1 ? "" : "s"}, no GPU).
    </p>
  );
}

export function ModelContents({ model }: { model: Model }) {
  const contents = useResource(`contents ${model.id}`, (signal) => getModelContents(model.id, signal));
  if (contents.error) return <Failure what="What the download holds did not load" error={contents.error} retry={contents.reload} />;
  if (!contents.data) return null;
  const { parts, calibration, latency } = contents.data;
  return (
    <section className="stack" aria-label="Parts of the download, calibration and speed">
      {parts.length > 0 && (
        <ul className="model-parts" aria-label="Files of the download, alone">
          {parts.map(({ part, file, size }) => (
            <li key={part}>
              <a href={modelDownloadUrl(model.id, part)} download>
                {file}
              </a>
              , {bytes(size)}: {WHAT[part]}
            </li>
          ))}
        </ul>
      )}
      {latency ? <Speed latency={latency} /> : <p className="muted">How fast it answers was not measured when it was made.</p>}
      {!calibration && model.metrics["test_accuracy"] !== undefined && <p className="muted">Whether its probabilities are true was not measured at its visit to the test part.</p>}
      {calibration && (
        <>
          <p>
            Expected calibration error on the test part: {metric(calibration.error)}. It is 0 where the probability of every answer is how often such answers are right.
          </p>
          <PlotGrid plots={[reliability(calibration)]} />
        </>
      )}
    </section>
  );
}
