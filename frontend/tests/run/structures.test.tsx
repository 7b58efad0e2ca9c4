/** The live pictures of searches that are no family of weights: what the store keeps, how it is laid out, what is said of it. */
import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { rowsOverTime } from "../../src/charts/certainty";
import { trialCurves } from "../../src/charts/progress";
import { blocksOf, placeBlocks } from "../../src/decisions/blocks";
import { entropyShare, marginalFacts, policyFacts } from "../../src/decisions/facts";
import { marginalsOf, policyOf } from "../../src/decisions/frames";
import { meanSpan } from "../../src/decisions/marginalBars";
import { overlapping } from "../../src/graph/GenomeGraph";
import { scoreColour } from "../../src/graph/scoreColour";
import { viewsOf } from "../../src/pictures/views";
import { StructurePanel } from "../../src/run/StructurePanel";
import { valueText } from "../../src/run/ValueRow";
import { Moments } from "../../src/stream/moments";
import { RunStore } from "../../src/stream/store";
import { antAt, attributesOf, colonyGraph, decidedness } from "../../src/structures/colonyGraph";
import { usersOf } from "../../src/structures/domainColours";
import { FALLEN, livingAt, livingFacts } from "../../src/structures/living";
import { linksOf, overlapOf, pathwayFlow } from "../../src/structures/pathwayFlow";
import { byMean, spanOf } from "../../src/structures/surrogatePlots";
import type { ColonyFrame, DecisionInfo, PathwaysFrame } from "../../src/types/events.gen";
import { algorithm, born, encodeFloats, event, filled, run, told } from "./events";
import { snapshotOf } from "./pastServer";
import { pictureOf, propsOf } from "./fixtures";

const decision = (key: string, kind: string, choices: string[], more: Partial<DecisionInfo> = {}): DecisionInfo => ({
  key, title: key, kind, choices, row: null, column: null, group: null, edge: null, ...more,
});
const numbers = ["1", "2", "3"];
const counting = numbers.map((number) => decision(`place${number}`, "number", numbers, { title: `Number ${number}` }));
const diagonal = [0.8, 0.1, 0.1, 0.2, 0.6, 0.2, 0, 0.5, 0.5];
const policy = (seq: number, probabilities: number[], more: object = {}) =>
  event(seq, { kind: "policy", step: seq, domain: null, probabilities: encodeFloats(probabilities), sampled: [0, 1, 2], parent: [], resampled: [], values: { entropy_share: 0.4 }, ...more } as never);
const declared = (seq: number, decisions = counting) => event(seq, { kind: "decisions", decisions } as never);

const colony: ColonyFrame = {
  kind: "colony", step: 9, depth: 2,
  edges: [
    { depth: 0, source: "input", target: "conv", pheromone: 0.2, heuristic: 1, probability: 1 },
    { depth: 1, source: "conv", target: "pool", pheromone: 0.1, heuristic: 1.2, probability: 0.6 },
    { depth: 1, source: "conv", target: "conv", pheromone: 0.1, heuristic: 0.8, probability: 0.4 },
  ],
  attributes: { "1/conv/filters": { 8: 0.5, 16: 0.5 }, "1/conv/kernel": { 1: 1, 3: 0 }, "2/pool/kind": { max: 0.5, avg: 0.5 } },
  ants: [{ number: 3, path: ["input", "conv", "pool"], inherited: 1 }, { number: 4, path: ["input", "conv"], inherited: 0 }],
  best: ["input", "conv", "pool"], values: { depth: 2 },
};
const pathways: PathwaysFrame = {
  kind: "pathways", step: 5, task: 1, layers: 2, modules: 3,
  population: [[[0, 0], [1]], [[0], [1, 2]]], fitness: [0.5, null], metric: "val_accuracy", frozen: [[0], [2]], earlier: [[[0], [2]]], best: [[0], [1, 2]], tournament: [0, 1], values: { diversity: 0.3 },
};

let flushes: (() => void)[];
let store: RunStore;
const flush = () => act(() => flushes.splice(0).forEach((call) => call()));

