/** The history of one kind of picture, bounded: beyond `capacity` every second older one is dropped, the newest always stays. */
import type { At } from "./store";
import { lastAtMost } from "./timeline";

export class Moments<Data> {
  items: At<Data>[] = [];

  constructor(readonly capacity = 1500) {}

  /** Moments come in order; one that is not newer than the last is ignored. */
  add(seq: number, data: Data): void {
    if (seq <= (this.items.at(-1)?.seq ?? 0)) return;
    this.items.push({ seq, data });
    if (this.items.length > this.capacity) {
      const newest = this.items.length - 1;
      this.items = this.items.filter((_, index) => index % 2 === 0 || index === newest);
    }
  }

  /** The last moment at or before `seq` (Infinity = the newest). */
  at(seq: number): Data | undefined {
    return this.itemAt(seq)?.data;
  }

  itemAt(seq: number): At<Data> | undefined {
    if (seq === Infinity) return this.items.at(-1);
    return this.items[lastAtMost(this.items.map((item) => item.seq), seq)];
  }
}
