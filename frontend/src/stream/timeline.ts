/**
 * When each event happened, in *active* seconds: pauses are cut short, and events that were committed in one instant (a table answers
 * hundreds of trials at once) are spread, so that a replay shows them one after the other.
 */
import type { TimelineColumns } from "../api/types";
import { added, enterNumber } from "./ordered";
import { lastAtMost } from "./search";

/** A longer silence than this counts as this much. */
export const LONGEST_GAP = 2;
/** Two visible changes are at least so far apart: 60 a second. */
export const SHORTEST_STEP = 1 / 60;
const LIMIT = 200_000;

export class Timeline {
  seqs: number[] = [];
  /** Active seconds, never falling. */
  at: number[] = [];
  /** Seqs at which the picture changes: structure frames, told trials, champions. */
  ticks: number[] = [];
  private lastTime = NaN;

  get length(): number {
    return this.at.at(-1) ?? 0;
  }

  /** Begin with what a snapshot says of the past: some of the events, evenly. */
  restore(columns: TimelineColumns): void {
    this.seqs = added(columns.seqs);
    this.at = [...columns.at];
    this.ticks = added(columns.ticks);
    this.lastTime = columns.time ?? NaN;
  }

  /** The next event. */
  add(seq: number, time: number, visible: boolean): void {
    const gap = Number.isNaN(this.lastTime) ? 0 : Math.min(Math.max(time - this.lastTime, 0), LONGEST_GAP);
    this.lastTime = time;
    this.seqs.push(seq);
    this.at.push(this.length + (visible ? Math.max(gap, SHORTEST_STEP) : gap));
    if (visible) this.ticks.push(seq);
    if (this.seqs.length > LIMIT) {
      const keep = (_: number, index: number) => index % 2 === 0;
      this.seqs = this.seqs.filter(keep);
      this.at = this.at.filter(keep);
    }
    if (this.ticks.length > LIMIT) this.ticks = this.ticks.filter((_, index) => index % 2 === 0);
  }

  /** An event of the past changes the picture, which a thinned time line did not say. */
  enterTick(seq: number): void {
    enterNumber(this.ticks, seq);
  }

  /** Active seconds at `seq` (Infinity = the end). Between two events that are held time passes evenly. */
  timeOf(seq: number): number {
    const place = lastAtMost(this.seqs, seq);
    const [from, next] = [this.seqs[place], this.seqs[place + 1]];
    const [at, then] = [this.at[place] ?? 0, this.at[place + 1]];
    return from === undefined || next === undefined || then === undefined ? at : at + ((then - at) * (seq - from)) / (next - from);
  }

  /** The last event at or before `seconds`; 0 before the first. */
  seqAt(seconds: number): number {
    const place = lastAtMost(this.at, seconds);
    const [from, next] = [this.seqs[place], this.seqs[place + 1]];
    const [at, then] = [this.at[place], this.at[place + 1]];
    if (from === undefined || at === undefined || next === undefined || then === undefined) return from ?? 0;
    return from + Math.floor(((seconds - at) / (then - at)) * (next - from));
  }

  /** `steps` visible changes after `seq` (before it where negative). Stays within the first and the last. */
  tick(seq: number, steps: number): number {
    if (this.ticks.length === 0) return seq;
    const here = lastAtMost(this.ticks, seq);
    return this.ticks[Math.min(Math.max(here + steps, 0), this.ticks.length - 1)] ?? seq;
  }
}
