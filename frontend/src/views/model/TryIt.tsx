/** A box in which a finished model is asked: what it takes is given, a worker answers with the model's own download. */
import { getModelInput } from "../../api/resources";
import type { ModelInput } from "../../api/types";
import { useResource } from "../../api/useResource";
import { Button } from "../../ui/Button";
import { Failure, Skeleton } from "../../ui/States";
import { Answer } from "./Answer";
import { GiveArray } from "./GiveArray";
import { GivePicture } from "./GivePicture";
import { GiveRow } from "./GiveRow";
import type { Given } from "./give";
import { useQuestion, type Question } from "./useQuestion";
import "../data/data.css";
import "./try.css";

const GIVE = { picture: GivePicture, row: GiveRow, series: GiveArray, array: GiveArray };

export function TryIt({ model }: { model: string }) {
  const input = useResource(`input ${model}`, (signal) => getModelInput(model, signal));
  if (input.error !== undefined) return <Failure what="What the model takes did not load" error={input.error} retry={input.reload} />;
  if (!input.data) return <Skeleton lines={3} label="Loading what the model takes" />;
  if (!input.data.form) return <p className="muted">It cannot be tried here: {input.data.reason}.</p>;
  return <Box model={model} input={input.data} form={input.data.form} />;
}

function Box({ model, input, form }: { model: string; input: ModelInput; form: NonNullable<ModelInput["form"]> }) {
  const { question, ask, cancel } = useQuestion(model);
  const Give = GIVE[form.kind];
  const busy = question.state === "sending" || question.state === "waiting";
  return (
    <div className="try">
      <Give input={input} busy={busy} onAsk={({ file, name, invert }: Given) => ask(file, name, invert)} />
      <div className="try-answer" aria-live="polite">
        {busy && <Waiting question={question} onCancel={cancel} />}
        {question.state === "none" && <p className="muted">The answer comes here. What you give is used for it and deleted; a worker computes it with the files of the download.</p>}
        {question.state === "failed" && (
          <p className="error-text" role="alert">
            {sentence(question.reason)}
          </p>
        )}
        {question.state === "answered" && question.prediction.result && <Answer answered={question.prediction.result} form={form} sample={question.sample} />}
      </div>
    </div>
  );
}

function Waiting({ question, onCancel }: { question: Question; onCancel: () => void }) {
  const prediction = question.state === "waiting" ? question.prediction : null;
  const words = !prediction ? "Sending" : prediction.state === "running" ? "A worker answers; the first answer of a worker takes a few seconds, the next ones less" : `Waiting: ${prediction.waiting}`;
  return (
    <div className="row">
      <span role="status">{words}.</span>
      <Button small onClick={onCancel}>
        Cancel
      </Button>
    </div>
  );
}

const sentence = (text: string) => {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
};
