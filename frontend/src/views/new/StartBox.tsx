import type { ReactNode } from "react";
import { Button } from "../../ui/Button";
import { about, bytes, count, plural } from "../../ui/format";
import { unitText } from "../experimentText";
import { fieldId } from "../../schema/SchemaForm";
import type { EstimateState } from "./useChecks";

interface StartBoxProps {
  runs: number;
  algorithms: number;
  seeds: number;
  problems: [path: string, message: string][];
  /** The name of a path in words. */
  nameOf: (path: string) => string;
  checking: boolean;
  serverError: string | null;
  estimate: EstimateState;
  /** What to know before the start although nothing is wrong. */
  advice: string[];
  busy: boolean;
  onStart: () => void;
}

function Estimate({ state }: { state: EstimateState }) {
  const { estimate, error } = state;
  if (error !== null) return <p className="muted small">No estimate: {error}</p>;
  if (estimate === null) return <p className="muted small">Estimating</p>;
  if (estimate.state === "queued") return <p className="muted small">Waiting for a worker to estimate</p>;
  if (estimate.state === "running") return <p className="muted small">A worker measures a few steps</p>;
  const runs = estimate.result?.runs ?? [];
  const samples = runs.reduce((sum, run) => sum + (run.samples ?? 0), 0);
  const trials = runs.reduce((sum, run) => sum + (run.trials ?? 0), 0);
  const neediest = runs.flatMap((run) => run.unit ?? []).sort((a, b) => b.memory - a.memory)[0];
  const notes = [...new Set(runs.map((run) => run.note).filter(Boolean))];
  return (
    <>
      <p className="estimate-time">{about(estimate.result?.total_seconds)}</p>
      <p className="muted small">
        on this machine
        {samples > 0 && `, ${count(samples)} samples`}
        {trials > 0 && `, ${plural(trials, "trial")}`}
      </p>
      {neediest && (
        <p className="muted small">
          One {neediest.what} takes {bytes(neediest.memory)} of memory and {unitText("flops", neediest.flops)}
        </p>
      )}
      {notes.map((note) => (
        <p key={note} className="muted small">
          {note}
        </p>
      ))}
    </>
  );
}

/** What the estimate found in the data that a person should know before believing a score on them. */
function AboutData({ state: { estimate }, seeds }: { state: EstimateState; seeds: number }) {
  const said = estimate?.result?.data ?? [];
  if (said.length === 0) return null;
  const seed = estimate?.result?.runs[0]?.seed;
  return (
    <Sentences title="About the data" sentences={said}>
      {seeds > 1 && seed !== undefined && <p className="muted small">As seed {seed} divides training and validation data; other seeds divide them otherwise.</p>}
    </Sentences>
  );
}

/** A titled part of the box that says something before the start. `label` names its list where the title alone would not. */
function Sentences({ title, label = title, sentences, children }: { title: string; label?: string; sentences: readonly string[]; children?: ReactNode }) {
  return (
    <div className="start-box-part advice">
      <p className="strong small">{title}</p>
      <ul aria-label={label}>
        {sentences.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      {children}
    </div>
  );
}

/** What will be started, what it will cost, what still is in the way. */
export function StartBox({ runs, algorithms, seeds, problems, nameOf, checking, serverError, estimate, advice, busy, onStart }: StartBoxProps) {
  const blocked = problems.length > 0;
  return (
    <aside className="start-box panel" aria-label="Start">
      <div className="start-box-part">
        <p className="strong">{plural(runs, "run")}</p>
        <p className="muted small">
          {plural(algorithms, "algorithm")} × {plural(seeds, "seed")}
        </p>
      </div>
      <div className="start-box-part" aria-live="polite">
        {blocked ? (
          <>
            <p className="error-text strong">{plural(problems.length, "thing")} to put right</p>
            <ul className="problem-list">
              {problems.slice(0, 6).map(([path, message]) => (
                <li key={path}>
                  <a
                    href={`#${fieldId(path)}`}
                    onClick={(event) => {
                      event.preventDefault();
                      document.getElementById(fieldId(path))?.focus();
                    }}
                  >
                    {nameOf(path)}
                  </a>{" "}
                  <span className="muted">{message}</span>
                </li>
              ))}
            </ul>
          </>
        ) : serverError !== null ? (
          <p className="error-text">{serverError}</p>
        ) : (
          <Estimate state={checking ? { estimate: null, error: null } : estimate} />
        )}
      </div>
      {!blocked && !checking && <AboutData state={estimate} seeds={seeds} />}
      {!blocked && advice.length > 0 && <Sentences title="Good to know" label="Advice" sentences={advice} />}
      <div className="start-box-part">
        <Button kind="primary" className="start-button" busy={busy} onClick={onStart} aria-disabled={blocked || undefined}>
          {busy ? "Starting" : runs > 1 ? `Start ${runs} runs` : "Start"}
        </Button>
        <p className="faint small start-hint">
          <kbd>Ctrl</kbd> <kbd>Enter</kbd> starts from anywhere
        </p>
      </div>
    </aside>
  );
}
