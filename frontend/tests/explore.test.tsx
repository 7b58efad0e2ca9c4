/** Densities and draws on the triangle against known figures. */
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { dirichletLogDensity, draws, gridPoints, gumbelSoftmaxLogDensity, logDensity, logGamma, logitNormalLogDensity, summary, type Law, type Weights } from "../src/explore/distributions";
import { ExplorePage } from "../src/explore/ExplorePage";
import { stubCanvas } from "./run/fixtures";

beforeAll(stubCanvas);
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const S: Weights = [5, 3, 2];
const ONE: Weights = [1, 1, 1];
const MIDDLE: Weights = [1 / 3, 1 / 3, 1 / 3];
const PARTS = 300;
const GRID = gridPoints(PARTS);
/** Integral of a density over the triangle. */
const integral = (logDensityOf: (g: Weights) => number) => GRID.reduce((sum, g) => sum + Math.exp(logDensityOf(g)), 0) / PARTS ** 2;
const law = (changes: Partial<Law>): Law => ({ family: "gumbel", centre: S, spread: ONE, temperature: 1, ...changes });

describe("densities", () => {
  it("integrate to one", () => {
    expect(integral((g) => gumbelSoftmaxLogDensity(g, S, 5))).toBeCloseTo(1, 3);
    expect(integral((g) => gumbelSoftmaxLogDensity(g, S, 1))).toBeCloseTo(1, 1);
    expect(integral((g) => dirichletLogDensity(g, S))).toBeCloseTo(1, 3);
    expect(integral((g) => logitNormalLogDensity(g, [0.5, 0, -0.5], [0.6, 0.8, 0.5], 1))).toBeCloseTo(1, 3);
    expect(integral((g) => logitNormalLogDensity(g, [0.5, 0, -0.5], [0.6, 0.8, 0.5], 2))).toBeCloseTo(1, 3);
  });

  it("are 2 λ² in the middle for equal s", () => {
    for (const temperature of [0.1, 1, 5, 20]) expect(gumbelSoftmaxLogDensity(MIDDLE, ONE, temperature)).toBeCloseTo(Math.log(2 * temperature ** 2), 9);
  });

  it("gather in the middle as the temperature rises", () => {
    const lead = (temperature: number) => gumbelSoftmaxLogDensity(MIDDLE, ONE, temperature) - gumbelSoftmaxLogDensity([0.4, 0.3, 0.3], ONE, temperature);
    [[0.1, -0.03], [2, 0.07], [5, 0.53], [20, 4.5], [100, 27.5]].forEach(([temperature, wanted]) => expect(Math.abs(lead(temperature!) - wanted!)).toBeLessThan(0.05));
  });

  it("do not depend on the scale of s, and are symmetric", () => {
    const g: Weights = [0.2, 0.5, 0.3];
    expect(gumbelSoftmaxLogDensity(g, [10, 6, 4], 0.7)).toBeCloseTo(gumbelSoftmaxLogDensity(g, S, 0.7), 9);
    expect(logitNormalLogDensity(g, [1, 2, 3], ONE, 1)).toBeCloseTo(logitNormalLogDensity([0.3, 0.5, 0.2], [3, 2, 1], ONE, 1), 9);
    expect(dirichletLogDensity(g, ONE)).toBeCloseTo(Math.log(2), 9);
    [[0.1, 2.252713], [1, 0], [4, 1.791759], [10.5, 13.940625]].forEach(([x, wanted]) => expect(logGamma(x!)).toBeCloseTo(wanted!, 5));
  });
});

describe("draws", () => {
  it("of Gumbel-Softmax have the odds s at every temperature", () => {
    for (const temperature of [0.1, 1, 10]) {
      const { largest } = summary(draws(law({ temperature }), 20_000));
      [0.5, 0.3, 0.2].forEach((wanted, place) => expect(Math.abs(largest[place as 0 | 1 | 2] - wanted)).toBeLessThan(0.012));
    }
  });

  it("of Gumbel-Softmax go from the corners to the middle", () => {
    [[0.1, 0.957, 0.823], [0.5, 0.801, 0.296], [1, 0.665, 0.059], [10, 0.373, 0]].forEach(([temperature, meanLargest, nearCorner]) => {
      const facts = summary(draws(law({ temperature: temperature! }), 20_000));
      expect(Math.abs(facts.meanLargest - meanLargest!)).toBeLessThan(0.012);
      expect(Math.abs(facts.nearCorner - nearCorner!)).toBeLessThan(0.015);
    });
  });

  it("of Dirichlet have the mean s and the known mass near the corners, also for small shapes", () => {
    const facts = summary(draws(law({ family: "dirichlet" }), 20_000));
    [0.5, 0.3, 0.2].forEach((wanted, place) => expect(Math.abs(facts.mean[place as 0 | 1 | 2] - wanted)).toBeLessThan(0.008));
    [[0.01, 0.943], [0.1, 0.569], [0.995, 0.008]].forEach(([temperature, wanted]) => {
      const { nearCorner } = summary(draws(law({ family: "dirichlet", centre: ONE, temperature: temperature! }), 20_000));
      expect(Math.abs(nearCorner - wanted!)).toBeLessThan(0.015);
    });
  });

  it("of the logit-normal sharpen with the spread", () => {
    [[1, 0.541], [2, 0.681], [3, 0.763], [4, 0.813]].forEach(([scale, wanted]) => {
      const spread: Weights = [scale!, 0.5 * scale!, 0.7 * scale!];
      expect(Math.abs(summary(draws(law({ family: "logit-normal", centre: [0, 0, 0], spread }), 20_000)).meanLargest - wanted!)).toBeLessThan(0.012);
    });
  });

  it("fall where the density says", () => {
    const some = law({ family: "logit-normal", centre: [0.5, 0, -0.5], spread: [0.6, 0.8, 0.5], temperature: 1.5 });
    const inside = (g: Weights) => g[0] > 0.45;
    const expected = GRID.filter(inside).reduce((sum, g) => sum + Math.exp(logDensity(some, g)), 0) / PARTS ** 2;
    const sample = draws(some, 20_000);
    expect(Math.abs(sample.filter(inside).length / sample.length - expected)).toBeLessThan(0.015);
  });

  it("are the same again", () => {
    expect(draws(law({}), 5, 3)).toEqual(draws(law({}), 5, 3));
  });
});

describe("the page", () => {
  it("says in figures what the picture shows, and follows the sliders", () => {
    vi.stubGlobal("fetch", vi.fn(() => Promise.resolve(new Response(JSON.stringify({ results: [], next: null }), { status: 200 }))));
    render(<ExplorePage />);
    expect(screen.getByRole("img", { name: /Gumbel-Softmax on the triangle/ })).toBeTruthy();
    const middle = () => screen.getByRole("rowheader", { name: "log density in the middle" }).nextElementSibling?.textContent;
    expect(middle()).toBe("0.693");
    fireEvent.change(screen.getByLabelText("temperature λtemp"), { target: { value: "200" } });
    expect(middle()).toBe(Math.log(2 * 100 ** 2).toFixed(3));
    fireEvent.click(screen.getByRole("radio", { name: "Logit-normal" }));
    expect(screen.getByLabelText("σ₃")).toBeTruthy();
    expect(screen.getByText("The whole simplex")).toBeTruthy();
  });
});
