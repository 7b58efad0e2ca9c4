/**
 * The run page: one screen, no scrolling. What the search believes (left, largest), what it has tried (middle), what you pointed at
 * (right), time (bottom). Panels keep their places for every algorithm; only the renderer inside changes.
 */
import { useEffect, useRef, useState } from "react";
import { ApiError } from "../api/problem";
import { ButtonLink } from "../ui/Button";
import { paths } from "../app/routes";
import { useQueryState } from "../app/router";
import { useShortcuts } from "../app/shortcuts";
import { useRunStore, useSelect, useTopic } from "../stream/useRun";
import type { RunStore } from "../stream/store";
import { metric } from "../ui/format";
import { Empty, Failure, Skeleton } from "../ui/States";
import { Inspector } from "./Inspector";
import { parsePin, type Pin } from "./pin";
import { ProgressPanel } from "./ProgressPanel";
import { RunHeader } from "./RunHeader";
import { StructurePanel } from "./StructurePanel";
import { TimeBar } from "./TimeBar";
import { TriedPanel } from "./TriedPanel";
import { useReplay } from "./useReplay";
import "./run.css";

/** Says a new best aloud, at most every ten seconds. */
function Announcer({ store }: { store: RunStore }) {
  useTopic(store, "candidates");
  useTopic(store, "growth");
  const [text, setText] = useState("");
  const last = useRef(0);
  const best = store.run?.search_score;
  useEffect(() => {
    if (!best || store.connection !== "live") return;
    const now = Date.now();
    if (now - last.current < 10_000) return;
    last.current = now;
    setText(`New best: ${best.name} ${metric(best.value)}`);
  }, [best, store]);
  return (
    <div className="visually-hidden" aria-live="polite">
      {text}
    </div>
  );
}

export function RunPage({ runId }: { runId: string }) {
  const { store, past, error, ready } = useRunStore(runId);
  useTopic(store, "run");
  useTopic(store, "connection");
  const clock = useReplay(store, ready);
  const seeking = useSelect(store, ["cursor"], (item) => item.seeking);
  const [pinText, setPinText] = useQueryState("edge");
  const [candidateText, setCandidateText] = useQueryState("candidate");
  const pin = parsePin(pinText);
  const candidate = candidateText !== null && /^\d+$/.test(candidateText) ? Number(candidateText) : null;
  const setPin = (next: Pin | null) => {
    setPinText(next ? `${next.group}:${next.edge}` : null);
    if (next) setCandidateText(null);
  };
  const setCandidate = (next: number | null) => {
    setCandidateText(next === null ? null : String(next));
    if (next !== null) setPinText(null);
  };
  useShortcuts("Run", [
    { keys: "Space", what: "play or stop", run: () => clock.toggle() },
    { keys: "ArrowLeft", what: "one picture back", run: () => clock.skip(-1) },
    { keys: "ArrowRight", what: "one picture on", run: () => clock.skip(1) },
    { keys: "Shift+ArrowLeft", what: "ten pictures back", run: () => clock.skip(-10) },
    { keys: "Shift+ArrowRight", what: "ten pictures on", run: () => clock.skip(10) },
    { keys: "Home", what: "to the beginning", run: () => clock.first() },
    { keys: "End", what: "to the newest event", run: () => clock.live() },
    { keys: "l", what: "live", run: () => clock.live() },
    {
      keys: "Escape",
      what: "let go of what is pinned",
      run: () => {
        setPinText(null);
        setCandidateText(null);
      },
    },
  ]);

  const absent = (error instanceof ApiError && error.status === 404) || store.connection === "gone";
  if (absent) {
    return (
      <Empty title="This run is not here" actions={<ButtonLink to={paths.experiments}>All experiments</ButtonLink>}>
        It was deleted, or it belongs to somebody else.
      </Empty>
    );
  }
  if (error !== undefined) return <Failure what="The run could not be loaded" error={error} retry={() => window.location.reload()} />;
  const run = store.run;
  if (!run) return <Skeleton label="Loading the run" lines={6} />;
  const shared = { run, store, pin, onPin: setPin, candidate, onCandidate: setCandidate };
  return (
    <div className="run-page">
      <RunHeader run={run} store={store} />
      <div className="run-panels" aria-busy={seeking}>
        <StructurePanel {...shared} />
        <TriedPanel {...shared} />
        <ProgressPanel store={store} />
        <Inspector {...shared} />
      </div>
      <TimeBar store={store} clock={clock} past={past} />
      <Announcer store={store} />
    </div>
  );
}
