/** The divergence between Gumbel-Softmax laws against draws and known values, and the map of the structure term made of it. */
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { ConcreteDivergence, ExpectedLogSum } from "../src/explore/concreteDivergence";
import { draw, gumbelSoftmaxLogDensity, uniform, type Weights } from "../src/explore/distributions";
import { StructurePrior } from "../src/explore/StructurePrior";
import { divergences, GRID, highest, NEAR, NEAR_TEMPERATURE, PARTS, term } from "../src/explore/structureTerm";
import { stubCanvas } from "./run/fixtures";

beforeAll(stubCanvas);
afterEach(cleanup);

const EULER = 0.5772156649015329;
const kl = (s: Weights, t: number, other: Weights, u: number) => new ConcreteDivergence(t, other, u).from(s);

/** Mean and standard error of log p - log p' over draws of p. */
function byDraws(s: Weights, t: number, other: Weights, u: number, count = 20_000): [number, number] {
  const next = uniform(7);
  let [sum, squares] = [0, 0];
  for (let index = 0; index < count; index++) {
    const g = draw({ family: "gumbel", centre: s, spread: [1, 1, 1], temperature: t }, next);
    const value = gumbelSoftmaxLogDensity(g, s, t) - gumbelSoftmaxLogDensity(g, other, u);
    sum += value;
    squares += value * value;
  }
  const mean = sum / count;
  return [mean, Math.sqrt((squares / count - mean * mean) / count)];
}

describe("the expected logarithm of a sum", () => {
  it("has its known values", () => {
    // One term: E log(a E^r) = log a - r c. Three equal exponentials: ψ(3). Two unequal: (a log a - b log b) / (a - b) - c.
    for (const r of [0.01, 0.1, 0.5, 1]) expect(new ExpectedLogSum(r).of([0.7])).toBeCloseTo(0.7 - r * EULER, 7);
    expect(new ExpectedLogSum(2).of([0.7])).toBeCloseTo(0.7 - 2 * EULER, 4);
    expect(new ExpectedLogSum(1).of([0, 0, 0])).toBeCloseTo(1.5 - EULER, 8);
    expect(new ExpectedLogSum(1).of([Math.log(5), Math.log(0.2)])).toBeCloseTo((5 * Math.log(5) - 0.2 * Math.log(0.2)) / 4.8 - EULER, 7);
  });
});

describe("the divergence between Gumbel-Softmax laws", () => {
  it("is zero between equal laws, whatever the scale of s, and above zero between others", () => {
    expect(kl([5, 3, 2], 0.7, [50, 30, 20], 0.7)).toBeCloseTo(0, 7);
    expect(kl([5, 3, 2], 0.7, [5, 3, 2], 0.5)).toBeGreaterThan(0.01);
    const near = new ConcreteDivergence(0.4, NEAR[0], NEAR_TEMPERATURE);
    for (const s of GRID) expect(near.from(s)).toBeGreaterThan(0);
  });

  it("is the mean of draws", () => {
    const cases: [Weights, number, Weights, number][] = [
      [[5, 3, 2], 0.5, [1, 1, 1], 0.8], [[1, 8, 1], 0.1, NEAR[0], 0.1], [[1, 1, 1], 1, NEAR[1], 0.1], [[0.02, 0.9, 0.08], 5, NEAR[2], 0.1], [[2, 1, 1], 0.05, NEAR[2], 0.1],
    ];
    for (const [s, t, other, u] of cases) {
      // Below a temperature of 0.1 draws underflow at a vertex, which the quadrature does not: there a common factor of both is tried.
      const [mean, error] = t < 0.1 ? byDraws(s, 10 * t, other, 10 * u) : byDraws(s, t, other, u);
      expect(Math.abs(kl(s, t, other, u) - mean)).toBeLessThan(4 * error + 1e-6);
      expect(error).toBeLessThan(0.2);
    }
  });

  it("refuses temperatures outside its quadrature", () => {
    expect(() => new ConcreteDivergence(0.01, NEAR[0], 0.1)).toThrow(RangeError);
  });
});

