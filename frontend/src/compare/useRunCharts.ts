/** The charts of an experiment's runs: asked for once of ended runs, again and again of those that work, a few at a time. */
import { useMemo, useRef } from "react";
import { getSnapshot } from "../api/resources";
import type { Run, Snapshot } from "../api/types";
import { useResource } from "../api/useResource";
import { ACTIVE } from "../views/experimentText";
import { startedWith, lastGeneration, type LastGeneration } from "./outcomes";
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

/** What a run says that is compared with other runs. */
export interface Said {
  charts: ChartsByName;
  /** Its last generation, where that was told. */
  last: LastGeneration | null;
  /** The notice with its initial population's digest; empty where none is said. */
  start: string;
}

/** By run id. Runs of algorithms that draw no chart are not asked again. */
export function useRunCharts(experiment: string, runs: readonly Run[]): { said: ReadonlyMap<string, Said>; charts: ReadonlyMap<string, ChartsByName>; error: unknown } {
  const ended = useRef(new Map<string, Said>());
  const active = runs.some((run) => ACTIVE.has(run.state));
  const progress = runs.map((run) => `${run.id}:${ACTIVE.has(run.state) ? "" : run.last_seq}`).join(" ");
  const resource = useResource(
    `run-charts/${experiment}/${progress}`,
    async (signal) => {
      const found = new Map<string, Said>();
      const load = async (run: Run) => {
        const known = ended.current.get(`${run.id} ${run.last_seq}`);
        const said = known ?? saidBy(await getSnapshot(run.id, signal));
        if (!ACTIVE.has(run.state)) ended.current.set(`${run.id} ${run.last_seq}`, said);
        found.set(run.id, said);
      };
      const first = probes(runs);
      await inTurns(first, AT_ONCE, load);
      const drawing = new Set(first.filter((run) => (found.get(run.id)?.charts.size ?? 0) > 0).map((run) => run.algorithm.id));
      const rest = runs.filter((run) => drawing.has(run.algorithm.id) && run.last_seq > 0 && !found.has(run.id));
      await inTurns(rest.slice(0, MOST_RUNS), AT_ONCE, load);
      return found;
    },
    active ? POLL : 0,
  );
  // A changed state begins a new resource: until its answer comes the old charts stay.
  const last = useRef<ReadonlyMap<string, Said>>(new Map());
  if (resource.data) last.current = resource.data;
  const said = resource.data ?? last.current;
  const charts = useMemo(() => new Map([...said].map(([id, { charts }]) => [id, charts])), [said]);
  return { said, charts, error: resource.error };
}

function saidBy(snapshot: Snapshot): Said {
  return { charts: chartsOf(snapshot), last: lastGeneration(snapshot), start: startedWith(snapshot) };
}
