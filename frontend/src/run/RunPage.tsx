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
import { useTopic, useRunStore } from "../stream/useRun";
import type { RunStore } from "../stream/store";
import { metric } from "../ui/format";
import { Empty, Failure, Skeleton } from "../ui/States";
import { Inspector } from "./Inspector";
import { ProgressPanel } from "./ProgressPanel";
import { RunHeader } from "./RunHeader";
import { StructurePanel } from "./StructurePanel";
import { TimeBar, useReplay } from "./TimeBar";
import { TriedPanel } from "./TriedPanel";
import "./run.css";

/** "normal:3" in the address: the pinned edge. */
export interface Pin {
  group: string;
  edge: number;
}

function parsePin(text: string | null): Pin | null {
  const found = text?.match(/^(\w+):(\d+)$/);
  return found ? { group: found[1] ?? "", edge: Number(found[2]) } : null;
}

/** Says a new best aloud, at most every ten seconds. */
function Announcer({ store }: { store: RunStore }) {
  useTopic(store, "candidates");
  useTopic(store, "growth");
  const [text, setText] = useState("");
  const last = useRef(0);
  const best = store.run?.best;
  useEffect(() => {
    if (!best || store.connection !== "live") return;
    const now = Date.now();
    if (now - last.current < 10_000) return;
    last.current = now;
    setText(`New best: ${metric(best.value)}`);
  }, [best, store]);
  return (
    <div className="visually-hidden" aria-live="polite">
      {text}
    </div>
  );
}

export function RunPage({ runId }: { runId: string }) {
  const { store, error } = useRunStore(runId);
  useTopic(store, "run");
  useTopic(store, "connection");
  const replay = useReplay(store);
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
  const move = (by: number) => store.setCursor((store.cursor ?? store.lastSeq) + by);
  useShortcuts("Run", [
    { keys: "Space", what: "replay, or stop", run: replay.toggle },
    { keys: "ArrowLeft", what: "one event back", run: () => move(-1) },
    { keys: "ArrowRight", what: "one event on", run: () => move(1) },
    { keys: "Shift+ArrowLeft", what: "fifty events back", run: () => move(-50) },
    { keys: "Shift+ArrowRight", what: "fifty events on", run: () => move(50) },
    { keys: "Home", what: "to the beginning", run: () => store.setCursor(store.firstSeq) },
    { keys: "End", what: "to the newest event", run: () => store.setCursor(null) },
    { keys: "l", what: "live", run: () => store.setCursor(null) },
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
  if (error !== undefined) return <Failure what="The run could not be loaded" error={error} />;
  const run = store.run;
  if (!run) return <Skeleton label="Loading the run" lines={6} />;
  return (
    <div className="run-page">
      <RunHeader run={run} store={store} />
      <div className="run-panels">
        <StructurePanel run={run} store={store} pin={pin} onPin={setPin} />
        <TriedPanel run={run} store={store} selected={candidate} onSelect={setCandidate} pin={pin} onPin={setPin} />
        <ProgressPanel store={store} />
        <Inspector run={run} store={store} pin={pin} onPin={setPin} candidate={candidate} onCandidate={setCandidate} />
      </div>
      <TimeBar store={store} replay={replay} />
      <Announcer store={store} />
    </div>
  );
}
