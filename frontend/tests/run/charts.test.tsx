/** Charts, reports, masks, draws and steps of growth on the run page: what the store keeps and what the page says. */
import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { rowsOverTime } from "../../src/charts/certainty";
import { progressTabs } from "../../src/charts/progress";
import { neuronFacts, ofNeurons } from "../../src/graph/NeuronPicture";
import { drawsOf, normalisedEntropy } from "../../src/graph/simplex";
import { viewsOf } from "../../src/pictures/views";
import { ChampionView } from "../../src/run/ChampionView";
import { ChartsView } from "../../src/run/ChartsView";
import { GrowthSteps, stepsAt } from "../../src/run/GrowthSteps";
import { rowLabels } from "../../src/decisions/decisionStage";
import { leader } from "../../src/charts/decisions";
import type { Curve } from "../../src/charts/Curves";
import { distinct } from "../../src/charts/progress";
import { fittingScale } from "../../src/graph/supernet";
import { EntropyGauge } from "../../src/run/EntropyGauge";
import { Inspector } from "../../src/run/Inspector";
import { NeuronTable } from "../../src/run/NeuronTable";
import { Outcome } from "../../src/run/Outcome";
import { temperatures } from "../../src/run/temperature";
import { TriedPanel } from "../../src/run/TriedPanel";
import { decodeFloats } from "../../src/stream/floats";
import { RunStore } from "../../src/stream/store";
import { changesOf, fates, maskBits, maskGraph, percent, shareKept } from "../../src/structures/mask";
import { fitOf } from "../../src/structures/maskPictures";
import { MaskView } from "../../src/structures/MaskView";
import type { GraphData } from "../../src/types/events.gen";
import { event, run } from "./events";
import { snapshotOf } from "./pastServer";
import { engineEvents, ofKind, pictureOf, propsOf, stubCanvas } from "./fixtures";

let flushes: (() => void)[];
let store: RunStore;
const flush = () => act(() => flushes.splice(0).forEach((call) => call()));
const LAST = engineEvents.length;
const apply = () => {
  store.applyRange(1, LAST, engineEvents);
  flush();
};

beforeAll(stubCanvas);
beforeEach(() => {
  window.history.replaceState(null, "", "/runs/r1");
  flushes = [];
  store = new RunStore((call) => flushes.push(call));
  store.setRun(run());
});
afterEach(cleanup);

const measured = (seq: number, values: Record<string, number>, source = "phase:0") => event(seq, { kind: "metrics", step: seq, samples: 10 * seq, values } as never, source);

describe("what the store keeps", () => {
  it("keeps charts and masks of each source with their history, and puts them on the time line", () => {
    apply();
    const [charts] = ofKind("charts");
    expect([...store.pictures.of("charts").keys()]).toEqual(["phase:0"]);
    expect(store.pictures.latest("charts", charts?.seq ?? 0)[0]?.data.step).toBe(1);
    expect(store.pictures.latest("charts", Infinity)[0]?.data.step).toBe(2);
    expect(store.pictures.latest("mask", 2)).toEqual([]);
    for (const kind of ["charts", "mask", "growth_step"] as const) for (const item of ofKind(kind)) expect(store.timeline.ticks).toContain(item.seq);
    expect(viewsOf(store, "structure").map((view) => view.key)).toEqual(["family:cell", "mask", "charts", "matrix", "figures", "reports"]);
  });

  it("puts the source that spoke last first", () => {
    const charts = ofKind("charts")[0]!.data;
    store.applyRange(1, 2, [event(1, charts as never, "phase:0"), event(2, { ...charts, step: 9 } as never, "final:0")]);
    expect(store.pictures.latest("charts", Infinity).map((item) => item.source)).toEqual(["final:0", "phase:0"]);
    expect(store.pictures.latest("charts", 1).map((item) => item.source)).toEqual(["phase:0"]);
  });

  it("begins with a snapshot's charts, masks, reports, steps and draws", () => {
    const structure = ofKind("structure")[0]!.data;
    const pictures = [event(41, ofKind("charts")[1]!.data as never, "phase:0"), event(42, ofKind("mask")[1]!.data as never, "phase:1")];
    const said = [event(1, ofKind("family")[0]!.data as never), event(2, structure as never), event(3, ofKind("report")[0]!.data as never), ...ofKind("growth_step").map((item, place) => event(10 + place, item.data as never))];
    store.restore(snapshotOf([...said, ...pictures], 50));
    expect([...store.pictures.of("charts").keys()]).toEqual(["phase:0"]);
    expect([...store.pictures.of("mask").keys()]).toEqual(["phase:1"]);
    expect(store.reports).toHaveLength(1);
    expect(store.growth.map((item) => item.data.number)).toEqual([0, 1, 2]);
    expect(store.draws.get("cell")?.at(Infinity)?.text).toBe(structure.samples["cell"]);
  });
});

