/** Time at the bottom: replay, scrub, and back to live. The axis is the run's own event number. */
import { useEffect, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import type { Connection, RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import { Button } from "../ui/Button";
import { exact, plural } from "../ui/format";
import { Chip, type Tone } from "../ui/StateChip";

const ENDED = new Set(["completed", "failed", "cancelled"]);
const SPEEDS = [1, 4, 16] as const;
/** A replay at speed 1 shows a whole run in about this many seconds. */
const REPLAY_SECONDS = 40;

function connectionChip(connection: Connection, behind: number, ended: boolean): { tone: Tone; text: string; live: boolean } {
  switch (connection) {
    case "connecting":
      return { tone: "neutral", text: "connecting", live: true };
    case "live":
      return ended ? { tone: "neutral", text: "ended", live: false } : { tone: "good", text: "LIVE", live: true };
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

export function useReplay(store: RunStore): { playing: boolean; toggle: () => void; speed: number; nextSpeed: () => void } {
  const [playing, setPlaying] = useState(false);
  const [speed, setSpeed] = useState<(typeof SPEEDS)[number]>(1);
  useEffect(() => {
    if (!playing) return;
    let last = performance.now();
    let frame = 0;
    let position = store.cursor ?? store.firstSeq;
    const tick = (now: number) => {
      position += ((now - last) / 1000) * speed * Math.max(2, (store.lastSeq - store.firstSeq) / REPLAY_SECONDS);
      last = now;
      if (position >= store.lastSeq) {
        store.setCursor(null);
        setPlaying(false);
        return;
      }
      store.setCursor(Math.floor(position));
      frame = requestAnimationFrame(tick);
    };
    if (store.cursor === null) store.setCursor(store.firstSeq);
    frame = requestAnimationFrame(tick);
    return () => cancelAnimationFrame(frame);
  }, [playing, speed, store]);
  return {
    playing,
    toggle: () => setPlaying((value) => !value),
    speed,
    nextSpeed: () => setSpeed((value) => SPEEDS[(SPEEDS.indexOf(value) + 1) % SPEEDS.length] ?? 1),
  };
}

export function TimeBar({ store, replay }: { store: RunStore; replay: ReturnType<typeof useReplay> }) {
  useTopic(store, "cursor");
  useTopic(store, "connection");
  useTopic(store, "run");
  const track = useRef<HTMLDivElement>(null);
  const first = store.firstSeq;
  const span = Math.max(1, store.lastSeq - first);
  const at = store.cursor ?? store.lastSeq;
  const share = (seq: number) => `${(100 * Math.min(1, Math.max(0, (seq - first) / span))).toFixed(3)}%`;
  const seek = (event: PointerEvent) => {
    const box = track.current?.getBoundingClientRect();
    if (!box || box.width === 0) return;
    store.setCursor(Math.round(first + (span * (event.clientX - box.left)) / box.width));
  };
  const key = (event: KeyboardEvent) => {
    const step = event.shiftKey ? Math.max(1, Math.round(span / 40)) : 1;
    const moves: Record<string, number | null> = { ArrowLeft: at - step, ArrowRight: at + step, Home: first, End: null };
    if (!(event.key in moves)) return;
    event.preventDefault();
    store.setCursor(moves[event.key] ?? null);
  };
  const ended = ENDED.has(store.run?.state ?? "");
  const chip = connectionChip(store.connection, store.behind, ended);
  return (
    <footer className="time-bar">
      <div className="time-controls">
        <Button small onClick={() => store.setCursor(first)} title="to the beginning (Home)">
          Start
        </Button>
        <Button small onClick={replay.toggle} title="Space">
          {replay.playing ? "Stop" : "Replay"}
        </Button>
        <Button small kind="quiet" onClick={replay.nextSpeed} title="speed of the replay">
          {replay.speed}×
        </Button>
      </div>
      <div
        className="time-track"
        ref={track}
        role="slider"
        tabIndex={0}
        aria-label="Moment that is shown"
        aria-valuemin={first}
        aria-valuemax={store.lastSeq}
        aria-valuenow={at}
        aria-valuetext={store.cursor === null ? "live" : `event ${at} of ${store.lastSeq}`}
        onKeyDown={key}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          seek(event);
        }}
        onPointerMove={(event) => {
          if (event.buttons === 1) seek(event);
        }}
      >
        {store.marks.map((seq) => (
          <i key={seq} className="time-best" style={{ left: share(seq) }} title={`new best at event ${seq}`} />
        ))}
        {store.phases.map((phase) => (
          <i key={`phase-${phase.seq}`} className="time-phase" style={{ left: share(phase.seq) }} title={`${phase.data.title} begins`} />
        ))}
        <div className="time-rail">
          <div className="time-done" style={{ width: share(at) }} />
        </div>
        <div className="time-knob" style={{ left: share(at) }} />
      </div>
      <div className="time-where">
        {store.cursor === null ? (
          <Chip tone={chip.tone} live={chip.live}>
            {chip.text}
          </Chip>
        ) : (
          <Button small onClick={() => store.setCursor(null)} title="L">
            Back to {ended ? "the end" : "live"}
          </Button>
        )}
        <span className="time-seq">
          event {exact(at)}
          {store.cursor !== null && ` of ${exact(store.lastSeq)}`}
        </span>
      </div>
    </footer>
  );
}
