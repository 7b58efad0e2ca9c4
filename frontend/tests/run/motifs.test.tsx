/** Motifs of motifs: which graphs a frame gives, what is linked, and what a person can choose. */
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunStore } from "../../src/stream/store";
import { changeText, firstOf, flatGraph, isChanged, liesIn, motifGraph, operationsOf, placesOfMotif } from "../../src/structures/motifs";
import { motifFigures } from "../../src/structures/MotifsView";
import type { Motif, MotifChange, MotifsFrame } from "../../src/types/events.gen";
import { csvOf } from "../../src/ui/figures";
import { event, run } from "./events";
import { pictureOf } from "./fixtures";

const part = (number: number, uses: number, edges: Motif["edges"]): Motif => ({ level: 2, number, nodes: 3, edges, uses, mean_uses: 1.5 });
const change: MotifChange = { candidate: 7, parent: 2, level: 2, motif: 1, source: 1, target: 2, old: "none", new: "max_pool_3x3" };
const frame: MotifsFrame = {
  kind: "motifs", step: 8, candidate: 7, value: 0.75, metric: "val_accuracy",
  motifs: [
    part(1, 1, [[1, 2, "max_pool_3x3"], [2, 3, "skip_connect"]]), part(2, 2, [[1, 3, "dw_conv_3x3"]]),
    { level: 3, number: 1, nodes: 4, edges: [[1, 2, "motif_1"], [2, 3, "motif_2"], [3, 4, "motif_2"]], uses: 1, mean_uses: 1 },
  ],
  network: [
    ["1", "1-2.2", "max_pool_3x3"], ["1-2.2", "1-2.3", "skip_connect"], ["1-2.3", "2", ""], ["2", "2-3.3", "dw_conv_3x3"], ["2-3.3", "3", ""],
    ["3", "3-4.3", "dw_conv_3x3"], ["3-4.3", "4", ""],
  ],
  change, latest: null, values: { population: 8 },
};

afterEach(cleanup);

describe("the graphs of a frame", () => {
  it("are the cell, its motifs and the flattened cell", () => {
    expect(motifGraph(frame.motifs[2]!).nodes.map(({ label }) => label)).toEqual(["input", "2", "3", "output"]);
    const flat = flatGraph(frame);
    expect(flat.nodes.map(({ label }) => label).sort()).toEqual(["2", "2", "3", "3", "3", "3", "input", "output"].sort());
    expect(flat.edges.filter(({ operation }) => operation === null)).toHaveLength(3);
    expect(operationsOf(flat)).toEqual(["max_pool_3x3", "skip_connect", "dw_conv_3x3"]);
  });

  it("are linked: a motif has places in the cell, and its edges lie there in the flattened one", () => {
    const places = placesOfMotif(frame, 2);
    expect([...places]).toEqual(["2-3", "3-4"]);
    const lit = flatGraph(frame).edges.filter((edge) => liesIn(places, edge));
    expect(lit.map(({ source, target }) => `${source} ${target}`)).toEqual(["2 2-3.3", "2-3.3 3", "3 3-4.3", "3-4.3 4"]);
    expect([...placesOfMotif(frame, 3)]).toEqual([]);
  });

  it("begin with the motif that has changed, where it is used, else the most used one", () => {
    expect(firstOf(frame)).toBe(1);
    expect(firstOf({ ...frame, change: { ...change, level: 3 } })).toBe(2);
    expect(firstOf({ ...frame, change: null })).toBe(2);
    expect(firstOf({ ...frame, motifs: [part(1, 0, []), ...frame.motifs.slice(1)] })).toBe(2);
    expect(firstOf({ ...frame, motifs: [frame.motifs[2]!] })).toBeNull();
  });

  it("mark the one edge that has changed", () => {
    expect(changeText(change)).toBe("level 2, motif 1, 1 → 2: none became max pool 3×3");
    const marked = (motif: Motif) => motifGraph(motif).edges.filter((edge) => isChanged(change, motif, edge));
    expect(frame.motifs.map((motif) => marked(motif).length)).toEqual([1, 0, 0]);
  });
});

describe("the picture", () => {
  let store: RunStore;
  beforeEach(() => {
    store = new RunStore((call) => call());
    store.setRun(run());
    act(() => store.applyRange(1, 1, [event(1, frame as never)]));
  });

  it("shows one motif at a time, which a person can choose", () => {
    render(<>{pictureOf("motifs", store)}</>);
    expect(screen.getByRole("radio", { name: /^motif 1/ })).toHaveProperty("checked", true);
    expect(screen.getByText("Motif 1, 1 × in the cell")).toBeTruthy();
    fireEvent.click(screen.getByRole("radio", { name: /^motif 2/ }));
    expect(screen.getByText("Motif 2, 2 × in the cell")).toBeTruthy();
    expect(screen.getByText("It came by: level 2, motif 1, 1 → 2: none became max pool 3×3")).toBeTruthy();
    expect(screen.getByText("The latest is a random one.")).toBeTruthy();
  });

  it("has all of it in its figures", () => {
    const text = csvOf(motifFigures(store));
    for (const said of ["1 → 2 motif_1, 2 → 3 motif_2, 3 → 4 motif_2", "1-2.3,2,as it is", "the best,7,2,2,1,1 → 2,none,max_pool_3x3", "the latest,random"]) expect(text).toContain(said);
  });

  it("of a flat variant is its one cell, without a choice", () => {
    const flat: MotifsFrame = { ...frame, step: 9, motifs: [{ level: 2, number: 1, nodes: 3, edges: [[1, 3, "skip_connect"]], uses: 1, mean_uses: 1 }], network: [["1", "3", "skip_connect"]], change: null };
    act(() => store.applyRange(2, 2, [event(2, flat as never)]));
    render(<>{pictureOf("motifs", store)}</>);
    expect(screen.getByText("Cell of operations")).toBeTruthy();
    expect(screen.queryByRole("radiogroup")).toBeNull();
  });
});