beforeAll(() => {
  HTMLCanvasElement.prototype.getContext = (() =>
    new Proxy({}, { get: (_, name) => (name === "measureText" ? () => ({ width: 10 }) : () => undefined), set: () => true })) as never;
});
beforeEach(() => {
  flushes = [];
  store = new RunStore((call) => flushes.push(call));
  store.setRun(run());
});
afterEach(cleanup);

describe("what the store keeps", () => {
  it("keeps each kind of picture with its history, so that the time bar shows them too", () => {
    store.applyRange(1, 20, filled(20, declared(1), policy(5, diagonal), policy(9, diagonal.map(() => 1 / 3)), event(12, colony as never), event(15, pathways as never)));
    const { pictures } = store;
    const probability = () => policyOf(pictures.at("policy", store.shown)!).probabilities[0];
    expect(store.decisions).toHaveLength(3);
    expect(pictures.at("policy", store.shown)?.step).toBe(9);
    store.setCursor(7);
    expect(probability()).toBeCloseTo(0.8);
    expect(pictures.at("colony", store.shown)).toBeUndefined();
    store.setCursor(2);
    expect(pictures.at("policy", store.shown)).toBeUndefined();
    expect(store.timeline.ticks).toEqual([5, 9, 12, 15]);
  });

  it("tells the policies of several data sets apart", () => {
    store.applyRange(1, 3, [declared(1), policy(2, diagonal, { domain: 0 }), policy(3, diagonal, { domain: 1 })]);
    expect([...store.pictures.of("policy").keys()]).toEqual(["0", "1"]);
  });

  it("bounds the history and always has the newest", () => {
    const log = new Moments<{ seq: number; text: string }>(100);
    for (let seq = 1; seq <= 10_000; seq++) log.add({ seq, text: "in order" });
    expect(log.items.length).toBeLessThanOrEqual(100);
    expect(log.at(Infinity)?.seq).toBe(10_000);
    expect(log.at(10_000)?.seq).toBe(10_000);
    expect(log.at(0)).toBeUndefined();
    log.add({ seq: 9000, text: "too late" });
    expect(log.at(Infinity)?.seq).toBe(10_000);
  });

  it("finds a moment by looking at a few items only", () => {
    let looks = 0;
    const log = new Moments<{ seq: number }>(5000);
    for (let seq = 1; seq <= 4096; seq++) {
      log.add({
        get seq() {
          looks++;
          return seq;
        },
      });
    }
    looks = 0;
    expect(log.at(1000)?.seq).toBe(1000);
    expect(looks).toBeLessThan(20);
  });

  it("begins with a snapshot's pictures", () => {
    const control = event(30, { kind: "control", name: "c", title: "C", message: "", values: {} });
    store.restore(snapshotOf([declared(1), policy(5, diagonal), event(20, colony as never), control], 50));
    expect(store.decisions).toHaveLength(3);
    expect(store.pictures.at("policy", 50)?.step).toBe(5);
    expect(store.pictures.at("colony", 50)?.depth).toBe(2);
    expect(store.controls).toHaveLength(1);
  });
});

describe("which pictures there are", () => {
  const ids = () => viewsOf(store, "structure").map((view) => view.key);

  it("follows the events, what the algorithm is about first", () => {
    store.applyRange(1, 3, [declared(1), policy(2, diagonal), event(3, { kind: "marginals", step: 3, counts: encodeFloats(diagonal), means: encodeFloats(diagonal) } as never)]);
    expect(ids()).toEqual(["policy", "marginals", "figures"]);
    store.applyRange(4, 4, [event(4, pathways as never)]);
    expect(ids()[0]).toBe("pathways");
  });

  it("has them in the order that the algorithm declares", () => {
    store.applyRange(1, 3, [declared(1), policy(2, diagonal), event(3, pathways as never)]);
    expect(ids()).toEqual(["pathways", "policy", "figures"]);
    store.setRun(run({ algorithm: algorithm("X", ["policy", "hologram", "pathways"]) }));
    expect(ids()).toEqual(["policy", "pathways", "figures"]);
  });

  it("has a queue where the algorithm declares one, whatever its options are called", () => {
    store.applyRange(1, 2, [born(1, 0), told(2, 0, 0.5)]);
    store.setRun(run({ options: { population: 10 } }));
    expect(ids()).toEqual(["genome"]);
    store.setRun(run({ algorithm: algorithm("X", ["queue"]), options: { population: 10 } }));
    expect(ids()).toEqual(["queue", "genome", "figures"]);
  });
});

