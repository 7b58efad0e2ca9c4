/** Coevolution: what is linked between blueprint and network, the stripes of a population, and what a person can fold. */
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RunStore } from "../../src/stream/store";
import { extinctCount, layersAt, placeOf, populationOf, speciesColour, stripePath, stripesOf } from "../../src/structures/coevolution";
import { coevolutionFigures } from "../../src/structures/CoevolutionView";
import type { CoevolutionFrame, EventRecord } from "../../src/types/events.gen";
import { csvOf } from "../../src/ui/figures";
import contract from "../fixtures/contract.json";
import { event, run } from "./events";
import { pictureOf } from "./fixtures";

const events = contract.runs["two populations"].events as unknown as EventRecord[];
const frame = events.at(-1)!.data as CoevolutionFrame;
const modules = populationOf(frame.modules);

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

describe("the two graphs", () => {
  it("belong together by the node of the blueprint", () => {
    expect(["input", "2", "2.2", "3.2.in", "3.1", "output"].map(placeOf)).toEqual(["0", "2", "2", "3", "3", "1"]);
    expect(layersAt(frame, "3")).toEqual(["conv 18", "conv 18"]);
    expect(layersAt(frame, "9")).toEqual([]);
  });

  it("have a colour for each species that its neighbours have not", () => {
    expect(new Set(Array.from({ length: 40 }, (_, number) => speciesColour(number))).size).toBe(40);
  });
});

describe("stripes", () => {
  it("lie on top of each other, the extinct above as one", () => {
    const folded = stripesOf(modules, false);
    expect(folded.map(({ title }) => title)).toEqual(["species 0", "species 4", "3 extinct species"]);
    expect(folded.map(({ from, to }) => to.map((top, at) => top - from[at]!))).toEqual([[3, 2, 3], [0, 1, 2], [4, 4, 0]]);
    expect(folded.at(-1)!.to).toEqual([7, 7, 5]);
    expect(extinctCount(modules)).toBe(3);
  });

  it("unfold to a stripe each, those without a row excepted", () => {
    expect(stripesOf(modules, true).map(({ title }) => title)).toEqual(["species 0", "species 4", "species 1, extinct", "2 extinct species"]);
    expect(stripesOf(modules, true).at(-1)!.to).toEqual([7, 7, 5]);
  });

  it("are staircases that close", () => {
    const path = stripePath({ key: "", number: 0, title: "", from: [0, 1], to: [2, 3] }, (at) => 10 * at, (members) => -members);
    expect(path).toBe("M0 -2L10 -2L10 -3L20 -3L20 -1L10 -1L10 0L0 0Z");
  });
});

describe("the picture", () => {
  let store: RunStore;
  beforeEach(() => {
    // Graphs are drawn where there is room for them.
    vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(600);
    vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(300);
    store = new RunStore((flush) => flush());
    store.setRun(run());
    act(() => store.applyRange(1, 1, [event(1, frame as never)]));
  });

  it("lights a blueprint node's layers in the network, and the other way round", () => {
    const { container } = render(<>{pictureOf("coevolution", store)}</>);
    const away = (part: number) => [...container.querySelectorAll("figure")[part]!.querySelectorAll(".genome-node")].map((node) => node.classList.contains("genome-away"));
    const node = (part: number, place: number) => container.querySelectorAll("figure")[part]!.querySelectorAll(".genome-node")[place]!;
    act(() => fireEvent.pointerEnter(node(0, 2)));
    expect(away(1)).toEqual([true, true, true, false, false, true]);
    expect(screen.getByText("Assembled network, channels after each step: conv 18, conv 18")).toBeTruthy();
    act(() => fireEvent.pointerLeave(node(0, 2)));
    expect(away(1)).toEqual([false, false, false, false, false, false]);
    act(() => fireEvent.pointerEnter(node(1, 2)));
    expect(away(0)).toEqual([true, false, true, true]);
  });

  it("folds and unfolds the extinct", () => {
    render(<>{pictureOf("coevolution", store)}</>);
    expect(screen.queryByText(/when it last lived/)).toBeNull();
    act(() => fireEvent.click(screen.getByRole("button", { name: /3 extinct species: unfold/ })));
    expect(screen.getByText(/when it last lived/)).toBeTruthy();
    expect(screen.getByText("2 more species that died out earlier")).toBeTruthy();
  });

  it("has all of it in figures", () => {
    const text = csvOf(coevolutionFigures(store));
    expect(text).toContain("species 0,4,3,6,0.64999");
    expect(text).toContain('"species 1, extinct",2,3,6,0.300000');
    expect(text).toContain("2 species extinct earlier,0,2,,");
  });
});
