import { describe, expect, it } from "vitest";
import { leader } from "../../src/charts/decisions";
import { candidatePoints } from "../../src/charts/individualPoints";
import { fitnessRange } from "../../src/charts/population";
import { trialCurves } from "../../src/charts/progress";
import { describeGraph, freePlace } from "../../src/graph/GenomeGraph";
import { LaneLayout } from "../../src/graph/layout/incremental";
import { layered, longestPathRanks, type Link } from "../../src/graph/layout/layered";
import { inTriangle, topThree } from "../../src/graph/simplex";
import { distanceTo, makeStrands, pickStrand } from "../../src/graph/strands";
import { shownWeights, trendOf } from "../../src/graph/SupernetPicture";
import { Tween } from "../../src/graph/tween";
import { Moments } from "../../src/stream/moments";
import { RunStore, type Frame } from "../../src/stream/store";
import type { FamilyGroup } from "../../src/types/events.gen";
import { born, family, told } from "./events";

const group = family.groups[0] as unknown as FamilyGroup;

/** Numbers that look random and are the same every time (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

describe("gliding", () => {
  it("goes from what is shown to the target, also when the target changes half-way", () => {
    const tween = new Tween(100);
    tween.aim([0, 1], 0);
    expect([...tween.values]).toEqual([0, 1]);
    tween.aim([1, 0], 0);
    expect(tween.advance(50)).toBe(true);
    const half = tween.values[0] ?? 0;
    expect(half).toBeGreaterThan(0.5);
    tween.aim([0, 0], 50);
    tween.advance(50);
    expect(tween.values[0]).toBeCloseTo(half);
    expect(tween.advance(200)).toBe(false);
    expect([...tween.values]).toEqual([0, 0]);
  });

  it("jumps where motion is unwanted", () => {
    const tween = new Tween(100);
    tween.aim([0], 0);
    tween.aim([1], 0, true);
    expect(tween.values[0]).toBe(1);
    expect(tween.advance(1)).toBe(false);
  });
});

describe("strands", () => {
  const places = new Map([["a", { x: 0, y: 100 }], ["b", { x: 200, y: 100 }], ["c", { x: 200, y: 300 }]]);
  const strands = makeStrands([["a", "b"], ["a", "c"]], 3, places, 1000);

  it("fans the operations of an edge out around the line between its nodes", () => {
    const heights = strands.slice(0, 3).map((strand) => strand.line[strand.line.length / 2] !== undefined && strand.c1.y);
    expect(heights[1]).toBe(100);
    expect(new Set(heights).size).toBe(3);
  });

  it("picks the nearest visible one within the tolerance", () => {
    const at = { x: 100, y: 104 };
    expect(pickStrand(strands, at, 10, () => 1, () => true)).toMatchObject({ edge: 0, operation: 1 });
    expect(pickStrand(strands, at, 10, () => 1, (strand) => strand.operation === 2)).toMatchObject({ edge: 0, operation: 2 });
    expect(pickStrand(strands, { x: 100, y: 40 }, 10, () => 1, () => true)).toBeUndefined();
  });

  it("measures the distance from a line", () => {
    expect(distanceTo(new Float32Array([0, 0, 10, 0]), { x: 5, y: 3 })).toBe(3);
    expect(distanceTo(new Float32Array([0, 0, 10, 0]), { x: 13, y: 4 })).toBe(5);
  });
});

describe("weights in words and figures", () => {
  it("shows one strand per kept edge in the derived picture", () => {
    const weights = shownWeights(new Float32Array(12).fill(0.25), group, new Map([[2, [1]]]));
    expect([...weights].filter((value) => value > 0)).toHaveLength(1);
    expect(weights[2 * 4 + 1]).toBeGreaterThan(0.5);
  });

  it("says where a weight is going", () => {
    const log = new Moments<Frame>();
    for (let step = 0; step < 20; step++) log.add({ seq: step + 1, step, values: Float32Array.from([0.02 * step, 0.5]) });
    expect(trendOf(log, 19, 0)).toBe("rising by 0.24 over the last 12 frames");
    expect(trendOf(log, 19, 1)).toBe("steady over the last 12 frames");
    expect(trendOf(log, 0, 0)).toBe("first frame");
  });

  it("knows the leader of an edge and how clearly it leads", () => {
    expect(leader([0.25, 0.25, 0.25, 0.25], 0, 4).lead).toBe(0);
    expect(leader([0, 0, 0, 0, 0, 1, 0, 0], 1, 4)).toEqual({ operation: 1, weight: 1, lead: 1 });
  });

  it("puts three shares into their triangle", () => {
    const corners: [{ x: number; y: number }, { x: number; y: number }, { x: number; y: number }] = [{ x: 0, y: 0 }, { x: 9, y: 0 }, { x: 0, y: 9 }];
    expect(inTriangle([0.5, 0, 0], corners)).toEqual({ x: 0, y: 0 });
    expect(inTriangle([0.1, 0.1, 0.1], corners).x).toBeCloseTo(3);
    expect(topThree([0.1, 0.4, 0.2, 0.3], 0, 4)).toEqual([1, 3, 2]);
  });
});

describe("layouts", () => {
  it("ranks by the longest path", () => {
    const ranks = longestPathRanks(["a", "b", "c", "d"], [["a", "b"], ["b", "c"], ["a", "c"], ["c", "d"], ["a", "d"]]);
    expect([...ranks.values()]).toEqual([0, 1, 2, 3]);
    expect(layered(["a", "b"], [["a", "b"]]).get("b")).toEqual({ x: 1, y: 0.5 });
  });

  it("leaves nodes in their lanes while the graph grows (measured: 0.2 px of vertical move on average, 9 % of nodes more than 20 px)", () => {
    let moved = 0;
    let far = 0;
    let compared = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const next = random(seed);
      const pick = (count: number) => Math.floor(next() * count);
      const nodes = Array.from({ length: 30 }, (_, index) => `n${index}`);
      const links: Link[] = nodes.slice(1).map((node, index) => [nodes[pick(index + 1)] ?? "n0", node]);
      const layout = new LaneLayout();
      let before = layout.place(nodes, links, () => undefined);
      for (let mutation = 0; mutation < 6; mutation++) {
        // A node in the middle of an edge: everything behind it moves one rank on.
        const [source, target] = links.splice(pick(links.length), 1)[0] ?? ["n0", "n1"];
        const made = `m${mutation}`;
        nodes.push(made);
        links.push([source, made], [made, target]);
        const after = layout.place(nodes, links, () => undefined);
        for (const [node, slot] of before) {
          const vertical = Math.abs((after.get(node)?.lane ?? 0) - slot.lane) * 700;
          moved += vertical;
          far += vertical > 20 ? 1 : 0;
          compared++;
        }
        before = after;
      }
    }
    expect(moved / compared).toBeLessThan(4);
    expect(far / compared).toBeLessThan(0.09);
  });

  it("gives no two nodes of a column one lane, and a node that comes back its old one", () => {
    const layout = new LaneLayout();
    const nodes = Array.from({ length: 60 }, (_, index) => `n${index}`);
    const slots = layout.place(nodes, [], () => undefined);
    expect(new Set([...slots.values()].map((slot) => slot.lane)).size).toBe(60);
    layout.place(nodes.slice(0, 30), [], () => undefined);
    expect(layout.place(nodes, [], () => undefined).get("n45")?.lane).toBe(slots.get("n45")?.lane);
  });

  it("moves labels away from nodes and from each other", () => {
    const boxes = [{ x: 46, y: 0, w: 5, h: 5 }];
    const along = (t: number) => ({ x: 100 * t, y: 0 });
    const first = freePlace(along, 3, 3, boxes);
    expect(Math.abs(first.x - 46)).toBeGreaterThanOrEqual(8);
    const second = freePlace(along, 3, 3, boxes);
    expect(Math.abs(second.x - first.x)).toBeGreaterThanOrEqual(6);
  });

  it("says a graph in words", () => {
    const node = (id: string) => ({ id, label: id, kind: "hidden", aggregation: null, attributes: {} });
    const graph = { nodes: [node("c_{k-1}"), node("0")], edges: [{ source: "c_{k-1}", target: "0", key: "skip_connect", operation: "skip_connect", attributes: {} }], attributes: {} };
    expect(describeGraph(graph)).toBe("c{k−1} to 0: skip_connect");
  });
});

describe("the population", () => {
  const store = new RunStore((flush) => flush());
  store.applyRange(1, 8, [born(1, 0), told(2, 0, 0.5), born(3, 1, [0]), told(4, 1, 0.4), born(5, 2, [0]), told(6, 2, 0, "failed"), born(7, 3, [1]), told(8, 3, 0.9)]);

  it("draws every result in birth order and the ancestry of the best", () => {
    const points = candidatePoints(store, 1);
    expect([...points.numbers]).toEqual([0, 1, 3]);
    expect(points.ancestry.map((index) => points.numbers[index])).toEqual([3, 1, 0]);
    expect(points.numbers[points.best]).toBe(3);
    expect(points.numbers[points.selected]).toBe(1);
    expect(points.bestLabel).toBe("best 0.9000 · #3");
  });

  it("has best so far and moving average over samples", () => {
    const { curves, xLabel } = trialCurves(store);
    expect(xLabel).toBe("samples processed");
    expect(curves.find((curve) => curve.label === "best so far")?.y).toEqual([0.5, 0.5, 0.5, 0.9]);
    expect(curves[0]?.x).toEqual([100, 200, 300, 400]);
  });

  it("leaves a few of the worst below the axis", () => {
    const [low, high] = fitnessRange([...Array.from({ length: 99 }, (_, index) => 0.8 + index / 1000), 0.1]);
    expect(low).toBeGreaterThan(0.7);
    expect(high).toBeGreaterThan(0.898);
    expect(fitnessRange([])).toEqual([0, 1]);
  });
});
