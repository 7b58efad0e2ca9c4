import { useCallback, useMemo, useRef } from "react";
import { getRuns, getSnapshot } from "../api/resources";
import type { Run, Snapshot } from "../api/types";
import { usePages, type Pages } from "../api/usePages";
import { useResource, type Resource } from "../api/useResource";
import { useQueryState } from "../app/router";
import { edgesOf, ENDED, liveEdge, type EdgeChoice, type LiveEdge } from "./liveEdge";

const LIST_EVERY = 15_000;
const SNAPSHOT_EVERY = 4000;

export interface LiveEdgeState {
  runs: Pages<Run>;
  /** Runs that have said something, with the chosen one even where it is on no loaded page. */
  choices: Run[];
  run: string | null;
  setRun: (id: string | null) => void;
  snapshot: Resource<Snapshot>;
  edges: EdgeChoice[];
  edge: EdgeChoice | null;
  setEdge: (key: string) => void;
  live: LiveEdge | null;
}

/** The edge of a run that the address names, asked for again while the run may still change. */
export function useLiveEdge(): LiveEdgeState {
  const [run, setQueryRun] = useQueryState("run");
  const [wanted, setEdge] = useQueryState("edge");
  const load = useCallback((cursor: string | null, signal?: AbortSignal) => getRuns(cursor, undefined, signal), []);
  const runs = usePages<Run>("explore/runs", load, LIST_EVERY);
  const ended = useRef(new Map<string, Snapshot>());
  const snapshot = useResource<Snapshot>(
    run === null ? null : `explore/snapshot/${run}`,
    async (signal) => {
      const before = ended.current.get(run ?? "");
      if (before) return before;
      const answer = await getSnapshot(run ?? "", signal);
      if (ENDED.has(answer.run.state)) ended.current.set(run ?? "", answer);
      return answer;
    },
    SNAPSHOT_EVERY,
  );
  const data = snapshot.data;
  const edges = useMemo(() => (data ? edgesOf(data) : []), [data]);
  const edge = edges.find((item) => item.key === wanted) ?? edges[0] ?? null;
  const live = useMemo(() => (data && edge ? liveEdge(data, edge) : null), [data, edge]);
  const told = runs.items.filter((item) => item.last_seq > 0 || item.id === run);
  const choices = data && !told.some((item) => item.id === run) ? [data.run, ...told] : told;
  const setRun = (id: string | null) => {
    setEdge(null);
    setQueryRun(id);
  };
  return { runs, choices, run, setRun, snapshot, edges, edge, setEdge, live };
}
