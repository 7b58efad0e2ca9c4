/** What was said over time, bounded: beyond `capacity` every second older moment is dropped, the newest always stays. */
import { lastAtMost } from "./search";

/** A fact, and the event that said it. */
export type Seen<Data> = Data & { seq: number };

export class Moments<Item extends { seq: number }> {
  items: Item[] = [];

  constructor(readonly capacity = 1500) {}

  /** Moments come in order; one that is not newer than the last is ignored. */
  add(item: Item): void {
    const last = this.items.at(-1);
    if (last && item.seq <= last.seq) return;
    this.items.push(item);
    if (this.items.length > this.capacity) {
      const newest = this.items.length - 1;
      this.items = this.items.filter((_, index) => index % 2 === 0 || index === newest);
    }
  }

  /** Index of the last moment at or before `seq` (Infinity = the newest), or -1. */
  indexAt(seq: number): number {
    return lastAtMost(this.items, seq, (item) => item.seq);
  }

  at(seq: number): Item | undefined {
    return this.items[this.indexAt(seq)];
  }
}
