/** Temperatures among a run's measured numbers. */
import type { RunStore } from "../stream/store";
import { lastAtMost } from "../stream/search";

export const TEMPERATURE = /(^|_)temp(erature)?(_|$)/;

/** Name and value of each temperature at the shown moment, out of the phase that measured it last. */
export function temperatures(store: RunStore): [name: string, value: number][] {
  const found = new Map<string, { seq: number; value: number }>();
  for (const [source, names] of store.series) {
    if (source !== "run" && !source.startsWith("phase:")) continue;
    for (const [name, series] of names) {
      if (!TEMPERATURE.test(name)) continue;
      const place = lastAtMost(series.seqs, store.shown);
      const [seq, value] = [series.seqs[place], series.values[place]];
      if (seq !== undefined && value !== undefined && seq >= (found.get(name)?.seq ?? 0)) found.set(name, { seq, value });
    }
  }
  return [...found].map(([name, { value }]) => [name, value]);
}
