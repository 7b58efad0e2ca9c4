/** Charts of several runs: what differs between the runs, which grid they fill, how they are laid over each other. */
import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Run, Snapshot } from "../src/api/types";
import { differences, fullGrid, gridBy, labelOf } from "../src/compare/differences";
import { RunCharts } from "../src/compare/RunCharts";
import { alone, chartsOf, overlay, seriesNames, sharedCharts } from "../src/compare/runCharts";
import { inTurns, probes } from "../src/compare/useRunCharts";
import { plotOf } from "../src/plots/chartData";
import { algorithm, event, run } from "./run/events";
import { ofKind, stubCanvas } from "./run/fixtures";

const frame = ofKind("charts").at(-1)!.data;
const [accuracy, , bars, path] = frame.charts;

beforeAll(stubCanvas);
beforeEach(() => window.history.replaceState(null, "", "/experiments/e1"));
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const REGIMES = ["plain", "two level", "raised"];
const grid: Run[] = REGIMES.flatMap((regime) => [10, 0.2, 1].map((lambda_temp) => run({ id: `${regime} ${lambda_temp}`, state: "completed", last_seq: 7, options: { lambda_temp, regime, steps: 9 } })));

function snapshot(charts: typeof frame.charts, more: Partial<Snapshot> = {}): Snapshot {
  return { as_of_seq: 7, run: run(), phases: [], events: [event(7, { ...frame, charts }, "phase:0")], reports: [], ...more } as unknown as Snapshot;
}

describe("what differs between runs", () => {
  it("is said in words, the seed last, and nothing that is the same for all", () => {
    const runs = [run({ seed: 1, options: { a: 1, list: [1, 2] } }), run({ seed: 2, options: { a: 1, list: [1, 3], warm: null } })];
    const factors = differences(runs);
    expect(factors.map((factor) => factor.name)).toEqual(["list", "warm", "seed"]);
    expect(labelOf(factors, 0)).toBe("list 1, 2, warm default, seed 1");
    expect(labelOf(factors, 1)).toBe("list 1, 3, warm none, seed 2");
    expect(differences([run(), run()])).toEqual([]);
    expect(labelOf(differences([run(), run({ algorithm: algorithm("Other") })]), 1)).toBe("Other");
  });

  it("fills a grid of rows and columns, numbers in order", () => {
    const factors = differences(grid);
    expect(fullGrid(factors, 9)).toBe("lambda_temp");
    const laid = gridBy(factors, "lambda_temp", 9);
    expect(laid?.columns).toEqual(["λ_temp 0.2", "λ_temp 1", "λ_temp 10"]);
    expect(laid?.rows).toEqual(REGIMES.map((regime) => `regime ${regime}`));
    expect(laid?.cells[1]?.map(([place]) => grid[place ?? -1]?.id)).toEqual(["two level 0.2", "two level 1", "two level 10"]);
  });

  it("finds the grid also where one side is made of two settings", () => {
    const regimes = [{ up: 0, down: 0 }, { up: 1, down: 0 }, { up: 1, down: 1 }];
    const runs = regimes.flatMap((regime) => [0.2, 1, 10].map((lambda_temp) => run({ options: { ...regime, lambda_temp } })));
    const name = fullGrid(differences(runs), 9);
    expect(name).toBe("lambda_temp");
    expect(gridBy(differences(runs), "lambda_temp", 9)?.rows).toEqual(["up 0, down 0", "up 1, down 0", "up 1, down 1"]);
  });

  it("is no grid where a cell is missing or only one setting differs; seeds share a cell", () => {
    expect(fullGrid(differences(grid.slice(1)), 8)).toBeNull();
    const single = [1, 2].map((lambda_temp) => run({ options: { lambda_temp } }));
    expect(fullGrid(differences(single), 2)).toBeNull();
    const seeds = [1, 2].flatMap((seed) => [1, 2].flatMap((a) => [1, 2].map((b) => run({ seed, options: { a, b } }))));
    const name = fullGrid(differences(seeds), 8);
    expect(name).toBe("a");
    expect(gridBy(differences(seeds), "a", 8)?.cells.flat().map((cell) => cell.length)).toEqual([2, 2, 2, 2]);
  });
});

