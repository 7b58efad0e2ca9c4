import { fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { fitness, maskOf, matches, selectionOf, simulate, survival, type Mask, type Setting } from "../src/explore/bitSchemata";
import { Schemata, verdicts } from "../src/explore/Schemata";
import { stubCanvas } from "./run/fixtures";

const mask = (text: string, length = 6): Mask => {
  const found = maskOf(text, length);
  if (typeof found === "string") throw new Error(found);
  return found;
};

beforeEach(stubCanvas);

const setting = (changes: Partial<Setting> = {}): Setting => ({
  population: 100, length: 6, mutation: 0.01, crossover: 0.7, selection: "proportional", tournament: 2, generations: 8, planted: mask("1**0*"), strength: 1, seed: 3, ...changes,
});

describe("masks", () => {
  it("are filled up with stars, and know their order and their defining length", () => {
    expect(mask("1**0*")).toMatchObject({ text: "1**0**", order: 2, length: 3 });
    expect(mask("*1")).toMatchObject({ order: 1, length: 0 });
    expect(mask("***")).toMatchObject({ order: 0, length: 0 });
    expect(matches(mask("1**0*"), 0b100000)).toBe(true);
    expect(matches(mask("1**0*"), 0b100100)).toBe(false);
  });

  it("say what is wrong with them", () => {
    expect(maskOf("1**0***", 6)).toBe("1**0*** has 7 places, the strings have 6: shorten it or make them longer");
    expect(maskOf("12", 6)).toBe("12: a mask consists of 0, 1 and *");
  });

  it("are left by the operators as often as every cut and every change, counted one by one, leave them", () => {
    const { crossover, mutation, length } = setting();
    for (const text of ["1**0*", "11", "1****1"]) {
      const places = [...mask(text).text].flatMap((sign, place) => (sign === "*" ? [] : [place]));
      const cuts = [1, 2, 3, 4, 5];
      const through = cuts.filter((cut) => places.some((place) => place < cut) && places.some((place) => place >= cut)).length;
      expect(survival(mask(text), { crossover, mutation, length })).toBeCloseTo((1 - crossover + (crossover * (cuts.length - through)) / cuts.length) * (1 - mutation) ** places.length, 12);
    }
  });
});

describe("selection", () => {
  it("by tournament is what all draws, counted one by one, give", () => {
    const values = [1, 3, 3, 2];
    const counted = [0, 0, 0, 0];
    values.forEach((_, a) => values.forEach((_, b) => (counted[(values[b] ?? 0) > (values[a] ?? 0) ? b : a]! += 1 / 16)));
    selectionOf(values, { selection: "tournament", tournament: 2 }).forEach((share, place) => expect(share).toBeCloseTo(counted[place] ?? 0, 12));
  });

  it("in proportion takes positive fitness, which every string has", () => {
    expect(Math.min(...Array.from({ length: 64 }, (_, string) => fitness(string, setting())))).toBe(1);
    expect(selectionOf([1, 3], setting())).toEqual([0.25, 0.75]);
  });
});

describe("a run", () => {
  it.each(["proportional", "tournament"] as const)("keeps its means at the bounds, %s, and falls below them drawn blind", (selection) => {
    const { tracks } = simulate(setting({ selection, population: 200, generations: 4 }), [mask("1**0*"), mask("1")]);
    for (const { bound, redrawn, error } of tracks) bound.forEach((value, at) => expect(redrawn[at]! + 3 * error[at]!).toBeGreaterThanOrEqual(value));
    // While the planted mask is rare and fit.
    const [planted] = tracks;
    expect(planted!.blind[0]! + 3 * planted!.error[0]!).toBeLessThan(planted!.redrawn[0]!);
  });

  it("is the same for the same setting, and does not hang on what is measured of it", () => {
    const [one, two] = [simulate(setting(), [mask("1")]), simulate(setting(), [mask("0"), mask("1")])];
    expect(two.tracks[1]).toEqual(one.tracks[0]);
  });
});

it("the sentences follow the figures: long masks survive, those side by side more than those that fix both ends, fit ones grow", () => {
  const { groups } = simulate(setting({ length: 10, planted: mask("1**0*", 10), population: 200, generations: 6 }), []);
  const [first, second] = verdicts(groups);
  expect(first).toMatch(/^Here so: 0\.\d\d children per parent at 0 stars, (0\.9|1\.0)\d at 9\./);
  expect(first).toMatch(/side by side do better than those that fix both ends at [678] of 8/);
  expect(second).toMatch(/^Fit masks do better than the others at (9|10) of 10/);
  // Without crossover and mutation nothing is taken apart, and no sentence says so.
  expect(verdicts(simulate(setting({ crossover: 0, mutation: 0 }), []).groups)[0]).toMatch(/^(Not here|Here so): (0\.9|1\.0)/);
});

it("the part of the page follows the masks that are typed, and says what is wrong with one", () => {
  render(<Schemata />);
  const typed = screen.getByLabelText("masks to follow");
  fireEvent.change(typed, { target: { value: "1**0* 0*" } });
  expect(screen.getAllByText("0***********")[0]).toBeTruthy();
  fireEvent.change(typed, { target: { value: "1*2" } });
  expect(screen.getByRole("alert").textContent).toContain("1*2: a mask consists of 0, 1 and *");
  fireEvent.click(screen.getByRole("radio", { name: "Tournament" }));
  expect(screen.getByLabelText("tournament")).toBeTruthy();
});
