/** Sets of whole numbers as the ranges that they make up: which events are held, which moments are known. */

interface Range {
  from: number;
  /** The last one of it. */
  to: number;
}

export class Ranges {
  /** Apart from each other and in order. */
  private ranges: Range[] = [];

  /** How many ranges there are. */
  get count(): number {
    return this.ranges.length;
  }

  /** Place of the range with `number` in it, or -1. */
  private find(number: number): number {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.ranges[middle]?.from ?? Infinity) <= number) low = middle + 1;
      else high = middle;
    }
    return (this.ranges[low - 1]?.to ?? -Infinity) >= number ? low - 1 : -1;
  }

  has(number: number): boolean {
    return this.find(number) >= 0;
  }

  /** The last of the numbers that follow `number` without a gap; undefined where it is not in the set. */
  end(number: number): number | undefined {
    return this.ranges[this.find(number)]?.to;
  }

  /** The first of the numbers that lead to `number` without a gap; undefined where it is not in the set. */
  start(number: number): number | undefined {
    return this.ranges[this.find(number)]?.from;
  }

  add(from: number, to: number): void {
    if (to < from) return;
    const last = this.ranges.at(-1);
    // What comes live goes on at the end.
    if (last && last.from <= from && last.to + 1 >= from) {
      last.to = Math.max(last.to, to);
      return;
    }
    const apart = (range: Range) => range.to + 1 < from || range.from > to + 1;
    const touched = this.ranges.filter((range) => !apart(range));
    const joined = { from: Math.min(from, ...touched.map((range) => range.from)), to: Math.max(to, ...touched.map((range) => range.to)) };
    const before = this.ranges.filter((range) => range.to + 1 < from);
    this.ranges = [...before, joined, ...this.ranges.slice(before.length + touched.length)];
  }

  remove(from: number, to: number): void {
    if (to < from) return;
    this.ranges = this.ranges.flatMap((range) => {
      if (range.to < from || range.from > to) return [range];
      const left = { from: range.from, to: from - 1 };
      const right = { from: to + 1, to: range.to };
      return [left, right].filter((part) => part.from <= part.to);
    });
  }
}