describe("decisions as blocks", () => {
  it("makes one heat map where all have the same choices", () => {
    const [block, ...more] = blocksOf(counting);
    expect(more).toEqual([]);
    expect(block).toMatchObject({ shape: "strips", decisions: [0, 1, 2], rows: ["Number 1", "Number 2", "Number 3"], columns: numbers });
  });

  it("puts skip connections into a matrix of layers x earlier layers and says a common end once", () => {
    const layered = [0, 1, 2].flatMap((layer) => [
      decision(`op${layer}`, "operation", ["conv", "pool"], { title: `Layer ${layer + 1}: operation` }),
      ...Array.from({ length: layer }, (_, earlier) => decision(`skip${layer}${earlier}`, "skip", ["no", "yes"], { row: layer, column: earlier })),
    ]);
    const [operations, skips] = blocksOf(layered);
    expect(operations).toMatchObject({ title: "Operation", rows: ["Layer 1", "Layer 2", "Layer 3"], decisions: [0, 1, 3] });
    expect(skips).toMatchObject({ shape: "matrix", decisions: [2, 4, 5], rows: ["layer 2", "layer 3"], columns: ["1", "2"] });
    expect(skips?.cells).toEqual([{ row: 0, column: 0 }, { row: 1, column: 0 }, { row: 1, column: 1 }]);
  });

  it("fits any number of blocks into the panel without overlap", () => {
    const many = Array.from({ length: 9 }, (_, index) => decision(`d${index}`, `kind${index}`, Array.from({ length: 2 + index }, (_, choice) => `choice ${choice}`)));
    const placed = placeBlocks(blocksOf([...many, ...counting]), 600, 500, (text) => 6 * text.length);
    expect(placed).toHaveLength(10);
    for (const item of placed) {
      expect(item.y + item.head + item.block.rows.length * item.cellHeight).toBeLessThanOrEqual(500);
      expect(item.x + item.labels + item.block.columns.length * item.cellWidth).toBeLessThanOrEqual(601);
    }
    const inColumn = placed.filter((item) => item.x === 0).sort((a, b) => a.y - b.y);
    inColumn.slice(1).forEach((item, index) => {
      const above = inColumn[index]!;
      expect(item.y).toBeGreaterThanOrEqual(above.y + above.head + above.block.rows.length * above.cellHeight);
    });
  });

  it("says the most probable choice, the sample and the entropy of each", () => {
    store.applyRange(1, 2, [declared(1), policy(2, [0, 0, 0, ...diagonal.slice(3)])]);
    const facts = policyFacts(counting, policyOf(store.pictures.at("policy", 2)!));
    expect(facts[0]).toMatchObject({ choice: null, probability: 0 });
    expect(facts[1]).toMatchObject({ choice: "2", sampled: "2" });
    expect(facts[2]?.entropy).toBeCloseTo(Math.log(2) / Math.log(3));
    expect(entropyShare([0.25, 0.25, 0.25, 0.25], 0, 4)).toBeCloseTo(1);
    expect(entropyShare([1, 0], 0, 2)).toBe(0);
  });

  it("never takes a choice without a score for the worst", () => {
    const numbers = { counts: [4, 1, 0, 2, 2, 1, 1, 1, 1], means: [0.5, 0, 0, 0.7, 0.9, 0, 0.6, 0.6, 0.6] };
    const frame = { kind: "marginals", seq: 1, step: 1, counts: encodeFloats(numbers.counts), means: encodeFloats(numbers.means) } as const;
    const marginals = marginalsOf({ ...frame, unscored: [1, 5] });
    expect(meanSpan(marginals.counts, marginals.means).map((value) => Number(value.toFixed(3)))).toEqual([0.5, 0.9]);
    expect(marginalFacts(counting, marginals)[0]).toMatchObject({ tried: 5, often: "1", best: "1" });
    expect(marginalFacts(counting, marginals)[1]).toMatchObject({ best: "2" });
    // A score of 0 is one: what was never tried (place 2) has none.
    expect(Array.from(marginalsOf({ ...frame }).means.slice(0, 3))).toEqual([0.5, 0, NaN]);
    expect(meanSpan(marginals.counts, marginalsOf({ ...frame }).means)[0]).toBe(0);
  });
});

