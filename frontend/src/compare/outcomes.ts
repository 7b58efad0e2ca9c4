/** Arms of an experiment compared by what their last generations reach: means over the networks of all seeds, and time. */
import type { Run, Snapshot } from "../api/types";
import { INITIAL_POPULATION } from "../stream/notices";
import { differences, labelOf } from "./differences";

/** The report's name in the events. */
const LAST_GENERATION = "last_generation";

export interface LastGeneration {
  mean: number;
  networks: number;
  failed: number;
}

/** What the run's last generation reached; null before it is told, and for searches without generations. */
export function lastGeneration(snapshot: Snapshot): LastGeneration | null {
  const values = snapshot.reports.find(({ data }) => data.name === LAST_GENERATION)?.data.values;
  if (values?.mean === undefined) return null;
  return { mean: values.mean, networks: values.networks ?? 0, failed: values.failed ?? 0 };
}

/** The sentence with the digest of what the run began with; empty where it says none. */
export function startedWith(snapshot: Snapshot): string {
  return (snapshot.notices ?? []).find(({ data }) => data.name === INITIAL_POPULATION)?.data.message ?? "";
}

export interface Arm {
  title: string;
  runs: Run[];
}

/** Runs that differ by their seed alone, titled by what sets the arm apart. */
export function armsOf(runs: readonly Run[]): Arm[] {
  const arms = new Map<string, Arm>();
  const factors = differences(runs).filter(({ name }) => name !== "seed");
  runs.forEach((run, place) => {
    // One that goes on with another's search had more budget than the others.
    if (run.continues) return;
    const key = `${run.algorithm.id} ${JSON.stringify(run.options)}`;
    const arm = arms.get(key) ?? { title: labelOf(factors, place) || run.algorithm.title, runs: [] };
    arm.runs.push(run);
    arms.set(key, arm);
  });
  return [...arms.values()];
}

/** The mean over the pooled networks: a generation that lost some to failures counts by those it has. */
export function pooledMean(generations: readonly LastGeneration[]): number | null {
  const networks = generations.reduce((sum, each) => sum + each.networks, 0);
  return networks > 0 ? generations.reduce((sum, each) => sum + each.mean * each.networks, 0) / networks : null;
}

/** Whether runs of equal seed began with the same population, in words. `starts` by run id. */
export function startsText(runs: readonly Run[], starts: ReadonlyMap<string, string>): string {
  const bySeed = new Map<number, Set<string>>();
  for (const run of runs) {
    const start = starts.get(run.id) ?? "";
    if (start) bySeed.set(run.seed, (bySeed.get(run.seed) ?? new Set()).add(start));
  }
  if (bySeed.size === 0) return "";
  const differing = [...bySeed].filter(([, found]) => found.size > 1).map(([seed]) => seed);
  if (differing.length > 0) return `Runs of seed ${differing.join(", ")} began with different populations: what separates them is not the arm alone.`;
  return "Runs of equal seed began with the same initial population, by its digest.";
}
