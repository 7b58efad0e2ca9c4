/**
 * What was said over time: entered in any order, kept in order, bounded. Beyond `capacity` the moments are thinned evenly; the newest
 * stays, and so does what is shown and what lies around it.
 */
import { lastAtMost } from "./search";

/** A fact, and the event that said it. */
export type Seen<Data> = Data & { seq: number };

/** Whoever keeps moments: which it needs whole now, and that it hears what is not held any more. */
export interface Keeper {
  /** Whether one of the seqs in this range is near to what is shown. */
  near(from: number, to: number): boolean;
  /** What was true from `from` to `to` was dropped: the moment before it is not the truth there. */
  lost(from: number, to: number): void;
}

const NOBODY: Keeper = { near: () => false, lost: () => undefined };

export class Moments<Item extends { seq: number }> {
  items: Item[] = [];
  private limit: number;

  constructor(readonly capacity = 1500, private readonly keeper: Keeper = NOBODY) {
    this.limit = capacity;
  }

  /** Enters a moment at its place; one that is held already is ignored. */
  add(item: Item): void {
    const place = this.indexAt(item.seq);
    if (this.items[place]?.seq === item.seq) return;
    this.items.splice(place + 1, 0, item);
    if (this.items.length > this.limit) this.thin();
  }

  /** Half as many, evenly over the time. */
  private thin(): void {
    const { items, keeper } = this;
    const newest = items.length - 1;
    const first = items[0]?.seq ?? 0;
    const width = ((items[newest]?.seq ?? 0) - first) / (this.capacity / 2);
    let filled = -1;
    const kept: Item[] = [];
    items.forEach((item, index) => {
      const part = Math.floor((item.seq - first) / width);
      const until = (items[index + 1]?.seq ?? Infinity) - 1;
      if (index === newest || part > filled || keeper.near(item.seq, until)) {
        kept.push(item);
        filled = part;
      } else keeper.lost(item.seq, until);
    });
    this.items = kept;
    // Where much is near, little could go: not again for each that comes.
    this.limit = Math.max(this.capacity, kept.length + Math.ceil(this.capacity / 4));
  }

  /** Index of the last moment at or before `seq` (Infinity = the newest), or -1. */
  indexAt(seq: number): number {
    return lastAtMost(this.items, seq, (item) => item.seq);
  }

  at(seq: number): Item | undefined {
    return this.items[this.indexAt(seq)];
  }
}