describe("the colony", () => {
  it("counts ants and inherited layers per node, and how decided its attributes are", () => {
    const graph = colonyGraph(colony);
    const conv = graph.nodes.find((node) => node.id === "1/conv");
    expect(conv).toMatchObject({ ants: 2, inherited: 1 });
    // One attribute is open, the other decided.
    expect(conv?.decided).toBeCloseTo(0.5);
    expect(graph.nodes.find((node) => node.id === "2/pool")).toMatchObject({ ants: 1, inherited: 0, decided: 0 });
    expect(graph.columns).toBe(3);
    expect(attributesOf(colony, "1/conv").map(([name]) => name)).toEqual(["filters", "kernel"]);
    expect(decidedness([1])).toBe(1);
  });

  it("keeps every type in its row however the graph grows", () => {
    const rows = colonyGraph(colony).rows;
    const grown = colonyGraph({ ...colony, edges: [...colony.edges, { depth: 2, source: "pool", target: "dense", pheromone: 0.1, heuristic: 1, probability: 1 }] });
    expect(grown.rows).toEqual(rows);
    expect(grown.columns).toBe(4);
  });

  it("lets ants walk to their end and stay there", () => {
    const ant = colony.ants[0]!;
    expect(antAt(ant, 0)).toEqual({ from: "input", to: "conv", column: 0, share: 0 });
    expect(antAt(ant, 1.25)).toEqual({ from: "conv", to: "pool", column: 1, share: 0.25 });
    expect(antAt(ant, 7)).toEqual({ from: "pool", to: "pool", column: 2, share: 0 });
    expect(antAt({ number: null, path: [], inherited: 0 }, 1)).toBeNull();
  });
});

describe("pathways", () => {
  it("counts genotypes on pairs of modules; a module that is named twice counts once", () => {
    const { flows, usage } = pathwayFlow(pathways);
    expect(flows).toEqual([{ layer: 0, from: 0, to: 2, count: 1 }, { layer: 0, from: 0, to: 1, count: 2 }]);
    expect(usage).toEqual([[2, 0, 0], [0, 2, 1]]);
    expect(linksOf([[1], [0, 2]])).toEqual([{ layer: 0, from: 1, to: 0 }, { layer: 0, from: 1, to: 2 }]);
  });
  it("counts what the best path takes over from earlier tasks", () => {
    expect(overlapOf(pathways)).toBe(2);
    expect(overlapOf({ ...pathways, frozen: [] })).toBe(0);
  });
});

describe("several data sets in one network", () => {
  it("says who goes through each module", () => {
    const users = usersOf([[0, 1], [0, 2]], 2, 3);
    expect(users).toEqual([[[0, 1], [], []], [[], [0], [1]]]);
  });
});

describe("the aging queue", () => {
  it("holds the last P that gave a score, the oldest first; failures push nobody out", () => {
    const events = [0, 1, 2, 3, 4].flatMap((number) => [born(2 * number + 1, number, number > 2 ? [number - 2] : []), told(2 * number + 2, number, number / 10, number === 3 ? "failed" : "completed")]);
    store.applyRange(1, 10, events);
    const living = livingAt(store.candidates, Infinity, 2);
    expect(living.map((item) => [item.number, item.fallen])).toEqual([[0, true], [1, true], [2, false], [4, false]]);
    expect(living[3]?.parents).toEqual([2]);
    expect(livingFacts(living)).toMatchObject({ count: 2, best: 0.4 });
    expect(livingAt(store.candidates, 4, 2).map((item) => item.number)).toEqual([0, 1]);
  });

  it("reads only the end of a long run", () => {
    const events = Array.from({ length: 3000 }, (_, number) => [born(2 * number + 1, number), told(2 * number + 2, number, 0.5)]).flat();
    store.applyRange(1, 6000, events);
    const living = livingAt(store.candidates, Infinity, 100);
    expect(living).toHaveLength(100 + FALLEN);
    expect(living.at(-1)?.number).toBe(2999);
  });
});

