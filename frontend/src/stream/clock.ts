/** The replay clock: moves the store's cursor through active time, waits where the past is still loaded; at the end it hands over to the live view. */
import type { RunStore } from "./store";

export const SPEEDS = [1, 2, 5, 10, 30] as const;

type Frames = { request: (step: (now: number) => void) => number; cancel: (id: number) => void };
const screen: Frames = { request: (step) => requestAnimationFrame(step), cancel: (id) => cancelAnimationFrame(id) };

export class ReplayClock {
  playing = false;
  /** Whether it stands although it plays: the next events are not there yet. */
  waiting = false;
  speed: number = SPEEDS[0];
  private listeners = new Set<() => void>();
  private version = 0;
  private frame = 0;
  private position = 0;
  private before = NaN;

  constructor(private readonly store: RunStore, private readonly frames: Frames = screen) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  readonly snapshot = (): number => this.version;

  private changed(): void {
    this.version++;
    for (const listener of this.listeners) listener();
  }

  /** From the shown moment; from the beginning where the view is live. */
  play(): void {
    if (this.playing) return;
    if (this.store.cursor === null) this.first();
    if (this.store.cursor === null) return;
    this.position = this.store.timeline.timeOf(this.store.cursor);
    this.before = NaN;
    this.playing = true;
    this.frame = this.frames.request(this.step);
    this.changed();
  }

  pause(): void {
    if (!this.playing) return;
    this.playing = false;
    this.waiting = false;
    this.frames.cancel(this.frame);
    this.changed();
  }

  toggle(): void {
    if (this.playing) this.pause();
    else this.play();
  }

  setSpeed(speed: number): void {
    this.speed = speed;
    this.changed();
  }

  /** To the first moment that has a picture. */
  first(): void {
    this.seek(this.store.timeline.ticks[0] ?? 0);
  }

  live(): void {
    this.pause();
    this.store.setCursor(null);
  }

  seek(seq: number): void {
    this.store.setCursor(seq);
    this.position = this.store.timeline.timeOf(seq);
  }

  /** `count` visible changes on or back; playing stops. */
  skip(count: number): void {
    this.pause();
    const { timeline, lastSeq, cursor } = this.store;
    this.seek(timeline.tick(cursor ?? lastSeq, count));
  }

  private readonly step = (now: number): void => {
    if (!this.playing) return;
    const { cursor, known, lastSeq, timeline } = this.store;
    // A tab that was hidden gets no frames: time stands still for it.
    const passed = Number.isNaN(this.before) ? 0 : Math.min((now - this.before) / 1000, 0.25);
    this.before = now;
    // As far as every moment is known; a hole is not jumped over.
    const reach = (cursor === null ? undefined : known.end(cursor)) ?? -1;
    const wanted = this.position + passed * this.speed;
    const limit = reach >= lastSeq ? Infinity : timeline.timeOf(reach);
    if (wanted >= timeline.length && reach >= lastSeq) {
      this.live();
      return;
    }
    this.wait(wanted > limit);
    // Not back: where the time line is thin the place of an event is not exact.
    this.position = Math.max(this.position, Math.min(wanted, limit));
    const seq = Math.min(timeline.seqAt(this.position), reach);
    if (seq > (cursor ?? 0)) this.store.setCursor(seq);
    this.frame = this.frames.request(this.step);
  };

  private wait(waiting: boolean): void {
    if (waiting === this.waiting) return;
    this.waiting = waiting;
    this.changed();
  }
}