describe("charts of the search", () => {
  it("are small first, large with figures on a click, and follow the shown moment", () => {
    apply();
    const { rerender } = render(<ChartsView store={store} />);
    expect(screen.getAllByRole("img")).toHaveLength(4);
    fireEvent.click(screen.getByRole("button", { name: "Accuracy against iteration: show large" }));
    expect(screen.getAllByRole("img")).toHaveLength(1);
    fireEvent.click(screen.getByRole("radio", { name: "Figures" }));
    expect(screen.getAllByRole("row")).toHaveLength(12);
    act(() => store.setCursor(ofKind("charts")[0]!.seq));
    flush();
    rerender(<ChartsView store={store} />);
    expect(screen.getAllByRole("row")).toHaveLength(5);
    fireEvent.click(screen.getByRole("button", { name: "All charts" }));
    expect(screen.getAllByRole("img")).toHaveLength(4);
  });

  it("say that there was none before the first", () => {
    apply();
    store.setCursor(2);
    render(<ChartsView store={store} />);
    expect(screen.getByText("No chart was drawn before this moment.")).toBeTruthy();
  });
});

describe("reports", () => {
  it("stand at the result with message, figures and charts", () => {
    apply();
    render(<Outcome run={run()} store={store} />);
    const report = screen.getByRole("region", { name: "Redundancy and robustness" });
    expect(within(report).getByText(/62 % of the weights may go/)).toBeTruthy();
    expect(within(report).getByText("62.0 %")).toBeTruthy();
    expect(within(report).getAllByRole("img")).toHaveLength(2);
    expect(store.log.some((line) => line.text.startsWith("Redundancy and robustness: 62 %"))).toBe(true);
  });
});