describe("the surrogate", () => {
  it("orders candidates by what it expects and widens an empty span", () => {
    expect(byMean([0.1, 0.9, 0.5])).toEqual([1, 2, 0]);
    expect(spanOf([NaN, 2, 5])).toEqual([2, 5]);
    expect(spanOf([3])).toEqual([2.5, 3.5]);
    expect(spanOf([])).toEqual([0, 1]);
  });
  it("colours scores from dark to bright", () => {
    expect(scoreColour(0, [0, 1])).toBe("rgb(68 1 84)");
    expect(scoreColour(9, [0, 1])).toBe("rgb(240 220 40)");
    expect(scoreColour(1, [1, 1])).toBe(scoreColour(0.5, [0, 1]));
  });
});

describe("in the panel", () => {
  const panel = () => render(<StructurePanel {...propsOf(store)} />);

  it("draws every kind and says in words what it shows", () => {
    window.history.replaceState(null, "", "/");
    const domains = { kind: "domains", step: 3, layers: 1, modules: ["skip_connect", "nor_conv_3x3"], domains: [0, 1].map((index) => ({ name: `set ${index}`, probabilities: encodeFloats([0.9, 0.1]), path: [0], values: {} })), values: {} };
    const surrogate = { kind: "surrogate", step: 4, means: encodeFloats([0.5, 0.7]), deviations: encodeFloats([0.1, 0.2]), chosen: [1], observed: "", predicted: "", values: {} };
    store.applyRange(1, 6, [declared(1), policy(2, diagonal, { parent: [0, 0, 0], resampled: [1] }), event(3, domains as never), event(4, surrogate as never), event(5, colony as never), event(6, pathways as never)]);
    flush();
    panel();
    const words: Record<string, RegExp> = {
      "Data sets": /^Paths: set 0: skip; set 1: skip/, Pathways: /^Pathways: task B, tournament 5, 2 paths; best path uses 2 frozen modules/,
      Colony: /^Ant colony: depth 2, 2 ants, 3 edges; best path: conv, pool/, Policy: /^Policy: Number 1 1 0.80/, Surrogate: /^Surrogate: 2 candidates.* 0.7000, 1 chosen/,
    };
    for (const [name, text] of Object.entries(words)) {
      fireEvent.click(screen.getByRole("radio", { name }));
      expect(screen.getByRole("img", { name: text })).toBeTruthy();
    }
    fireEvent.click(screen.getByRole("radio", { name: "Policy" }));
    expect(screen.getByRole("img", { name: "Latest child: 1 of 3 decisions drawn anew, 1 of them different from the parent's" })).toBeTruthy();
    expect(screen.getByText("40 % of uniform")).toBeTruthy();
    window.history.replaceState(null, "", "/");
  });

  it("says so where a moment is before the first frame", () => {
    store.applyRange(1, 20, filled(20, declared(1), policy(5, diagonal)));
    store.setCursor(3);
    flush();
    panel();
    expect(screen.getByText("Nothing was recorded before this moment.")).toBeTruthy();
  });

  it("says who lives in the queue", () => {
    store.setRun(run({ algorithm: algorithm("X", ["queue"]), options: { population: 5 } }));
    store.applyRange(1, 2, [born(1, 0), told(2, 0, 0.5)]);
    flush();
    render(<StructurePanel {...propsOf(store)} />);
    expect(screen.getByRole("img", { name: /^Aging population: 1 of 5 live, best validation accuracy \(share of examples\) 0.5000/ })).toBeTruthy();
  });

  it("has every picture as a table", () => {
    store.applyRange(1, 5, [declared(1), policy(2, diagonal), event(3, colony as never), event(4, pathways as never)]);
    flush();
    render(pictureOf("figures", store));
    // A policy has two: what it prefers, and every choice. Each of the three pictures has numbers beside it.
    expect(screen.getAllByRole("table")).toHaveLength(7);
    expect(within(screen.getByRole("table", { name: "Pathways: numbers of this moment" })).getAllByRole("row")[1]?.textContent).toBe("This rundiversity0.3000");
    const rows = (name: RegExp) => within(screen.getByRole("table", { name })).getAllByRole("row");
    expect(rows(/^Policy$/)[1]?.textContent).toBe("Number 110.800158 %");
    expect(rows(/^Pheromone$/)).toHaveLength(1 + colony.edges.length);
    expect(rows(/^Paths of task B/)[1]?.textContent).toContain("1+1 · 2");
  });

  it("writes shares as shares", () => {
    expect(valueText("entropy_share", 0.42)).toBe("42 % of uniform");
    expect(valueText("reuse_rate", 0.05)).toBe("5.0 %");
    expect(valueText("depth", 12)).toBe("12");
  });
});

