/** Charts of the engine: numbers decoded, axes spanned, figures in the table, words for those who do not see them. */
import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { axisOf, frameOf, logTicks } from "../src/plots/axes";
import { barCount, plotOf, plotWords, spansOf, tableOf, tickText, type Plot } from "../src/plots/chartData";
import { outlineOf, SHAPES, shapeOf } from "../src/plots/hues";
import { PlotGrid, PlotLarge } from "../src/plots/PlotCard";
import { pointWords } from "../src/plots/PlotFigure";
import { ageOpacity, barSlot } from "../src/plots/plotPicture";
import { ofKind, stubCanvas } from "./run/fixtures";

beforeAll(stubCanvas);
afterEach(cleanup);

const charts = ofKind("charts").at(-1)?.data.charts ?? [];
const plot = (name: string): Plot => {
  const chart = charts.find((item) => item.name === name);
  if (!chart) throw new Error(`the fixture has no chart ${name}`);
  return plotOf(chart);
};

describe("a chart of the engine", () => {
  it("is decoded once, gaps and bands with it", () => {
    const accuracy = plot("accuracy");
    expect(accuracy.series.map((series) => series.look)).toEqual(["solid", "dashed"]);
    const [all, kept] = accuracy.series;
    expect(all?.y[0]).toBeCloseTo(0.5);
    expect(all?.low?.[0]).toBeCloseTo(0.47);
    expect(kept?.low).toBeNull();
    expect(kept?.y[2]).toBeNaN();
    expect(plot("accuracy")).toBe(accuracy);
  });

  it("spans its axes over bands and marks; bars stand on zero", () => {
    const { x, y } = spansOf([plot("accuracy")]);
    expect(x).toEqual([1, 11]);
    expect(y[0]).toBeCloseTo(0.4);
    expect(y[1]).toBeCloseTo(0.9845, 3);
    const bars = spansOf([plot("evidence")]);
    expect(bars.x).toEqual([-0.5, 2.5]);
    expect(bars.y).toEqual([-30, 0]);
    expect(barCount(plot("evidence"))).toBe(3);
  });

  it("leaves out of a logarithmic axis what has no place on it", () => {
    const loss = plot("loss");
    const withZero: Plot = { ...loss, series: [{ ...loss.series[0]!, y: Float32Array.from([0, -1, 0.1, 100]), x: Float32Array.from([1, 2, 3, 4]) }] };
    expect(spansOf([withZero]).y[0]).toBeCloseTo(0.1);
    expect(spansOf([withZero]).y[1]).toBe(100);
    const axis = axisOf([0.1, 100], 300, 0, "log", "y");
    expect(axis(0)).toBeNaN();
    expect(axis(Math.sqrt(10))).toBeCloseTo(150, 3);
  });

  it("widens an axis without width and takes an empty chart", () => {
    const loss = plot("loss");
    const [low, high] = spansOf([{ ...loss, yScale: "linear", series: [{ ...loss.series[0]!, y: Float32Array.from([2]), x: Float32Array.from([1]) }] }]).y;
    expect(low).toBeLessThan(2);
    expect(high).toBeGreaterThan(2);
    expect(spansOf([{ ...loss, series: [] }]).y).toEqual([0.1, 1]);
    expect(plotWords({ ...loss, series: [] })).toContain("Nothing yet");
  });

  it("shares its axes with others", () => {
    const accuracy = plot("accuracy");
    const wider: Plot = { ...accuracy, series: [{ ...accuracy.series[0]!, x: Float32Array.from([50]), y: Float32Array.from([2]), low: null, high: null }] };
    expect(spansOf([accuracy, wider])).toMatchObject({ x: [1, 50] });
    expect(spansOf([accuracy, wider]).y[1]).toBe(2);
  });

  it("has few, round ticks", () => {
    expect(logTicks(1, 1000, 4)).toEqual([1, 10, 100, 1000]);
    expect(logTicks(1, 10, 8)).toEqual([1, 2, 3, 5, 7, 10]);
    expect(logTicks(1e-6, 1e6, 4).length).toBeLessThanOrEqual(5);
    expect([0, 0.25, 12.5, 40_000, 2e-5, 3e7].map(tickText)).toEqual(["0", "0.25", "12.5", "40 k", "2e-5", "3e7"]);
    const frame = frameOf(plot("accuracy"), spansOf([plot("accuracy")]), 600, 300, false);
    expect(frame.y(0.9)).toBeLessThan(frame.y(0.5));
    expect(frame.x(11)).toBeGreaterThan(frame.x(1));
    expect(frame.x(11)).toBeLessThanOrEqual(frame.box.right);
  });

  it("puts the bars of several series beside each other around their place", () => {
    const slots = [0, 1, 2].map((series) => barSlot(series, 3));
    expect(slots[0]!.from).toBeCloseTo(-slots[2]!.from - slots[2]!.wide);
    expect(slots[1]!.from).toBeCloseTo(slots[0]!.from + slots[0]!.wide);
  });

  it("fades a path with age", () => {
    expect(ageOpacity(9, 10)).toBe(1);
    expect(ageOpacity(0, 10)).toBeCloseTo(0.14);
    expect(ageOpacity(5, 10)).toBeGreaterThan(ageOpacity(4, 10));
  });

  it("tells its series apart by shape as well as by colour", () => {
    expect(new Set([0, 1, 2, 3, 4].map(shapeOf)).size).toBe(SHAPES.length);
    expect(outlineOf("circle", 3)).toBeNull();
    expect(outlineOf("triangle", 3)).toHaveLength(3);
  });
});

