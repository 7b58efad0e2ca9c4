/**
 * When each event happened, in *active* seconds: pauses are cut short, and events that were committed in one instant (a table answers
 * hundreds of trials at once) are spread, so that a replay shows them one after the other.
 */
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
  }

  /** Active seconds at `seq` (Infinity = the end). */
  timeOf(seq: number): number {
    return this.at[lastAtMost(this.seqs, seq)] ?? 0;
  }

  /** The last event at or before `seconds`; 0 before the first. */
  seqAt(seconds: number): number {
    return this.seqs[lastAtMost(this.at, seconds)] ?? 0;
  }

  /** `steps` visible changes after `seq` (before it where negative). Stays within the first and the last. */
  tick(seq: number, steps: number): number {
    if (this.ticks.length === 0) return seq;
    const here = lastAtMost(this.ticks, seq);
    return this.ticks[Math.min(Math.max(here + steps, 0), this.ticks.length - 1)] ?? seq;
  }
}
