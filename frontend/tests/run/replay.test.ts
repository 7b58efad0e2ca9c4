import { describe, expect, it } from "vitest";
import { ReplayClock } from "../../src/stream/clock";
import { RunStore } from "../../src/stream/store";
import { LONGEST_GAP, Timeline } from "../../src/stream/timeline";
import { event, family, structure } from "./events";

describe("the time line", () => {
  it("cuts pauses short and spreads what was committed in one instant", () => {
    const line = new Timeline();
    line.add(1, 100, false);
    line.add(2, 101, true);
    line.add(3, 4000, true);
    expect(line.timeOf(3) - line.timeOf(2)).toBe(LONGEST_GAP);
    line.add(4, 4000, true);
    line.add(5, 4000, true);
    expect(line.timeOf(5)).toBeGreaterThan(line.timeOf(4));
    expect(line.seqAt(line.timeOf(4))).toBe(4);
    expect(line.seqAt(-1)).toBe(0);
  });

  it("steps over what changes no picture", () => {
    const line = new Timeline();
    [true, false, false, true, true].forEach((visible, index) => line.add(index + 1, index, visible));
    expect(line.tick(1, 1)).toBe(4);
    expect(line.tick(3, -1)).toBe(1);
    expect(line.tick(4, 99)).toBe(5);
  });
});

describe("the replay clock", () => {
  function setup() {
    const store = new RunStore((flush) => flush());
    store.applyRange(1, 1, [event(1, family as never, "phase:0", 0)]);
    for (let seq = 2; seq <= 11; seq++) store.applyRange(seq, seq, [{ ...structure(seq, Array<number>(12).fill(0.25)), time: seq - 1 }]);
    const steps: ((now: number) => void)[] = [];
    const clock = new ReplayClock(store, { request: (step) => steps.push(step), cancel: () => steps.splice(0) });
    const frame = (now: number) => steps.splice(0).forEach((step) => step(now));
    return { store, clock, frame };
  }

  it("plays from the beginning at its speed and ends live", () => {
    const { store, clock, frame } = setup();
    clock.setSpeed(10);
    clock.play();
    expect(store.cursor).toBe(2);
    frame(0);
    frame(100);
    expect(store.cursor).toBe(3);
    frame(300);
    expect(store.cursor).toBe(5);
    for (let now = 500; now < 3000; now += 200) frame(now);
    expect(store.cursor).toBeNull();
    expect(clock.playing).toBe(false);
  });

  it("steps by pictures, and events that come meanwhile do not move the shown moment", () => {
    const { store, clock } = setup();
    clock.skip(-2);
    expect(store.cursor).toBe(9);
    store.applyRange(12, 12, [structure(12, Array<number>(12).fill(0.25))]);
    expect(store.cursor).toBe(9);
    clock.skip(99);
    expect(store.cursor).toBeNull();
    clock.first();
    expect(store.cursor).toBe(2);
  });
});