describe("a chart in figures and words", () => {
  it("has a row for each x that series share, with bands and gaps", () => {
    const table = tableOf(plot("accuracy"));
    expect(table.head).toEqual(["iteration", "all weights", "20 % kept"]);
    expect(table.rows).toHaveLength(11);
    expect(table.rows[0]).toEqual(["1", "0.5000 (0.4700 to 0.5300)", "0.4000"]);
    expect(table.rows[2]?.[2]).toBe("–");
  });

  it("names bars by their category and a path's points by their number", () => {
    expect(tableOf(plot("evidence")).rows.map((row) => row[0])).toEqual(["1", "2", "3"]);
    const path = tableOf(plot("path"));
    expect(path.head).toEqual(["path", "point", "α0", "α1"]);
    expect(path.rows).toHaveLength(48);
    expect(path.rows[0]?.slice(0, 2)).toEqual(["ξ 0.1", "1"]);
    expect(plotWords(plot("path"))).toMatch(/ξ 0\.1: from \(1, 0\) to \(0\.0575, -/);
    expect(plotWords(plot("evidence"))).toContain("fit: 1 -30, 2 -12, 3 -11.5");
  });

  it("says what a point is", () => {
    expect(pointWords(plot("accuracy"), { series: 0, index: 1 })).toEqual({ title: "all weights: 0.7500", lines: ["iteration 2", "0.7200 to 0.7800"] });
    expect(pointWords(plot("evidence"), { series: 1, index: 2 })?.lines).toEqual(["3"]);
    expect(pointWords(plot("path"), { series: 0, index: 0 })?.lines.at(-1)).toBe("point 1 of 24");
    expect(pointWords(plot("path"), { series: 9, index: 0 })).toBeNull();
  });

  it("shows the picture or the figures, the legend and the note", () => {
    render(<PlotLarge plot={plot("accuracy")} />);
    expect(screen.getByRole("img").getAttribute("aria-label")).toContain("Accuracy against iteration. validation accuracy over iteration.");
    expect(within(screen.getByRole("list", { name: "Legend" })).getAllByRole("listitem").map((item) => item.textContent?.trim())).toEqual(["all weights", "20 % kept"]);
    expect(screen.getByText("Each line is one share of kept weights.")).toBeTruthy();
    fireEvent.click(screen.getByRole("radio", { name: "Figures" }));
    expect(screen.queryByRole("img")).toBeNull();
    expect(screen.getAllByRole("row")).toHaveLength(12);
  });

  it("opens large from a grid and closes again", () => {
    render(<PlotGrid plots={charts.map(plotOf)} />);
    expect(screen.getAllByRole("img")).toHaveLength(4);
    fireEvent.click(screen.getByRole("button", { name: "Loss: show large" }));
    const dialog = screen.getByRole("dialog", { hidden: true });
    expect(within(dialog).getByRole("heading", { hidden: true }).textContent).toBe("Loss");
    fireEvent.click(within(dialog).getByRole("button", { name: "Close", hidden: true }));
    expect(screen.queryByRole("dialog", { hidden: true })).toBeNull();
  });
});
