/**
 * Gets what the store does not hold of the past: the moment that is asked for at once, then the events around it, so that one can play
 * on and step back; and when nobody waits, moments from everywhere, for the pictures that show a whole history.
 *
 * Scrubbing asks for many moments: at most one request is under way, a newer one replaces it, they begin `PAUSE` apart, and the last
 * moment always comes. What came goes into the store by the same way as live events.
 */
import type { EventPage, Moment } from "../api/types";
import { NEAR, type RunStore } from "./store";

/** Where moments and events are asked for; both reject with AbortError when `signal` says so. */
export interface Server {
  moment(at: number, signal: AbortSignal): Promise<Moment>;
  events(after: number, limit: number, signal: AbortSignal): Promise<EventPage>;
}

export type Seeking = { state: "there" | "loading" } | { state: "failed"; error: unknown };

/** Milliseconds between the beginnings of two requests for moments. */
const PAUSE = 200;
/** After a jump it is waited so long before the events around are asked for: most jumps of a scrub are followed by another. */
const REST = 300;
/** Events of a request. Some have tens of kilobytes. */
const PAGE = 250;
/** So many events are held ahead of the shown one; before it some, for steps back and for the log. */
const AHEAD = 400;
const BEHIND = 150;
/** A run of so many events is loaded whole in the background; of a longer one some moments are. */
export const WHOLE = 20_000;
const WHOLE_PAGE = 1000;
const MOMENTS = 96;
/** After a failure in the background. */
const LATER = 10_000;

const THERE: Seeking = { state: "there" };
const LOADING: Seeking = { state: "loading" };

type Job = (signal: AbortSignal) => Promise<void>;

/** Numbers below `count`, each far from those before it: 0, 1/2, 1/4, 3/4, ... of it. */
export function spread(count: number): number[] {
  const order: number[] = [];
  for (let step = 1 << Math.ceil(Math.log2(Math.max(count, 1))); step >= 1; step >>= 1)
    for (let number = 0; number < count; number += step) if (number % (2 * step) !== 0 || order.length === 0) order.push(number);
  return order;
}

export class Past {
  seeking: Seeking = THERE;
  private version = 0;
  private listeners = new Set<() => void>();
  private stopped = false;

  private asking: AbortController | null = null;
  private askTimer: ReturnType<typeof setTimeout> | undefined;
  private asked = -Infinity;

  private work: AbortController | null = null;
  private restTimer: ReturnType<typeof setTimeout> | undefined;
  private laterTimer: ReturnType<typeof setTimeout> | undefined;
  /** The cursor when it was last heard of. */
  private before: number | null = null;

  /** How far the run was loaded whole; of a longer run which moments are still to come. */
  private loaded = 0;
  private moments: number[] = [];
  private end = 0;

  constructor(private readonly store: RunStore, private readonly server: Server) {}

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
  readonly snapshot = (): number => this.version;

  private say(seeking: Seeking): void {
    if (seeking === this.seeking) return;
    this.seeking = seeking;
    this.version++;
    for (const listener of this.listeners) listener();
  }

  /** Begins when the store was restored. */
  start(): void {
    const { store } = this;
    this.stopped = false;
    this.end = store.lastSeq;
    if (this.end > WHOLE) this.moments = spread(MOMENTS).map((part) => Math.round((this.end * part) / MOMENTS)).reverse();
    store.onCursor = () => this.aim();
    this.aim();
  }

  stop(): void {
    this.stopped = true;
    this.store.onCursor = null;
    this.asking?.abort();
    this.work?.abort();
    for (const timer of [this.askTimer, this.restTimer, this.laterTimer]) clearTimeout(timer);
  }

  /** Once more what failed. */
  retry(): void {
    this.aim();
  }

  /** The cursor moved. */
  private aim(): void {
    const { cursor, known } = this.store;
    const jump = cursor !== null && (this.before === null || Math.abs(cursor - this.before) > NEAR.after);
    this.before = cursor;
    if (cursor === null || known.has(cursor)) {
      clearTimeout(this.askTimer);
      this.askTimer = undefined;
      this.asking?.abort();
      this.asking = null;
      this.say(THERE);
      this.tend(jump ? REST : 0);
      return;
    }
    // Who waits for a moment comes first.
    this.work?.abort();
    this.say(LOADING);
    if (this.askTimer !== undefined) return;
    const wait = this.asked + PAUSE - Date.now();
    if (wait <= 0) void this.ask();
    else
      this.askTimer = setTimeout(() => {
        this.askTimer = undefined;
        void this.ask();
      }, wait);
  }

