/** What the population picture draws, out of a run's store: candidates of trials, or the generations of a population in memory. */
import { measureName } from "../run/valueNames";
import type { RunStore } from "../stream/store";
import { measured, whole, type Figures } from "../ui/figures";
import { metric, metricName } from "../ui/format";
import { sense } from "../ui/scoreKinds";
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

/** By what a population in memory ranks. */
function rankingName({ rankedBy }: RunStore): string {
  return rankedBy.metric ? metricName(rankedBy.metric) : "fitness";
}

export function rankingNote(store: RunStore): string {
  const end = store.rankedBy.metric ? `, ${sense(store.rankedBy.direction ?? "maximise")}` : "";
  return `generation × ${rankingName(store)}, by which it ranks${end}`;
}

/** Every told candidate, or every individual of every generation, up to the shown moment. */
export function populationFigures(store: RunStore): Figures[] {
  const { candidates, individuals, shown } = store;
  if (candidates.count > 0) {
    const rows = candidates.told
      .slice(0, candidates.toldBefore(shown))
      .map(({ number, value, best }) => [
        whole(number), measured(value), measured(best), candidates.status[number] ?? "", candidates.operators[number] ?? "", (candidates.parents[number] ?? []).join(" "), candidates.strings[number] ?? "",
        (candidates.warnings.get(number) ?? []).join(" "),
      ]);
    const what = measureName(store.run);
    return [{ title: "Trials in the order told", head: ["candidate", what, `best so far, ${what}`, "state", "made by", "parents", "architecture", "doubts"], rows }];
  }
  const rows = individuals.generations.slice(0, individuals.until(shown)).flatMap(({ generation, fitness, connections, hidden }) =>
    Array.from(fitness, (value, index) => [whole(generation), measured(value), whole(connections[index] ?? NaN), whole(hidden[index] ?? NaN)]),
  );
  return [{ title: "Individuals", head: ["generation", rankingName(store), "connections", "hidden nodes"], rows }];
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
