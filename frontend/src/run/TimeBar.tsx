/** Time at the bottom: replay, scrub, and back to live. The axis is active time: pauses are cut short. */
import { useEffect, useRef, useSyncExternalStore, type KeyboardEvent, type PointerEvent } from "react";
import { messageOf } from "../api/problem";
import type { RunState } from "../api/types";
import { TimelinePicture } from "../charts/timelinePicture";
import { useStage } from "../graph/useStage";
import { SPEEDS, type ReplayClock } from "../stream/clock";
import type { Past } from "../stream/past";
import type { Connection, RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import { Button } from "../ui/Button";
import { exact, plural } from "../ui/format";
import { Chip, type Tone } from "../ui/StateChip";

const ENDED = new Set(["completed", "failed", "cancelled"]);

export function connectionChip(connection: Connection, behind: number, state: RunState): { tone: Tone; text: string; live: boolean } {
  switch (connection) {
    case "connecting":
      return { tone: "neutral", text: "connecting", live: true };
    case "live":
      if (ENDED.has(state)) return { tone: "neutral", text: "ended", live: false };
      return state === "paused" ? { tone: "neutral", text: "connected", live: false } : { tone: "good", text: "LIVE", live: true };
    case "catching-up":
      return { tone: "warn", text: `catching up, ${plural(behind, "event")} behind`, live: true };
    case "reconnecting":
      return { tone: "warn", text: "reconnecting; nothing is lost", live: true };
    case "offline":
      return { tone: "bad", text: "offline", live: false };
    case "gone":
      return { tone: "bad", text: "this run is not there any more", live: false };
  }
}

/** 86.4 -> "01:26" */
export function clockText(seconds: number): string {
  const whole = Math.floor(seconds);
  const pair = (value: number) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  return `${hours > 0 ? `${hours}:` : ""}${pair(Math.floor(whole / 60) % 60)}:${pair(whole % 60)}`;
}

/** The slider: the picture below it is a canvas, its words are the slider's own. */
function Track({ store, clock }: { store: RunStore; clock: ReplayClock }) {
  const version = useTopic(store, "cursor");
  const [canvas, picture] = useStage(TimelinePicture);
  const track = useRef<HTMLDivElement>(null);
  useEffect(() => picture?.setStore(store), [picture, store, version]);
  const at = store.cursor ?? store.lastSeq;
  const seek = (event: PointerEvent) => {
    const box = track.current?.getBoundingClientRect();
    if (!box || !picture) return;
    clock.pause();
    const seconds = picture.secondsAt(event.clientX - box.left);
    if (seconds >= store.timeline.length) clock.live();
    else clock.seek(store.timeline.seqAt(Math.max(seconds, 0)) );
  };
  const key = (event: KeyboardEvent) => {
    const far = event.shiftKey ? 10 : 1;
    const moves: Record<string, () => void> = {
      ArrowLeft: () => clock.skip(-far),
      ArrowDown: () => clock.skip(-far),
      ArrowRight: () => clock.skip(far),
      ArrowUp: () => clock.skip(far),
      PageDown: () => clock.skip(-10),
      PageUp: () => clock.skip(10),
      Home: () => clock.first(),
      End: () => clock.live(),
    };
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  };
  return (
    <div
      className="time-track"
      ref={track}
      role="slider"
      tabIndex={0}
      aria-label="Moment that is shown"
      aria-valuemin={0}
      aria-valuemax={store.lastSeq}
      aria-valuenow={at}
      aria-valuetext={store.cursor === null ? "the newest event" : `event ${at} of ${store.lastSeq}${store.seeking ? ", loading" : ""}`}
      aria-busy={store.seeking}
      onKeyDown={key}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        seek(event);
      }}
      onPointerMove={(event) => {
        if (event.buttons === 1) seek(event);
      }}
    >
      <canvas ref={canvas} aria-hidden="true" />
    </div>
  );
}

/** Which moment is shown, or that it is still loaded: the picture of the moment before stays meanwhile. */
function Where({ store, clock, past }: { store: RunStore; clock: ReplayClock; past: Past }) {
  const seeking = useSyncExternalStore(past.subscribe, () => past.seeking);
  const at = store.cursor ?? store.lastSeq;
  const seconds = store.cursor === null ? store.timeline.length : store.timeline.timeOf(store.cursor);
  if (seeking.state === "failed") {
    return (
      <span className="time-seq time-failed" role="alert" title={messageOf(seeking.error)}>
        event {exact(at)} could not be loaded
        <Button small onClick={() => past.retry()}>
          Retry
        </Button>
      </span>
    );
  }
  const loading = seeking.state === "loading" || clock.waiting;
  return (
    <span className="time-seq" role="status" aria-live="off">
      {loading && <i className="time-loading" aria-hidden="true" />}
      {loading ? "loading event" : "event"} {exact(at)}
      {store.cursor !== null && ` of ${exact(store.lastSeq)}`} · {clockText(seconds)}
    </span>
  );
}

export function TimeBar({ store, clock, past }: { store: RunStore; clock: ReplayClock; past: Past }) {
  useTopic(store, "cursor");
  useTopic(store, "connection");
  useSyncExternalStore(clock.subscribe, clock.snapshot);
  const ended = ENDED.has(store.run?.state ?? "");
  const chip = connectionChip(store.connection, store.behind, store.run?.state ?? "queued");
  return (
    <footer className="time-bar">
      <div className="time-controls">
        <Button small disabled={store.timeline.ticks.length === 0} onClick={() => clock.first()} title="to the beginning (Home)">
          Start
        </Button>
        <Button small disabled={store.timeline.ticks.length === 0} kind={clock.playing ? "primary" : "plain"} onClick={() => clock.toggle()} title={clock.playing ? "stop the replay (Space)" : "show the search again (Space)"}>
          {clock.playing ? "Stop" : store.cursor === null ? "Replay" : "Play"}
        </Button>
        <select className="time-speed" aria-label="Speed of the replay" value={clock.speed} onChange={(event) => clock.setSpeed(Number(event.target.value))}>
          {SPEEDS.map((speed) => (
            <option key={speed} value={speed}>
              {speed}×
            </option>
          ))}
        </select>
      </div>
      <Track store={store} clock={clock} />
      <div className="time-where">
        <span className="row">
          {store.cursor !== null && (
            <Button small onClick={() => clock.live()} title="L">
              {ended ? "To the end" : "Back to live"}
            </Button>
          )}
          {(store.cursor === null || chip.tone === "warn" || chip.tone === "bad") && (
            <Chip tone={chip.tone} live={chip.live}>
              {chip.text}
            </Chip>
          )}
        </span>
        <Where store={store} clock={clock} past={past} />
      </div>
    </footer>
  );
}
