/** The charts of an experiment's runs: asked for once of ended runs, again and again of those that work, a few at a time. */
import { useRef } from "react";
import { getSnapshot } from "../api/resources";
import type { Run } from "../api/types";
import { useResource } from "../api/useResource";
import { ACTIVE } from "../views/experimentText";
import { chartsOf, type ChartsByName } from "./runCharts";

/** More runs than this are not drawn beside each other. */
export const MOST_RUNS = 36;
const AT_ONCE = 3;
const POLL = 4000;

/** `work` for every item, a few at a time. */
export async function inTurns<Item>(items: readonly Item[], atOnce: number, work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = [...items];
  await Promise.all(
    Array.from({ length: Math.min(atOnce, waiting.length) }, async () => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
    }),
  );
}

/** One run of each algorithm that may have something to show: the first that ended, else the first that works. */
export function probes(runs: readonly Run[]): Run[] {
  const found = new Map<string, Run>();
  for (const run of runs) {
    const before = found.get(run.algorithm.id);
    if (run.last_seq > 0 && (!before || (ACTIVE.has(before.state) && !ACTIVE.has(run.state)))) found.set(run.algorithm.id, run);
  }
  return [...found.values()];
}

/** Charts by run id. Runs of algorithms that draw none are not asked again. */
export function useRunCharts(experiment: string, runs: readonly Run[]): { charts: ReadonlyMap<string, ChartsByName>; error: unknown } {
  const ended = useRef(new Map<string, ChartsByName>());
  const active = runs.some((run) => ACTIVE.has(run.state));
  const progress = runs.map((run) => `${run.id}:${ACTIVE.has(run.state) ? "" : run.last_seq}`).join(" ");
  const resource = useResource(
    `run-charts/${experiment}/${progress}`,
    async (signal) => {
      const found = new Map<string, ChartsByName>();
      const load = async (run: Run) => {
        const known = ended.current.get(`${run.id} ${run.last_seq}`);
        const charts = known ?? chartsOf(await getSnapshot(run.id, signal));
        if (!ACTIVE.has(run.state)) ended.current.set(`${run.id} ${run.last_seq}`, charts);
        found.set(run.id, charts);
      };
      const first = probes(runs);
      await inTurns(first, AT_ONCE, load);
      const drawing = new Set(first.filter((run) => (found.get(run.id)?.size ?? 0) > 0).map((run) => run.algorithm.id));
      const rest = runs.filter((run) => drawing.has(run.algorithm.id) && run.last_seq > 0 && !found.has(run.id));
      await inTurns(rest.slice(0, MOST_RUNS), AT_ONCE, load);
      return found;
    },
    active ? POLL : 0,
  );
  // A changed state begins a new resource: until its answer comes the old charts stay.
  const last = useRef<ReadonlyMap<string, ChartsByName>>(new Map());
  if (resource.data) last.current = resource.data;
  return { charts: resource.data ?? last.current, error: resource.error };
}