describe("the structure term of Q", () => {
  const at = divergences(NEAR_TEMPERATURE);

  it("says nothing for λ = 0, 0, 0", () => {
    const values = term(at, [0, 0, 0]);
    expect(values.every((value) => Object.is(value, 0))).toBe(true);
    expect(highest(values)).toBeNull();
  });

  it("has its maximum at s' for 1, 0, 0 where the temperatures are the same", () => {
    const found = highest(term(at, [1, 0, 0]))!;
    const sum = NEAR[0][0] + NEAR[0][1] + NEAR[0][2];
    expect(found.places).toHaveLength(1);
    found.places[0]!.forEach((value, index) => expect(Math.abs(value - NEAR[0][index as 0 | 1 | 2] / sum)).toBeLessThan(1 / PARTS));
    expect(found.value).toBeGreaterThan(-0.02);
  });

  it("has it half way between two vertices for 1, 1, 0, and away from a vertex that repels", () => {
    const { places } = highest(term(at, [1, 1, 0]))!;
    // The grid has no point on the very middle line there: its two highest, mirror images of each other, count as one between them.
    expect(places).toHaveLength(1);
    expect(places[0]![0]).toBeCloseTo(places[0]![1], 9);
    expect(places[0]![2]).toBeLessThan(0.1);
    expect(highest(term(at, [-1, 0, 0]))!.places.every((s) => s[0] < 0.05)).toBe(true);
    const both = highest(term(at, [-1, -1, 0]))!;
    expect(both.border).toBe(true);
  });

  it("goes on to the vertex itself as the prior's temperature rises", () => {
    const found = highest(term(divergences(1), [1, 0, 0]))!;
    expect(found.places[0]![0]).toBeCloseTo((PARTS - 2) / PARTS, 9);
    expect(found.border).toBe(true);
  });

  it("is symmetric: three equal λ have the maximum in the middle", () => {
    const [place] = highest(term(at, [1, 1, 1]))!.places;
    place!.forEach((value) => expect(value).toBeCloseTo(1 / 3, 9));
  });
});

describe("the part of the page", () => {
  const cells = (name: string) => Array.from(screen.getByRole("rowheader", { name }).parentElement!.querySelectorAll("td"), (cell) => Number(cell.textContent));

  it("says the maximum and the figures of each preset, and takes other λ", () => {
    render(<StructurePrior />);
    expect(screen.getByText(/^Highest, -?0\.0\d, at s = 0\.9\d, 0\.05, 0\.05\.$/)).toBeTruthy();
    const [first, second, third, sum] = cells("near vertex 1");
    expect(sum).toBe(-first!);
    expect(second).toBe(third);
    expect(second).toBeGreaterThan(1);

    fireEvent.click(screen.getByRole("radio", { name: "[0, 0, 0]" }));
    expect(screen.getByText(/^The term says nothing/)).toBeTruthy();
    expect(cells("middle")[3]).toBe(0);

    fireEvent.click(screen.getByRole("radio", { name: "[1, 1, 0]" }));
    expect(screen.getByText(/^Highest, .* at s = 0\.4\d, 0\.4\d, 0\.0\d/)).toBeTruthy();
    expect(screen.getByRole("img", { name: /λ\^Q_struct 1\.00, 1\.00, 0\.00 and temperature 0\.1\. Highest/ })).toBeTruthy();

    fireEvent.change(screen.getByLabelText("λQstruct, ₂"), { target: { value: "0" } });
    expect(screen.getByRole("radio", { name: "own" }).getAttribute("aria-checked")).toBe("true");
    const [one, two, , own] = cells("middle");
    expect(own).toBeCloseTo(-one! + two!, 2);

    const before = cells("middle")[0];
    fireEvent.change(screen.getByLabelText("λtemp"), { target: { value: "200" } });
    expect(cells("middle")[0]).not.toBe(before);
  });
});