describe("what was decided when", () => {
  it("gives rows of a policy by kind, of paths by module, of data sets by layer", () => {
    expect(rowsOverTime(store)).toBeNull();
    store.applyRange(1, 3, [declared(1), policy(2, diagonal.map(() => 1 / 3)), policy(3, [1, 0, 0, 0, 1, 0, 0, 0, 1])]);
    const policies = rowsOverTime(store);
    expect(policies?.rows.map((row) => row.label)).toEqual(["Number 1", "Number 2", "Number 3"]);
    expect(policies?.columns.map((column) => Number(column.values[0]?.toFixed(3)))).toEqual([0, 1]);
    const domains = { kind: "domains", step: 3, layers: 2, modules: ["a", "b"], domains: [{ name: "x", probabilities: encodeFloats([1, 0, 0.5, 0.5]), path: [0, 0], values: {} }], values: {} };
    store.applyRange(4, 4, [event(4, domains as never)]);
    expect(rowsOverTime(store, ["digits"])?.rows).toEqual([{ label: "layer 1", group: "digits" }, { label: "layer 2", group: "" }]);
    expect([...(rowsOverTime(store)?.columns[0]?.values ?? [])].map((value) => Math.round(value))).toEqual([1, 0]);
    store.applyRange(5, 5, [event(5, pathways as never)]);
    expect([...(rowsOverTime(store)?.columns[0]?.values ?? [])]).toEqual([1, 0, 0, 0, 1, 0.5]);
  });
});

describe("trials that cost no samples", () => {
  it("are drawn over trials, with best so far and the moving average of the reward", () => {
    const scored = (seq: number, number: number, reward: number) => {
      const record = told(seq, number, 0);
      return { ...record, data: { ...record.data, metrics: { reward }, charged_samples: 0 } } as typeof record;
    };
    store.setRun(run({ search_measure: { kind: "search", metric: "reward", name: "reward", unit: "points", direction: "maximise" } }));
    store.applyRange(1, 6, [born(1, 0), scored(2, 0, 0.2), born(3, 1), scored(4, 1, 0.5), born(5, 2), scored(6, 2, 0.3)]);
    const { xLabel, curves } = trialCurves(store);
    expect(xLabel).toBe("trials");
    expect(curves.map((curve) => [curve.label, curve.x.at(-1), Number(curve.y.at(-1)?.toFixed(3))])).toEqual([["trials", 3, 0.3], ["mean of 10", 3, 0.333], ["best so far", 3, 0.5]]);
  });
});

it("finds out whether nodes of a drawing cover each other", () => {
  const box = (x: number) => ({ x, y: 0, w: 10, h: 5 });
  expect(overlapping([box(0), box(25)])).toBe(false);
  expect(overlapping([box(0), box(25), box(30)])).toBe(true);
});
