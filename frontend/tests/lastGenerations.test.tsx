/** Arms by their last generations: pooled means, paired differences, equal beginnings, a thesis's figures beside. */
import { cleanup, render, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import type { Run, Snapshot } from "../src/api/types";
import { LastGenerations } from "../src/compare/LastGenerations";
import { armsOf, lastGeneration, pooledMean, startedWith, startsText, type LastGeneration } from "../src/compare/outcomes";
import { publishedFor } from "../src/compare/thesis";
import type { Said } from "../src/compare/useRunCharts";
import { differenceText } from "../src/views/verdict";
import { algorithm, run } from "./run/events";

afterEach(cleanup);

const ARMS = ["none", "without_inheritance"];
const runs: Run[] = ARMS.flatMap((compress, arm) =>
  [0, 1, 2, 3].map((seed) =>
    run({
      id: `${compress}-${seed}`, seed, datasets: ["mnist"], options: { compress, networks: 12 }, algorithm: { ...algorithm("CoDeepNEAT"), id: "codeepneat" },
      charged: { samples: 0, trials: 84, seconds: arm === 0 ? 200 + seed : 100 + seed, flops: 1e12 },
    }),
  ),
);
const last = (mean: number, networks = 12): LastGeneration => ({ mean, networks, failed: 12 - networks });
const said = (starts: (item: Run) => string): Map<string, Said> =>
  new Map(runs.map((item) => [item.id, { charts: new Map(), start: starts(item), last: last(item.options.compress === "none" ? 0.95 : 0.93 + item.seed / 1000) }]));

describe("the last generation", () => {
  it("is pooled over seeds by its networks, failed ones left out", () => {
    expect(pooledMean([last(0.9, 10), last(0.6, 5)])).toBeCloseTo(0.8);
    expect(pooledMean([])).toBeNull();
  });

  it("is what the run's report says", () => {
    const snapshot = {
      reports: [{ seq: 1, data: { kind: "report", name: "last_generation", title: "", charts: [], values: { mean: 0.5, networks: 11, failed: 1 }, message: "" } }],
      notices: [{ seq: 0, data: { kind: "notice", name: "initial_population", message: "Initial population: digest ab.", values: {} } }],
    } as unknown as Snapshot;
    expect(lastGeneration(snapshot)).toEqual({ mean: 0.5, networks: 11, failed: 1 });
    expect(startedWith(snapshot)).toContain("digest ab");
    expect(lastGeneration({ ...snapshot, reports: [] })).toBeNull();
  });

  it("groups runs that differ by the seed alone", () => {
    expect(armsOf(runs).map((arm) => arm.runs.length)).toEqual([4, 4]);
  });
});

describe("beginnings", () => {
  it("are equal where runs of equal seed say the same digest", () => {
    const same = new Map(runs.map((item) => [item.id, `digest ${item.seed}`]));
    expect(startsText(runs, same)).toMatch(/began with the same/);
    expect(startsText(runs, new Map([...same, ["none-2", "digest x"]]))).toMatch(/seed 2 began with different/);
    expect(startsText(runs, new Map())).toBe("");
  });
});

describe("the comparison", () => {
  it("shows means, paired differences with their interval, the speed-up, and the thesis's figures", () => {
    render(<LastGenerations runs={runs} said={said((item) => `digest ${item.seed}`)} />);
    const [, plain, compressed] = screen.getAllByRole("row");
    expect(within(plain!).getByText("0.9500")).toBeTruthy();
    expect(within(plain!).getByText("98.95 %")).toBeTruthy();
    expect(within(compressed!).getByText(/−1\.8 ± 0\.2 points \(95 %, n = 4 pairs of equal seeds\)/)).toBeTruthy();
    expect(within(compressed!).getByText(/speed-up 1\.99/)).toBeTruthy();
    expect(within(compressed!).getByText(/speed-up 1\.48, accuracy -0\.02 points/)).toBeTruthy();
    expect(screen.getByText(/began with the same initial population/)).toBeTruthy();
    expect(screen.getByText(/by its own table that is CIFAR-100/)).toBeTruthy();
  });

  it("is absent where nothing is told, and without the thesis on other data", () => {
    const { container } = render(<LastGenerations runs={runs} said={new Map()} />);
    expect(container.innerHTML).toBe("");
    expect(publishedFor(runs.map((item) => ({ ...item, datasets: ["digits"] })))).toBeNull();
    expect(publishedFor(runs.map((item) => ({ ...item, datasets: ["cifar10_jpeg"] })))?.speedUp).toBe(1.82);
  });

  it("says a difference without a verdict", () => {
    expect(differenceText("val_accuracy", { own: [0.5], other: [0.6] })).toBe("−10.0 points (one pair of equal seeds)");
    expect(differenceText("val_accuracy", { own: [], other: [] })).toBe("–");
  });
});