describe("charts of several runs", () => {
  it("are found by name in pictures and reports, a later phase's apart", () => {
    const later = event(8, { ...frame, charts: [accuracy!] }, "phase:1");
    const own = snapshot([accuracy!, path!], {
      events: [later, event(9, { ...frame, charts: [accuracy!, path!] }, "phase:0")],
      phases: [{ seq: 5, data: { kind: "phase_started", phase: 1, name: "c", title: "Control", language: "steps", horizon: null } }],
      reports: [{ seq: 6, data: { kind: "report", name: "r", title: "Redundancy", charts: [bars!], values: {}, message: "" } }],
    });
    expect([...chartsOf(own).keys()]).toEqual(["accuracy", "path", "accuracy (Control)", "evidence"]);
    const shared = sharedCharts([chartsOf(own), null, chartsOf(snapshot([path!]))]);
    expect(shared[0]).toEqual({ name: "path", title: "Path of the structure", runs: [0, 2] });
    expect(shared.find((item) => item.name === "accuracy (Control)")?.title).toBe("Accuracy against iteration (Control)");
  });

  it("lie over each other, coloured by run, named by what differs", () => {
    const plot = plotOf(path!);
    const parts = [{ label: "ξ 0", hue: 0, plot }, { label: "ξ 1", hue: 1, plot }];
    const all = overlay(parts, null)!;
    expect(all.series.map((series) => [series.name, series.hue])).toEqual([["ξ 0: ξ 0.1", 0], ["ξ 0: ξ 0", 0], ["ξ 1: ξ 0.1", 1], ["ξ 1: ξ 0", 1]]);
    expect(all.series.map((series) => series.variant)).toEqual([0, 1, 0, 1]);
    expect(all.marks).toHaveLength(2);
    const one = overlay(parts, "ξ 0.1")!;
    expect(one.series.map((series) => series.name)).toEqual(["ξ 0", "ξ 1"]);
    expect(overlay([], null)).toBeNull();
    expect(seriesNames([plot])).toEqual(["ξ 0.1", "ξ 0"]);
    expect(alone(path!, "ξ 0").series).toHaveLength(1);
    expect(alone(path!, "nobody").series).toHaveLength(2);
  });

  it("are asked for a few at a time, one run of each algorithm first", async () => {
    let open = 0;
    let most = 0;
    const done: number[] = [];
    await inTurns([1, 2, 3, 4, 5, 6, 7], 3, async (item) => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setTimeout(resolve, 1));
      open--;
      done.push(item);
    });
    expect(most).toBe(3);
    expect(done).toHaveLength(7);
    const other = run({ id: "o", algorithm: algorithm("Other"), last_seq: 3 });
    expect(probes([run({ id: "w", last_seq: 5 }), run({ id: "e", state: "completed", last_seq: 5 }), other, run({ id: "n" })]).map((item) => item.id)).toEqual(["e", "o"]);
  });
});

describe("the panel", () => {
  const answer = (charts: typeof frame.charts) => vi.stubGlobal("fetch", vi.fn(() => Promise.resolve(new Response(JSON.stringify(snapshot(charts)), { status: 200 }))));

  it("lays a full grid out in rows and columns and every run into one plane", async () => {
    answer([path!]);
    render(<RunCharts experiment="e1" runs={grid} />);
    const table = await screen.findByRole("table");
    await waitFor(() => expect(within(table).getAllByRole("img")).toHaveLength(9));
    expect(within(table).getAllByRole("columnheader").map((cell) => cell.textContent)).toEqual(["λ_temp 0.2", "λ_temp 1", "λ_temp 10"]);
    expect(within(table).getAllByRole("rowheader").map((cell) => cell.textContent)).toEqual(REGIMES.map((regime) => `regime ${regime}`));
    fireEvent.click(screen.getByRole("radio", { name: "One plane" }));
    fireEvent.change(screen.getByRole("combobox", { name: "Series" }), { target: { value: "ξ 0.1" } });
    const legend = within(screen.getByRole("list", { name: "Legend" })).getAllByRole("listitem");
    expect(legend).toHaveLength(9);
    expect(legend[0]?.textContent).toContain("λtemp 10, regime plain");
    expect(screen.getByRole("img").getAttribute("aria-label")).toContain("Path of the structure");
  });

  it("is absent where no run draws charts, and asks only one run of each algorithm", async () => {
    answer([]);
    const { container } = render(<RunCharts experiment="e1" runs={grid} />);
    await waitFor(() => expect(fetch).toHaveBeenCalledTimes(1));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(fetch).toHaveBeenCalledTimes(1);
    expect(container.textContent).toBe("");
  });
});