  private async ask(): Promise<void> {
    const { store } = this;
    const at = store.cursor;
    if (at === null || store.known.has(at)) return;
    this.asking?.abort();
    const abort = new AbortController();
    this.asking = abort;
    this.asked = Date.now();
    this.say(LOADING);
    try {
      const moment = await this.server.moment(at, abort.signal);
      if (abort.signal.aborted) return;
      store.enterMoment(moment);
      await store.individuals.settled;
    } catch (error) {
      if (abort.signal.aborted) return;
      this.asking = null;
      this.say({ state: "failed", error });
      return;
    }
    if (abort.signal.aborted) return;
    this.asking = null;
    store.arrived(at);
    // Where the cursor moved on, the next question is waiting.
    if (store.cursor !== at) return;
    this.say(THERE);
    this.tend(REST);
  }

  /** Sees to what may be wanted next, in `wait` milliseconds. One request at a time. */
  private tend(wait: number): void {
    clearTimeout(this.restTimer);
    this.restTimer = undefined;
    if (this.stopped) return;
    if (wait > 0) this.restTimer = setTimeout(() => this.tend(0), wait);
    else if (!this.work) void this.go();
  }

  private async go(): Promise<void> {
    const abort = new AbortController();
    this.work = abort;
    let job: Job | null = null;
    try {
      while (!abort.signal.aborted && this.restTimer === undefined && (job = this.next())) await job(abort.signal);
    } catch (error) {
      // A player waits for the events ahead; whatever else failed is not missed at once.
      if (!abort.signal.aborted && this.waits) this.say({ state: "failed", error });
      else if (!this.stopped) this.laterTimer = setTimeout(() => this.tend(0), LATER);
    } finally {
      this.work = null;
    }
    // What was put off for the sake of another.
    if (abort.signal.aborted && this.seeking.state === "there") this.tend(0);
  }

  /** Whether the next event after the shown one is not held. */
  private get waits(): boolean {
    const { cursor, known, lastSeq } = this.store;
    return cursor !== null && known.end(cursor) === cursor && cursor < lastSeq;
  }

  private next(): Job | null {
    const { cursor, known, lastSeq } = this.store;
    if (cursor !== null) {
      if (!known.has(cursor)) return null;
      const end = this.wholeAfter(cursor);
      if (end < Math.min(cursor + AHEAD, lastSeq)) return this.page(end, PAGE);
      // Not again for each step back.
      const near = Math.max(cursor - BEHIND / 3, 0);
      const from = known.has(near) && this.wholeAfter(near) >= cursor ? near : Math.max(cursor - BEHIND, 0);
      if (!known.has(from)) return this.moment(from);
      const until = this.wholeAfter(from);
      if (until < cursor) return this.page(until, Math.min(PAGE, cursor - until));
    }
    if (this.end <= WHOLE) return this.loaded < this.end ? this.wholePage() : null;
    const at = this.moments.findLast((seq) => !known.has(seq));
    return at === undefined ? null : this.momentOfAll(at);
  }

  /** The last event up to which everything after `seq` is held: the events, and what each moment shows. */
  private wholeAfter(seq: number): number {
    const { known, held } = this.store;
    return Math.min(known.end(seq) ?? seq, held.end(seq + 1) ?? seq);
  }

  private moment(at: number): Job {
    return async (signal) => {
      const moment = await this.server.moment(at, signal);
      if (!signal.aborted) this.store.enterMoment(moment);
    };
  }

  private momentOfAll(at: number): Job {
    const job = this.moment(at);
    return async (signal) => {
      await job(signal);
      this.moments = this.moments.filter((seq) => seq !== at);
    };
  }

  private page(after: number, limit: number): Job {
    return async (signal) => {
      await this.enter(after, limit, signal);
      if (!this.store.known.has(after + 1)) throw new Error(`the events after ${after} did not come`);
    };
  }

  private wholePage(): Job {
    return async (signal) => {
      this.loaded = await this.enter(this.loaded, Math.min(WHOLE_PAGE, this.end - this.loaded), signal);
    };
  }

  /** Up to `limit` events after `after`; the last one of them. */
  private async enter(after: number, limit: number, signal: AbortSignal): Promise<number> {
    const { events } = await this.server.events(after, limit, signal);
    if (signal.aborted) return after;
    // What is newer than the newest that came live waits for its turn.
    const held = events.filter((event) => event.seq <= this.store.lastSeq);
    if (held.length === 0) throw new Error(`there are no events after ${after}`);
    this.store.enterPage(after, held);
    return after + held.length;
  }
}
