/** The whole history of one edge: what the store holds, and before it what the server still knows (a long run begins at a snapshot). */
import { useMemo } from "react";
import { getStructure } from "../api/resources";
import type { StructureHistory } from "../api/types";
import { useResource } from "../api/useResource";
import { decodeFloats } from "../stream/floats";
import type { Frame, RunStore } from "../stream/store";
import type { FamilyGroup } from "../types/events.gen";

/** Frames before `step` in which only the row of that edge is known. `seq` is the store's first: earlier moments cannot be shown whole. */
export function earlierFrames(history: StructureHistory, group: FamilyGroup, seq: number, step: number): Frame[] {
  const rows = decodeFloats(history.values);
  const count = group.operations.length;
  return history.steps.flatMap((at, index) => {
    if (at >= step) return [];
    const values = new Float32Array(group.edges.length * count);
    values.set(rows.subarray(index * count, (index + 1) * count), history.edge * count);
    return [{ seq, step: at, values }];
  });
}

export function useEarlierFrames(store: RunStore, group: FamilyGroup, edge: number): readonly Frame[] {
  const run = store.run?.id;
  const first = store.frames.get(group.name)?.items[0]?.step;
  // Only a store that began at a snapshot has something before its first frame.
  const key = store.firstSeq > 0 && run !== undefined && first !== undefined && first > 0 ? `structure/${run}/${group.name}/${edge}/${store.firstSeq}` : null;
  const history = useResource(key, (signal) => getStructure(run ?? "", { group: group.name, edge, to: first ?? 0 }, signal));
  const data = history.data;
  const seq = store.firstSeq;
  return useMemo(() => (data && first !== undefined ? earlierFrames(data, group, seq, first) : []), [data, group, seq, first]);
}
