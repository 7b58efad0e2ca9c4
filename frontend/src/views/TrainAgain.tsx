/** A finished model's architecture trained again: longer, on more, several times, as an ensemble. The button, and the form behind it. */
import { useId, useState } from "react";
import { messageOf } from "../api/problem";
import { createExperiment, getRetraining } from "../api/resources";
import type { Model, Retraining } from "../api/types";
import { useResource } from "../api/useResource";
import { navigate } from "../app/router";
import { paths } from "../app/routes";
import { NumberInput } from "../schema/inputs";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { Segmented } from "../ui/Segmented";
import { Failure, Skeleton } from "../ui/States";
import { about, exact, plural } from "../ui/format";
import { newKey } from "./newKey";
import { useEstimate } from "./new/useChecks";
import { bodyOf, canBeTrained, choicesOf, lengthProblem, MOST_SEEDS, newVisits, takenBack, TIMES, type Choices } from "./retraining";
import "./retrain.css";

/** Of finalists that are networks: what stands beside them for comparison is nobody's model, and a table's answer was never trained. */
export function TrainAgain({ model }: { model: Model }) {
  const [open, setOpen] = useState(false);
  if (!canBeTrained(model)) return null;
  return (
    <>
      <Button small title="Longer, on more data, several times, or as an ensemble" onClick={() => setOpen(true)}>
        Train it again
      </Button>
      {open && <TrainAgainDialog model={model} onClose={() => setOpen(false)} />}
    </>
  );
}

function TrainAgainDialog({ model, onClose }: { model: Model; onClose: () => void }) {
  const offered = useResource(`retraining ${model.id}`, (signal) => getRetraining(model.id, signal));
  const close = <Button onClick={onClose}>Close</Button>;
  if (offered.error !== undefined && !offered.data)
    return (
      <Dialog title="Train it again" onClose={onClose} actions={close}>
        <Failure what="What it takes to train it again did not load" error={offered.error} retry={offered.reload} />
      </Dialog>
    );
  if (!offered.data)
    return (
      <Dialog title="Train it again" onClose={onClose} actions={close}>
        <Skeleton lines={4} label="Loading how it was trained" />
      </Dialog>
    );
  if (!offered.data.body)
    return (
      <Dialog title="Train it again" onClose={onClose} actions={close}>
        <p>This model cannot be trained again: {offered.data.reason}.</p>
      </Dialog>
    );
  return <TrainAgainForm offered={offered.data} onClose={onClose} />;
}

/** 600 ms of stillness are in `useEstimate`: typing asks once. */
export function TrainAgainForm({ offered, onClose }: { offered: Retraining; onClose: () => void }) {
  const [choices, setChoices] = useState<Choices>(() => choicesOf(offered));
  const [key] = useState(newKey);
  const [busy, setBusy] = useState(false);
  const [failed, setFailed] = useState<string | null>(null);
  const id = useId();
  const { length } = offered;
  const wrong = length ? lengthProblem(choices.length, length.unit) : null;
  const body = wrong === null ? bodyOf(offered, choices) : null;
  const { estimate, error } = useEstimate(body);
  const change = (changes: Partial<Choices>) => {
    setFailed(null);
    setChoices((old) => ({ ...old, ...changes }));
  };
  const times = TIMES.find((factor) => length && choices.length === Number(factor) * length.count) ?? "other";
  const back = takenBack(offered);
  const visits = newVisits(choices);
  const start = async () => {
    if (body === null) return;
    setBusy(true);
    try {
      // Another choice is another request: only a repeated one is the same experiment.
      const made = await createExperiment(body, `${key}-${JSON.stringify(choices).replace(/\W/g, "")}`);
      navigate(paths.experiment(made.id));
    } catch (problem) {
      setFailed(messageOf(problem));
      setBusy(false);
    }
  };
  return (
    <Dialog
      title="Train it again"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="primary" busy={busy} disabled={body === null} onClick={() => void start()}>
            Train it
          </Button>
        </>
      }
    >
      <form
        className="retrain"
        onSubmit={(event) => {
          event.preventDefault();
          void start();
        }}
      >
        <p className="muted">{offered.weights_note} Data, their division and the recipe are those of the model's own training.</p>
        <fieldset>
          <legend>How long</legend>
          {length ? (
            <div className="retrain-length">
              <Segmented
                label="How many times as long"
                value={times}
                options={[...TIMES.map((factor) => ({ value: factor as string, label: factor === "1" ? "as before" : `× ${factor}` })), { value: "other", label: "other", disabled: times !== "other" }]}
                onChange={(factor) => change({ length: Number(factor) * length.count })}
              />
              <label htmlFor={`${id}-length`}>{length.unit}</label>
              <NumberInput id={`${id}-length`} integer value={choices.length} invalid={wrong !== null} describedBy={`${id}-wrong`} onChange={(value) => change({ length: value as number })} />
            </div>
          ) : (
            <p className="muted">{offered.length_note}</p>
          )}
          <p id={`${id}-wrong`} className="retrain-error small" role="status">
            {wrong !== null && `Length: ${wrong}.`}
          </p>
        </fieldset>
        <fieldset>
          <legend>On what</legend>
          <label className="check">
            <input type="checkbox" checked={choices.both} onChange={(event) => change({ both: event.target.checked })} />
            <span>the training and the validation part together</span>
          </label>
          {choices.both && (
            <p className="muted small">
              No validation score is left: the test score, taken once of each network, is the only one.{back !== null && ` Taken back: ${back}.`}
            </p>
          )}
        </fieldset>
        <fieldset>
          <legend>How often</legend>
          <label className="check" htmlFor={`${id}-seeds`}>
            <select id={`${id}-seeds`} className="select" value={choices.seeds} onChange={(event) => change({ seeds: Number(event.target.value) })}>
              {Array.from({ length: MOST_SEEDS }, (_, place) => (
                <option key={place} value={place + 1}>
                  {place === 0 ? "once" : `${place + 1} times`}
                </option>
              ))}
            </select>
            <span>each from a seed of its own</span>
          </label>
          <label className="check">
            <input type="checkbox" disabled={choices.seeds === 1} checked={choices.ensemble && choices.seeds > 1} onChange={(event) => change({ ensemble: event.target.checked })} />
            <span>as an ensemble: one model that answers with the mean of them all</span>
          </label>
          {choices.seeds > 1 && !choices.ensemble && (
            <p className="muted small">The download is {choices.both ? "the first of them, since no validation score is left to choose by" : "the one with the best validation score"}.</p>
          )}
        </fieldset>
        <div role="status">
          <p>
            {wrong !== null ? "" : error !== null ? `No estimate: ${error}` : estimate?.state === "done" ? `It takes ${about(estimate.result?.total_seconds)} on this machine.` : "Estimating how long it takes."}
          </p>
          {offered.visits && (
            <p className="muted small">
              {plural(offered.visits.data, "finished network")} of your runs {offered.visits.data === 1 ? "was" : "were"} scored on the test part of {offered.visits.part} so far; this adds {exact(visits)}.
            </p>
          )}
        </div>
        {failed !== null && (
          <p className="retrain-error" role="alert">
            {failed}
          </p>
        )}
      </form>
    </Dialog>
  );
}
