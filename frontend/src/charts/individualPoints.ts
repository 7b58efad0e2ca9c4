/** What the population picture draws, out of a run's store: candidates of trials, or the generations of a population in memory. */
import type { RunStore } from "../stream/store";
import { metric } from "../ui/format";
import type { PopulationData } from "./population";

export interface Points extends PopulationData {
  /** Candidate numbers by index; empty for generations. */
  numbers: number[];
  /** Seq by index of the point: where a click on it leads. */
  seqs: number[];
}

/** Every told candidate up to the shown moment, in birth order. */
export function candidatePoints(store: RunStore, selected: number | null): Points {
  const { candidates, shown } = store;
  const x: number[] = [];
  const y: number[] = [];
  const seqs: number[] = [];
  const index = new Map<number, number>();
  for (let number = 0; number < candidates.count; number++) {
    const seq = candidates.toldSeq[number] ?? Infinity;
    const value = candidates.values[number] ?? NaN;
    if (seq > shown || Number.isNaN(value)) continue;
    index.set(number, x.length);
    x.push(number);
    y.push(value);
    seqs.push(seq);
  }
  const best = candidates.bestAt(shown);
  const ancestry = best < 0 ? [] : candidates.ancestry(best).flatMap((number) => index.get(number) ?? []);
  return {
    x, y, seqs, ancestry, numbers: x,
    best: index.get(best) ?? -1,
    selected: selected === null ? -1 : (index.get(selected) ?? -1),
    bestLabel: best < 0 ? "" : `best ${metric(candidates.values[best])} · #${best}`,
    xLabel: "birth order",
  };
}

/** Every individual of every generation up to the shown moment; the best of all is marked. */
export function generationPoints(store: RunStore): Points {
  const generations = store.individuals.generations.slice(0, store.individuals.until(store.shown));
  const x: number[] = [];
  const y: number[] = [];
  const seqs: number[] = [];
  let best = -1;
  for (const row of generations) {
    for (const value of row.fitness) {
      if (best < 0 || value > (y[best] ?? -Infinity)) best = x.length;
      x.push(row.generation);
      y.push(value);
      seqs.push(row.seq);
    }
  }
  return {
    x, y, seqs, numbers: [], ancestry: [], best, selected: -1,
    bestLabel: best < 0 ? "" : `best ${(y[best] ?? 0).toFixed(3)} · generation ${x[best] ?? 0}`,
    xLabel: "generation",
  };
}
