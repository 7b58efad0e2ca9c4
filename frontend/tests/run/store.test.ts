import { describe, expect, it, vi } from "vitest";
import { movingAverage } from "../../src/stream/candidates";
import { decodeFloats } from "../../src/stream/floats";
import { RunStore } from "../../src/stream/store";
import { born, event, family, structure, told } from "./events";
import { snapshotOf } from "./pastServer";

/** A store whose flush the test calls itself. */
function storeWithFlush() {
  const waiting: (() => void)[] = [];
  const store = new RunStore((flush) => waiting.push(flush));
  return { store, waiting, flush: () => waiting.splice(0).forEach((run) => run()) };
}

describe("ranges of events", () => {
  it("applies contiguous ranges whose structure frames were thinned", () => {
    const { store } = storeWithFlush();
    expect(store.applyRange(1, 3, [event(1, family as never), structure(3, Array<number>(12).fill(0.25))])).toBe("applied");
    expect(store.applyRange(4, 9, [born(7, 0), told(9, 0, 0.5)])).toBe("applied");
    expect(store.lastSeq).toBe(9);
    expect(store.frames.get("normal")?.items).toHaveLength(1);
    expect(store.candidates.values[0]).toBe(0.5);
  });

  it("drops what is known, whole or in part", () => {
    const { store } = storeWithFlush();
    store.applyRange(1, 2, [born(1, 0), told(2, 0, 0.5)]);
    expect(store.applyRange(1, 2, [born(1, 0), told(2, 0, 0.9)])).toBe("known");
    expect(store.applyRange(2, 4, [told(2, 0, 0.9), born(3, 1), told(4, 1, 0.7)])).toBe("applied");
    expect(store.candidates.told.map((row) => row.value)).toEqual([0.5, 0.7]);
  });

  it("applies nothing behind a gap and goes on once it is filled", () => {
    const { store } = storeWithFlush();
    store.applyRange(1, 1, [born(1, 0)]);
    expect(store.applyRange(3, 3, [born(3, 1)])).toBe("gap");
    expect(store.lastSeq).toBe(1);
    expect(store.candidates.count).toBe(1);
    expect(store.applyRange(2, 3, [told(2, 0, 0.4), born(3, 1)])).toBe("applied");
    expect(store.candidates.count).toBe(2);
  });

  it("goes on from a snapshot", () => {
    const { store } = storeWithFlush();
    const doubted = told(4, 0, 0.4);
    const said = [
      event(1, family as never), born(2, 0), born(3, 1), { ...doubted, data: { ...doubted.data, warnings: ["Validation loss 115,875 nats is absurd."] } as never },
      event(5, { kind: "metrics", step: 1, samples: 10, values: { val_loss: 2 } }, "phase:0"), event(6, { kind: "metrics", step: 2, samples: 20, values: { val_loss: 1 } }, "phase:0"),
      structure(40, Array<number>(12).fill(0.25)),
    ];
    store.restore(snapshotOf(said, 100));
    expect(store.frames.get("normal")?.items.map((frame) => frame.seq)).toEqual([40]);
    expect(store.candidates.warnings.get(0)).toEqual(["Validation loss 115,875 nats is absurd."]);
    expect(store.applyRange(90, 101, [told(90, 0, 0.9), told(101, 1, 0.6)])).toBe("applied");
    expect(store.candidates.told.map((row) => [row.number, row.value])).toEqual([[0, 0.4], [1, 0.6]]);
    expect(store.series.get("phase:0")?.get("val_loss")?.values).toEqual([2, 1]);
  });
});

describe("topics", () => {
  it("tells listeners once a frame, and only those whose topic changed", () => {
    const { store, waiting, flush } = storeWithFlush();
    store.applyRange(1, 1, [event(1, family as never)]);
    flush();
    const trials = vi.fn();
    const pictures = vi.fn();
    store.subscribe("candidates", trials);
    store.subscribe("structure", pictures);
    for (let seq = 2; seq <= 301; seq++) store.applyRange(seq, seq, [structure(seq, Array<number>(12).fill(0.25))]);
    expect(waiting).toHaveLength(1);
    flush();
    expect(pictures).toHaveBeenCalledTimes(1);
    expect(trials).not.toHaveBeenCalled();
  });

  it("holds 100,000 events and 10,000 genomes in bounded memory", () => {
    const { store } = storeWithFlush();
    let seq = 0;
    for (let number = 0; number < 10_000; number++) {
      store.applyRange(seq + 1, seq + 2, [born(seq + 1, number, number > 0 ? [number - 1] : []), told(seq + 2, number, number / 10_000)]);
      seq += 2;
    }
    const frame = Array<number>(12).fill(0.25);
    for (; seq < 100_000; seq++) store.applyRange(seq + 1, seq + 1, [structure(seq + 1, frame)]);
    expect(store.candidates.count).toBe(10_000);
    expect(store.candidates.bestAt(Infinity)).toBe(9_999);
    const kept = store.frames.get("normal")?.items ?? [];
    expect(kept.length).toBeLessThanOrEqual(4000);
    expect(kept.at(-1)?.seq).toBe(100_000);
    expect(store.log.length).toBeLessThanOrEqual(5000);
  });
});

describe("the shown moment", () => {
  it("cuts best, ancestry and derived at the cursor", () => {
    const { store } = storeWithFlush();
    store.applyRange(1, 6, [born(1, 0), told(2, 0, 0.5), born(3, 1, [0]), told(4, 1, 0.8), born(5, 2, [1]), told(6, 2, 0.6)]);
    expect(store.candidates.bestAt(store.shown)).toBe(1);
    store.setCursor(3);
    expect(store.candidates.bestAt(store.shown)).toBe(0);
    store.setCursor(6);
    expect(store.cursor).toBeNull();
  });
});

describe("candidates", () => {
  it("follows tell order for the best so far, skipping failures; the earlier of equals stays", () => {
    const { store } = storeWithFlush();
    store.applyRange(1, 8, [
      born(1, 0), born(2, 1), born(3, 2), born(4, 3), told(5, 0, 0.5), told(6, 1, 0, "failed"), told(7, 2, 0.7), told(8, 3, 0.7),
    ]);
    expect(store.candidates.told.map((row) => row.best)).toEqual([0.5, 0.5, 0.7, 0.7]);
    expect(store.candidates.bestAt(Infinity)).toBe(2);
    expect(store.candidates.reasons[1]).toBe("loss is not a number");
  });

  it("finds all ancestors once, also through two parents", () => {
    const { store } = storeWithFlush();
    store.applyRange(1, 5, [born(1, 0), born(2, 1), born(3, 2, [0, 1]), born(4, 3, [2, 0]), born(5, 4)]);
    expect(store.candidates.ancestry(3)).toEqual([3, 2, 1, 0]);
    expect(store.candidates.ancestry(4)).toEqual([4]);
  });

  it("averages the last values only, without the failed", () => {
    expect(movingAverage([1, NaN, 3, 5], 2)).toEqual([1, 1, 2, 4]);
    expect(movingAverage([NaN], 2)[0]).toBeNaN();
  });
});

describe("float arrays", () => {
  it("reads little-endian float32", () => {
    // search_engine.events.encode_floats([0.125, -2.5, 1e-3])
    expect([...decodeFloats("AAAAPgAAIMBvEoM6")]).toEqual([0.125, -2.5, Math.fround(1e-3)]);
    expect(() => decodeFloats(btoa("abc"))).toThrow("3 bytes");
  });
});
