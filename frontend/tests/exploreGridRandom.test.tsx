/** Grid and random search over two parameters of which one matters: their points, and what each finds. */
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { GridRandom } from "../src/explore/GridRandom";
import { bell, bestOf, compare, distinct, gridTrials, randomTrials, score, widestGap, WIDTH } from "../src/explore/gridRandom";

afterEach(cleanup);

describe("the two searches", () => {
  it("try the same number of points: the grid few values of the important parameter, chance as many as points", () => {
    for (const side of [3, 7, 10]) {
      const [grid, random] = [gridTrials(side), randomTrials(side * side, 1)];
      expect([grid.length, distinct(grid)]).toEqual([side * side, side]);
      expect([random.length, distinct(random)]).toEqual([side * side, side * side]);
      expect(widestGap(grid)).toBeCloseTo(1 / side, 12);
      for (const trials of [grid, random]) for (const { x, y } of trials) expect(Math.min(x, y) > 0 && Math.max(x, y) < 1).toBe(true);
    }
    expect(gridTrials(2)).toEqual([{ x: 0.25, y: 0.25 }, { x: 0.75, y: 0.25 }, { x: 0.25, y: 0.75 }, { x: 0.75, y: 0.75 }]);
    expect(randomTrials(9, 4)).toEqual(randomTrials(9, 4));
    expect(randomTrials(9, 4)).not.toEqual(randomTrials(9, 5));
    expect(widestGap([{ x: 0.5, y: 0 }, { x: 0.6, y: 0 }])).toBe(0.5);
  });

  it("are scored by a function in which the second parameter counts as much as said", () => {
    const peak = { x: 0.3, y: 0.8 };
    expect(score({ peak, importance: 0.5 }, peak)).toBe(1);
    expect(score({ peak, importance: 0 }, { x: 0.3 + WIDTH, y: 0 })).toBeCloseTo(Math.exp(-0.5), 12);
    expect(score({ peak, importance: 0 }, { x: 0.1, y: 0.1 })).toBe(score({ peak, importance: 0 }, { x: 0.1, y: 0.9 }));
    expect(score({ peak, importance: 1 }, { x: 0.3, y: 0.8 - WIDTH })).toBeCloseTo((1 + bell(WIDTH)) / 2, 12);
    expect(bestOf({ peak: { x: 0.27, y: 0.77 }, importance: 1 }, gridTrials(10)).trial).toEqual({ x: 0.25, y: 0.75 });
  });

  it("differ by what Bergstra and Bengio say: chance wins where one parameter matters, not where both do", () => {
    for (const side of [3, 5]) {
      const one = compare(side, 0);
      expect(one.random).toBeGreaterThan(one.grid + 0.05);
      expect(one.randomBetter).toBeGreaterThan(0.6);
      const both = compare(side, 1);
      expect(both.random).toBeLessThan(both.grid);
      expect(both.randomBetter).toBeLessThan(0.5);
    }
    // The mean over peaks of the best of k values in the middles of k cells: 2 k times the integral of the bell over half a cell.
    const steps = 20_000;
    const half = 1 / 6;
    const exact = Array.from({ length: steps }, (_, index) => bell(((index + 0.5) / steps) * half)).reduce((sum, value) => sum + value, 0) / steps;
    expect(Math.abs(compare(3, 0, 4000).grid - exact)).toBeLessThan(0.015);
  });
});

describe("the part of the page", () => {
  const cells = (name: string | RegExp) => Array.from(screen.getByRole("rowheader", { name }).parentElement!.querySelectorAll("td"), (cell) => cell.textContent);

  it("says both searches in figures and follows the sliders", () => {
    render(<GridRandom />);
    expect(cells("points")).toEqual(["25", "25"]);
    expect(cells("values of the important one")).toEqual(["5", "25"]);
    const before = cells("best found here");
    fireEvent.click(screen.getByRole("button", { name: "Draw again" }));
    expect(cells("best found here")[0]).toBe(before[0]);
    expect(cells("best found here")[1]).not.toBe(before[1]);

    fireEvent.change(screen.getByLabelText("points of each"), { target: { value: "3" } });
    expect(screen.getByLabelText("points of each").getAttribute("aria-valuetext")).toBe("9");
    expect(cells("values of the important one")).toEqual(["3", "9"]);
    // The peak under the grid's middle column: only the other parameter, 0.12 off in the middle row, keeps the grid from 1.
    fireEvent.change(screen.getByLabelText("important: best at"), { target: { value: "100" } });
    expect(cells("best found here")[0]).toBe(((1 + 0.1 * bell(0.12)) / 1.1).toFixed(3));
    const [, share] = cells(/^better of the two/);
    fireEvent.change(screen.getByLabelText("weight of the other"), { target: { value: "200" } });
    expect(cells(/^better of the two/)[1]).not.toBe(share);
    expect(screen.getByRole("img", { name: /^Grid search: 9 points, 3 values of the important parameter, best 0\.743 at 0\.50, 0\.50/ })).toBeTruthy();
    expect(screen.getAllByRole("row", { hidden: true }).length).toBeGreaterThan(9);
  });
});