describe("a mask", () => {
  const frame = ofKind("mask").at(-1)!.data;

  it("has the bits that numpy packed: row by row, as many as are kept", () => {
    for (const layer of frame.layers) {
      const bits = maskBits(layer);
      if (!layer.bits) expect(bits).toBeNull();
      else expect(bits?.reduce((sum, bit) => sum + bit, 0)).toBe(layer.kept);
    }
    // Three outputs of four inputs, packed by hand: 1010 0000 | 0001 (padded).
    const bits = maskBits({ name: "x", title: "x", rows: 3, columns: 4, kept: 3, total: 12, bits: btoa(String.fromCharCode(0b10100000, 0b00010000)), before: "" });
    expect([...(bits ?? [])]).toEqual([1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
  });

  it("tells what has just gone and what has come back from what was removed before", () => {
    const bits = (first: number) => btoa(String.fromCharCode(first));
    const layer = { name: "x", title: "x", rows: 1, columns: 4, kept: 2, total: 4, bits: bits(0b11000000), before: bits(0b10100000) };
    expect(fates(layer)).toEqual(["kept", "back", "gone", "removed"]);
    expect(fates({ ...layer, before: "" })).toEqual(["kept", "kept", "removed", "removed"]);
    expect(changesOf({ kind: "mask", step: 1, values: {}, layers: [layer] })).toEqual({ gone: 1, back: 1 });
    expect(changesOf({ kind: "mask", step: 1, values: {}, layers: [{ ...layer, before: "" }] })).toBeNull();
  });

  it("gives the graph of the small layers that follow each other, and who is cut off", () => {
    const graph = maskGraph(frame);
    expect(graph?.columns).toEqual([20, 12, 6]);
    expect(graph?.layers.map(({ links }) => links.filter(([, , fate]) => fate !== "gone").length)).toEqual(frame.layers.slice(0, 2).map((layer) => layer.kept));
    const [first] = frame.layers;
    const bits = maskBits(first!)!;
    for (const [from, to, fate] of graph!.layers[0]!.links) expect(bits[to * 20 + from]).toBe(fate === "gone" ? 0 : 1);
    graph!.neurons[0]!.forEach((neuron, input) => {
      const out = Array.from({ length: 12 }, (_, row) => bits[row * 20 + input] ?? 0).reduce((sum, bit) => sum + bit, 0);
      expect(neuron).toMatchObject({ in: null, out, dead: out === 0 });
    });
  });

  it("marks in the surviving graph what was removed, kept again and cut off just now", () => {
    const bits = (first: number) => btoa(String.fromCharCode(first));
    // Two outputs of two inputs: input 2 loses its last weight, output 2 gets one back.
    const layer = { name: "x", title: "x", rows: 2, columns: 2, kept: 2, total: 4, bits: bits(0b10100000), before: bits(0b11000000) };
    const graph = maskGraph({ kind: "mask", step: 2, values: {}, layers: [layer] })!;
    expect(graph.layers[0]!.links).toEqual([[0, 0, "kept"], [1, 0, "gone"], [0, 1, "back"]]);
    expect(graph.neurons).toEqual([
      [{ in: null, out: 2, dead: false, cutNow: false }, { in: null, out: 0, dead: true, cutNow: true }],
      [{ in: 1, out: null, dead: false, cutNow: false }, { in: 1, out: null, dead: false, cutNow: false }],
    ]);
    // Who was cut off earlier is not said to be cut off just now, and without a frame before nobody is.
    const later = maskGraph({ kind: "mask", step: 3, values: {}, layers: [{ ...layer, before: layer.bits }] })!;
    const first = maskGraph({ kind: "mask", step: 1, values: {}, layers: [{ ...layer, before: "" }] })!;
    for (const { neurons } of [later, first]) expect(neurons.flat().map((item) => [item.dead, item.cutNow])).toEqual([[false, false], [true, false], [false, false], [false, false]]);
  });

  it("has no graph where layers are large or do not follow each other", () => {
    expect(maskGraph({ ...frame, layers: frame.layers.slice(2) })).toBeNull();
    const apart = maskGraph({ ...frame, layers: [frame.layers[0]!, { ...frame.layers[1]!, columns: 72, rows: 1 }] });
    expect(apart?.columns).toEqual([20, 12]);
  });

  it("stretches a flat bitmap so that its rows can be seen, within the panel", () => {
    const fit = fitOf(2, 600, 800, 400);
    expect(fit.h).toBeGreaterThan(fit.w);
    expect(fit.x + fit.w * 600).toBeLessThanOrEqual(800);
    expect(fit.y + fit.h * 2).toBeLessThanOrEqual(400);
  });

  it("says shares in words", () => {
    expect([1, 0.294, 0.0042, 0].map(percent)).toEqual(["100 %", "29.4 %", "0.42 %", "0 %"]);
    expect(shareKept({ kept: 3, total: 12 })).toBe(0.25);
    expect(shareKept({ kept: 0, total: 0 })).toBe(0);
  });

  it("shows what each layer keeps, a layer's bitmap, the surviving graph, and earlier moments", () => {
    apply();
    render(<MaskView store={store} />);
    const [first, , large] = frame.layers;
    const rows = within(screen.getByRole("list", { name: "Layers" })).getAllByRole("button");
    expect(rows).toHaveLength(3);
    expect(rows[0]?.textContent).toContain(`${first!.kept} of 240`);
    expect(screen.getByRole("img").getAttribute("aria-label")).toContain("Mask of layer 1: 12 outputs by 20 inputs");
    fireEvent.click(rows[2] as Element);
    expect(screen.getByText(/too many to draw each one/).textContent).toContain(large!.title);
    fireEvent.click(screen.getByRole("radio", { name: "Surviving graph" }));
    expect(screen.getByRole("img").getAttribute("aria-label")).toContain("columns of 20, 12, 6 neurons");
    act(() => store.setCursor(ofKind("mask")[0]!.seq));
    flush();
    const before = ofKind("mask")[0]!.data.layers[0]!;
    expect(within(screen.getByRole("list", { name: "Layers" })).getAllByRole("button")[0]?.textContent).toContain(`${before.kept} of 240`);
    expect(within(screen.getByRole("list", { name: "Figures" })).getByText("70 %")).toBeTruthy();
    act(() => store.setCursor(2));
    flush();
    expect(screen.getByText("Nothing was recorded before this moment.")).toBeTruthy();
  });

  it("has a table, and its layers over time", () => {
    apply();
    render(pictureOf("figures", store));
    const table = screen.getByRole("table", { name: "Mask" });
    expect(within(table).getAllByRole("row")[1]?.textContent).toContain("12 × 20");
    const rows = rowsOverTime(store);
    expect(rows?.rows.map((row) => row.label)).toEqual(["layer 1", "layer 2", "layer 3"]);
    expect(rows?.columns).toHaveLength(2);
    expect(rows?.columns[1]?.values[0]).toBeCloseTo(shareKept(frame.layers[0]!));
  });
});

describe("a distribution on the simplex", () => {
  it("gives each draw's row of one edge", () => {
    const draws = decodeFloats(ofKind("structure")[0]!.data.samples["cell"] ?? "");
    const rows = drawsOf(draws, 3, 4, 1);
    expect(rows).toHaveLength(16);
    for (const row of rows) expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 4);
    expect(rows[1]?.[2]).toBe(draws[1 * 12 + 1 * 4 + 2]);
  });

  it("measures how undecided an edge is", () => {
    expect(normalisedEntropy([0.25, 0.25, 0.25, 0.25])).toBeCloseTo(1);
    expect(normalisedEntropy([1, 0, 0])).toBe(0);
    expect(normalisedEntropy([0.5, 0.5])).toBeCloseTo(1);
    expect(normalisedEntropy([2, 2])).toBeCloseTo(1);
    expect(normalisedEntropy([0, 0])).toBe(0);
  });

  it("shows draws, entropy and temperature of the pinned edge", () => {
    apply();
    store.applyRange(LAST + 1, LAST + 2, [measured(LAST + 1, { temperature: 4 }), measured(LAST + 2, { temperature: 0.5 })]);
    flush();
    render(<Inspector run={run()} store={store} pin={{ group: "cell", edge: 0 }} onPin={() => undefined} candidate={null} onCandidate={() => undefined} />);
    expect(screen.getByRole("img", { name: /three strongest operations: sep 3×3 0\.60, skip 0\.20, .*; 16 draws around them/ })).toBeTruthy();
    // The entropy is 79 % of the uniform one's: so much is undecided.
    expect(screen.getByRole("meter", { name: "How decided" }).getAttribute("aria-valuenow")).toBe("21");
    expect(screen.getByText("temperature").nextElementSibling?.textContent).toBe("0.5000");
    store.setCursor(LAST + 1);
    expect(temperatures(store)).toEqual([["temperature", 4]]);
  });
});

describe("steps of growth", () => {
  it("are listed newest first with their reason, filtered, and lead to their moment", () => {
    apply();
    expect(stepsAt(store.growth, Infinity, false).map((item) => item.data.number)).toEqual([2, 1, 0]);
    expect(stepsAt(store.growth, store.growth[1]!.seq, true).map((item) => item.data.number)).toEqual([0]);
    render(<GrowthSteps store={store} />);
    expect(screen.getByText("3 steps, 2 accepted")).toBeTruthy();
    const rows = screen.getAllByRole("button");
    expect(rows).toHaveLength(3);
    expect(rows[1]?.textContent).toContain("rejected");
    expect(rows[1]?.textContent).toContain("the objective rose");
    expect(rows[1]?.textContent).toContain("0.9000 to 0.9300 ↑");
    expect(rows[2]?.textContent).toContain("0.9000, the first");
    fireEvent.click(screen.getByRole("checkbox", { name: "accepted only" }));
    expect(screen.getAllByRole("button")).toHaveLength(2);
    fireEvent.click(screen.getAllByRole("button")[0] as Element);
    expect(store.cursor).toBe(store.growth[2]!.seq);
    expect(store.log.filter((line) => line.kind === "growth_step").map((line) => line.tone)).toEqual(["best", "", "best"]);
  });

  it("open the panel of what was tried", () => {
    store.applyRange(1, LAST, engineEvents.filter((item) => item.kind === "growth_step"));
    flush();
    render(<TriedPanel {...propsOf(store)} />);
    expect(screen.getByRole("region", { name: "Steps" })).toBeTruthy();
    expect(screen.getByText("3 steps, 2 accepted")).toBeTruthy();
  });

  it("have a designed empty state", () => {
    render(<GrowthSteps store={store} />);
    expect(screen.getByText("No step yet")).toBeTruthy();
  });
});

describe("a growing graph of layers", () => {
  const node = (id: string, kind: string, label: string, attributes: object = {}) => ({ id, label, kind, aggregation: null, attributes });
  const graph = {
    nodes: [node("in", "input", "input"), node("l1", "hidden", "layer 1", { units: 64 }), node("out", "output", "ensemble")],
    edges: [["in", "l1"], ["l1", "out"]].map(([source, target]) => ({ source, target, key: "e", operation: null, attributes: {} })), attributes: {},
  } as unknown as GraphData;
  const champion = { kind: "champion", generation: 2, value: 0.9, metric: "val_accuracy", genome: {}, genome_hash: "h", graph, added_nodes: ["l1"], added_edges: [], removed_edges: [], changed_nodes: [] };

  it("speaks of nodes, not of neurons and activations", () => {
    expect(ofNeurons(graph)).toBe(false);
    expect(ofNeurons({ ...graph, nodes: [...graph.nodes, node("n", "hidden", "gauss", { activation: "gauss" }) as never] })).toBe(true);
    expect(neuronFacts(graph, "l1")).toEqual({ title: "layer 1", activation: "", sources: ["input"], targets: ["ensemble"], more: ["units 64"] });
    store.applyRange(1, 1, [event(1, champion as never)]);
    flush();
    render(<ChampionView store={store} />);
    expect(screen.getByRole("img").getAttribute("aria-label")).toBe("1 hidden node, 2 connections, 1 input in use");
    expect(screen.getByText("1 node added")).toBeTruthy();
    expect(screen.getByText("step 2")).toBeTruthy();
    cleanup();
    render(<NeuronTable store={store} />);
    expect(screen.getAllByRole("row")[1]?.textContent).toBe("layer 1units 64inputensemble");
  });
});

describe("curves", () => {
  const names = (id: string) => progressTabs(store).find((tab) => tab.id === id)?.curves.map((curve) => curve.label);

  it("come in tabs by kind, for every name", () => {
    store.applyRange(1, 2, [1, 2].map((seq) => measured(seq, { val_r2: 0.5, train_loss: 1, kl_weights: 3, kl_structure: 1, log_likelihood: -9, val_elbo: -7, error_cost: 2, temperature: 1, share_kept: 0.4, expected_cost: 0.2, lambda_prior_q: 1, mystery: 7, enigma: 5 })));
    expect(progressTabs(store).map((tab) => tab.title)).toEqual(["R²", "Loss", "Temperature", "Factors", "Cost", "Nats", "Kept", "More"]);
    expect(names("r2")).toEqual(["validation"]);
    expect(names("nats")).toEqual(["error cost", "KL(q(Γ) ‖ p(Γ))", "KL(q(w) ‖ p(w|Γ))", "log likelihood", "validation ELBO"]);
    expect(names("cost")).toEqual(["expected cost"]);
    // Numbers of unknown kinds one at a time.
    expect(names("more")).toEqual(["enigma"]);
    expect(progressTabs(store, "mystery").find((tab) => tab.id === "more")?.curves[0]?.y).toEqual([7, 7]);
    expect(progressTabs(store, "kl_weights").find((tab) => tab.id === "nats")?.curves).toHaveLength(1);
  });

  it("have different colours within a tab", () => {
    store.applyRange(1, 1, [measured(1, { kl_weights: 3, kl_structure: 1, log_likelihood: -9 })]);
    const colours = progressTabs(store)[0]!.curves.map((curve) => curve.color);
    expect(new Set(colours).size).toBe(3);
  });

  it("show a retraining by the score of its task", () => {
    store.applyRange(1, 2, [event(1, { kind: "finalist", index: 0, role: "finalist" } as never), measured(2, { val_r2: 0.5 }, "final:0")]);
    expect(progressTabs(store).at(-1)).toMatchObject({ id: "retraining", curves: [{ y: [0.5] }] });
  });
});

describe("a gauge of how decided a row of weights is", () => {
  it.each([
    [1, "0", "0%"],
    [0, "100", "100%"],
    [0.25, "75", "75%"],
  ])("is empty where nothing is decided and full where one alone is left: entropy %d of uniform", (share, now, width) => {
    const { container } = render(<EntropyGauge share={share} />);
    expect(screen.getByRole("meter").getAttribute("aria-valuenow")).toBe(now);
    expect(container.querySelector<HTMLElement>(".entropy-rail > i")?.style.width).toBe(width);
    // The words at its ends stand where the bar is empty and full.
    expect([...container.querySelectorAll(".entropy-ends > span")].map((item) => item.textContent)).toEqual(["undecided", `entropy ${Math.round(100 * share)} % of uniform`, "decided"]);
  });
});

describe("a legend of curves", () => {
  it("draws no two alike and calls no two alike, whatever the search calls its numbers and phases", () => {
    const curve = (label: string, color: string, more: Partial<Curve> = {}): Curve => ({ label, color, x: [1], y: [1], ...more });
    const many = distinct([
      ...Array.from({ length: 12 }, (_, number) => curve(`control ${number % 3}`, number % 2 ? "--ink3" : "--faint", { dash: [5, 4] })),
      ...Array.from({ length: 12 }, () => curve("validation", "--accent")),
    ]);
    expect(new Set(many.map(({ color, dash }) => `${color} ${dash?.join(" ") ?? ""}`)).size).toBe(24);
    expect(new Set(many.map(({ label }) => label)).size).toBe(24);
    expect(many[12]).toMatchObject({ label: "validation", color: "--accent" });
  });
});

describe("nodes of a family", () => {
  it("never lie over each other, however many there are", () => {
    const column = (count: number, height: number) => Array.from({ length: count }, (_, place) => ({ at: { x: 100, y: (place * height) / (count - 1) }, width: 40 }));
    expect(fittingScale(column(4, 400), 32)).toBe(1);
    const scale = fittingScale(column(20, 400), 32);
    expect(32 * scale).toBeLessThan(400 / 19);
    expect(fittingScale([{ at: { x: 0, y: 0 }, width: 60 }, { at: { x: 40, y: 3 }, width: 60 }], 32)).toBeCloseTo((0.92 * 40) / 60);
  });

  it("with one operation each are as strong as its weight, and say so", () => {
    expect(leader([0.9], 0, 1)).toEqual({ operation: 0, weight: 0.9, lead: 0.9 });
    expect(leader([0], 0, 1).lead).toBe(0);
    expect(leader([0.5, 0.5], 0, 2).lead).toBe(0);
  });
});

describe("labels of decisions in little room", () => {
  it("never read alike where the decisions differ", () => {
    const rows = ["Normal cell, node 0: first", "Normal cell, node 1: first", "Reduction cell, node 0: first"];
    const fit = (letters: number) => (label: string) => (label.length <= letters ? label : `${label.slice(0, Math.ceil(letters / 2))}…${label.slice(-Math.floor(letters / 2))}`);
    expect(rowLabels(rows, fit(40))).toEqual(rows);
    expect(rowLabels(rows, fit(18))[0]).toBe("Normal ce… 0: first");
    expect(rowLabels(rows, fit(4))).toEqual(["1", "2", "3"]);
  });
});
