/** When things happened: the page and the server count alike (scripts/past_fixtures.py), so that a time line can begin with one and go on with the other. */
import { describe, expect, it } from "vitest";
import { RunStore } from "../../src/stream/store";
import type { EventRecord } from "../../src/types/events.gen";
import contract from "../fixtures/contract.json";
import pasts from "../fixtures/pasts.json";
import { run } from "./events";

interface Counted {
  times: number[];
  timeline: { seqs: number[]; at: number[]; ticks: number[]; marks: number[] };
}

const RUNS = contract.runs as unknown as Record<string, { events: EventRecord[] }>;

function sums(deltas: readonly number[]): number[] {
  let sum = 0;
  return deltas.map((delta) => (sum += delta));
}

describe("active seconds", () => {
  it.each(Object.entries(pasts as Record<string, Counted>))("of %s are the server's", (name, { times, timeline }) => {
    const events = RUNS[name]!.events.map((event, place) => ({ ...event, time: times[place]! }));
    const store = new RunStore((flush) => flush());
    store.setRun(run());
    store.applyRange(1, events.length, events);
    expect(store.timeline.seqs).toEqual(sums(timeline.seqs));
    expect(store.timeline.ticks).toEqual(sums(timeline.ticks));
    expect(store.marks).toEqual(sums(timeline.marks));
    expect(store.timeline.at).toHaveLength(timeline.at.length);
    store.timeline.at.forEach((seconds, place) => expect(Math.abs(seconds - timeline.at[place]!)).toBeLessThan(0.00051));
  });
});
