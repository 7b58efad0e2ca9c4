/**
 * A layout for graphs that grow ("pinned lanes"): x = rank (longest path), y = a lane that a node keeps for life. A new node takes the
 * free lane nearest to the mean of its neighbours, so a mutation moves nearly nothing but the ranks behind it. O(nodes + edges) each time.
 */
import { longestPathRanks, type Link } from "./layered";

export interface Slot {
  rank: number;
  /** 0 = top, 1 = bottom */
  lane: number;
}

/** Lanes of a column before it is split more finely. */
const LANES = 24;
const FINEST = 8;

export class LaneLayout {
  /** Lane by node, also of nodes that are gone: one that comes back finds its place. */
  private readonly lanes = new Map<string, number>();

  /**
   * Slots of `nodes` (the hidden ones). `fixedLane` gives the lane of what does not move (inputs, outputs) and is asked for every other
   * end of a link.
   */
  place(nodes: readonly string[], links: readonly Link[], fixedLane: (id: string) => number | undefined): Map<string, Slot> {
    const own = new Set(nodes);
    const ranks = longestPathRanks(nodes, links.filter(([source, target]) => own.has(source) && own.has(target)));
    const near = new Map<string, string[]>();
    for (const [source, target] of links) {
      near.set(source, [...(near.get(source) ?? []), target]);
      near.set(target, [...(near.get(target) ?? []), source]);
    }
    const taken = new Map<number, number[]>();
    const slots = new Map<string, Slot>();
    const settle = (node: string, wish: number) => {
      const rank = ranks.get(node) ?? 0;
      const column = taken.get(rank) ?? [];
      const lane = freeLane(column, wish);
      taken.set(rank, [...column, lane]);
      this.lanes.set(node, lane);
      slots.set(node, { rank, lane });
    };
    // Those who have a lane first: nobody is moved for a newcomer.
    for (const node of nodes) {
      const lane = this.lanes.get(node);
      if (lane !== undefined) settle(node, lane);
    }
    const newcomers = nodes.filter((node) => !slots.has(node)).sort((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0));
    for (const node of newcomers) {
      const around = (near.get(node) ?? []).map((other) => fixedLane(other) ?? this.lanes.get(other)).filter((lane) => lane !== undefined);
      settle(node, around.length > 0 ? around.reduce((sum, lane) => sum + lane, 0) / around.length : 0.5);
    }
    return slots;
  }
}

/** By rank the least distance between two lanes; a column with one node has none. */
export function leastGaps(slots: Iterable<Slot>): Map<number, number> {
  const columns = new Map<number, number[]>();
  for (const { rank, lane } of slots) columns.set(rank, [...(columns.get(rank) ?? []), lane]);
  const gaps = new Map<number, number>();
  for (const [rank, lanes] of columns) {
    lanes.sort((a, b) => a - b);
    for (let index = 1; index < lanes.length; index++) {
      gaps.set(rank, Math.min(gaps.get(rank) ?? Infinity, (lanes[index] ?? 0) - (lanes[index - 1] ?? 0)));
    }
  }
  return gaps;
}

/** The lane nearest to `wish` that nobody has; lanes lie on one grid for all columns, which is split where a column is full. */
function freeLane(taken: readonly number[], wish: number): number {
  for (let split = 1; split <= FINEST; split *= 2) {
    const count = LANES * split;
    const free = (lane: number) => lane >= 0 && lane <= count && taken.every((other) => Math.abs(other - lane / count) > 0.6 / count);
    const nearest = Math.round(wish * count);
    for (let away = 0; away <= count; away++) {
      if (free(nearest - away)) return (nearest - away) / count;
      if (free(nearest + away)) return (nearest + away) / count;
    }
  }
  return Math.min(Math.max(wish, 0), 1);
}
