import type { ReactNode } from "react";
import type { RunState } from "../api/types";

export type Tone = "good" | "warn" | "bad" | "accent" | "neutral";

const TONES: Record<RunState, Tone> = {
  queued: "neutral",
  running: "good",
  pausing: "warn",
  paused: "warn",
  completed: "accent",
  failed: "bad",
  cancelled: "neutral",
};

/** A word on a soft ground; the dot pulses where something is going on. */
export function Chip({ tone = "neutral", live = false, title, children }: { tone?: Tone; live?: boolean; title?: string; children: ReactNode }) {
  return (
    <span className={`chip chip-${tone}${live ? " chip-live" : ""}`} title={title}>
      <i aria-hidden="true" />
      {children}
    </span>
  );
}

/** A run's state in its own word, with its reason as the title. */
export function StateChip({ state, reason, text }: { state: RunState; reason?: string; text?: string }) {
  return (
    <Chip tone={TONES[state] ?? "neutral"} live={state === "running" || state === "pausing"} {...(reason ? { title: reason } : {})}>
      {text ?? state}
    </Chip>
  );
}
