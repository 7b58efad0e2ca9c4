/** Charts of the engine: numbers decoded, axes spanned, figures in the table, words for those who do not see them. */
import { readFileSync } from "node:fs";
import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { scaleLinear } from "d3-scale";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { axisOf, barNames, frameOf, logTicks, titleLines } from "../src/plots/axes";
import { barCount, plotOf, plotWords, spansOf, tableOf, tickText, type Plot } from "../src/plots/chartData";
import { MOST_STYLES, outlineOf, patternOf, SHAPES, shapeOf, VARIABLES, type Styled } from "../src/plots/hues";
import { PlotGrid, PlotLarge } from "../src/plots/PlotCard";
import { pointWords } from "../src/plots/PlotFigure";
import { ageOpacity, barSlot } from "../src/plots/plotPicture";
import { triangleOf } from "../src/plots/triangle";
import type { EventRecord } from "../src/types/events.gen";
import { tickTexts } from "../src/ui/format";
import contract from "./fixtures/contract.json";
import { ofKind, stubCanvas } from "./run/fixtures";

beforeAll(stubCanvas);
afterEach(cleanup);

const charts = ofKind("charts").at(-1)?.data.charts ?? [];
const plot = (name: string): Plot => {
  const chart = charts.find((item) => item.name === name);
  if (!chart) throw new Error(`the fixture has no chart ${name}`);
  return plotOf(chart);
};

/** A chart of the last frame of contract_fixtures.py. */
const ofContract = (name: string): Plot => {
  const last = (contract.runs.charts.events as unknown as EventRecord[]).at(-1)!.data;
  return plotOf((last.kind === "charts" ? last.charts : []).find((chart) => chart.name === name)!);
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

  it("writes whole numbers only where only these mean anything, and others where they do", () => {
    const line = { ...plot("accuracy").series[0]!, x: Float32Array.of(0, 1, 2), y: Float32Array.of(1, 2, 3) };
    const generations: Plot = { ...plot("accuracy"), xScale: "linear", series: [line] };
    const shares: Plot = { ...generations, series: [{ ...line, x: Float32Array.of(0, 0.5, 2) }] };
    const [whole, parts] = [generations, shares].map((own) => frameOf(own, spansOf([own]), 900, 300, false).x.texts);
    expect(whole).toEqual(["0", "1", "2"]);
    expect(parts).toContain("0.6");
  });

  it("writes what stands upright beside it whole, in lines where it is longer than the axis", () => {
    const long = "mean log-likelihood over 6 shared weights, nats per training example";
    expect(titleLines("accuracy", 250)).toEqual(["accuracy"]);
    const lines = titleLines(long, 250);
    expect(lines.length).toBe(2);
    expect(lines.join(" ")).toBe(long);
    // A word that has no room anywhere stays one.
    expect(titleLines("likelihood", 20)).toEqual(["likelihood"]);
    const [short, wide] = ["accuracy", long].map((yTitle) => frameOf({ ...plot("accuracy"), yTitle }, spansOf([plot("accuracy")]), 400, 300, false).box.left);
    expect(wide! - short!).toBe(13);
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
    expect(new Set([0, 1, 2, 3, 4].map((hue) => shapeOf({ hue, variant: 0, look: "points" }))).size).toBe(SHAPES.length);
    expect(outlineOf("circle", 3)).toBeNull();
    expect(outlineOf("triangle", 3)).toHaveLength(3);
  });
});

describe("the looks of a legend", () => {
  /** What is seen of a line (also a long one, without shapes), of a cloud of points. */
  const seen = (series: Styled) => `${VARIABLES[series.hue % VARIABLES.length]} ${series.look === "points" ? shapeOf(series) : patternOf(series).join(" ")}`;

  it("are different for every series of a chart, whatever looks they have", () => {
    for (const look of ["solid", "dashed", "points"] as const) {
      const all = Array.from({ length: MOST_STYLES }, (_, hue) => seen({ hue, variant: 0, look }));
      expect(new Set(all).size, look).toBe(MOST_STYLES);
    }
    const mixed = Array.from({ length: MOST_STYLES }, (_, hue) => seen({ hue, variant: 0, look: hue % 2 ? "dashed" : "solid" }));
    expect(new Set(mixed).size).toBe(MOST_STYLES);
  });

  it("are different for what one run says several times, where runs have one colour each", () => {
    const looks = ["solid", "dashed", "dashed", "solid"] as const;
    for (let hue = 0; hue < VARIABLES.length; hue++) expect(new Set(looks.map((look, variant) => seen({ hue, variant, look }))).size).toBe(looks.length);
  });

  it("have colours that can be told apart in both themes", () => {
    const text = readFileSync("src/app/theme.css", "utf8");
    const [light = "", dark = ""] = text.split('[data-theme="dark"]');
    const colour = (part: string, name: string) => /#([0-9a-f]{6})/.exec(part.slice(part.indexOf(`${name}:`)))?.[1] ?? "";
    const parts = (hex: string) => [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
    for (const theme of [(name: string) => colour(light, name), (name: string) => (dark.includes(`${name}:`) ? colour(dark, name) : colour(light, name))]) {
      const all = VARIABLES.map((name) => parts(theme(name)));
      all.forEach((one, index) => {
        for (const other of all.slice(index + 1)) expect(Math.hypot(...one.map((value, at) => value - (other[at] ?? 0))), `${one.join()} and ${other.join()}`).toBeGreaterThan(36);
      });
    }
  });
});

describe("ticks", () => {
  it.each([
    [[0.1001, 0.10012, 0.10014], ["0.1001", "0.10012", "0.10014"]],
    [[1000, 1250, 1500], ["1000", "1250", "1500"]],
    [[10_000, 10_002, 10_004], ["10 k", "10.002 k", "10.004 k"]],
    [[0, 20_000, 40_000], ["0", "20 k", "40 k"]],
    [[0, 0.00002, 0.00004], ["0", "2e-5", "4e-5"]],
    [[1_000_000, 1_000_010], ["1e6", "1.00001e6"]],
    [[-0.5, 0, 0.5], ["-0.5", "0", "0.5"]],
  ])("say where they stand: %j", (ticks, texts) => expect(tickTexts(ticks)).toEqual(texts));

  it("are never equal, however narrow the range", () => {
    for (const low of [0, 0.1, 0.99, 17, 1234, 98_765, 3e6, 2e-5]) {
      for (const span of [1, 1e-2, 1e-4, 1e-6]) {
        const ticks = scaleLinear([low, low + Math.max(low, 1e-6) * span]).ticks(5);
        expect(new Set(tickTexts(ticks)).size, `${low} + ${span}`).toBe(ticks.length);
        tickTexts(ticks).forEach((text, index) => {
          const value = Number(text.replace(" k", "")) * (text.endsWith(" k") ? 1e3 : 1);
          expect(value).toBeCloseTo(ticks[index] ?? NaN, 9);
        });
      }
    }
  });

  it("give every bar its name: side by side, else in lines, else upright", () => {
    const names = ["random search", "local search"];
    expect(barNames(names, 100, 80)).toMatchObject({ lines: [["random search"], ["local search"]], upright: false, every: 1 });
    expect(barNames(names, 60, 80)).toMatchObject({ lines: [["random", "search"], ["local", "search"]], upright: false, every: 1 });
    expect(barNames(names, 30, 90)).toMatchObject({ lines: [["random search"], ["local search"]], upright: true, every: 1 });
    // Too high a name is cut, and says so; bars thinner than a line of text leave names to the pointer and the table.
    expect(barNames(names, 30, 40).lines[0]).toEqual(["rando…"]);
    expect(barNames(names, 6, 90).every).toBe(3);
  });

  it("have room for the names below the bars, and find a bar from its name", () => {
    const long = { ...plotOf(charts[0]!), form: "bars" as const, categories: ["regularized evolution", "random search", "grid"], series: [{ name: "s", x: Float32Array.of(0, 1), y: Float32Array.of(1, 2), low: null, high: null, look: "solid" as const, hue: 0, variant: 0 }] };
    const short = { ...long, categories: ["a", "b", "c"] };
    const [frame, plain] = [long, short].map((plot) => frameOf(plot, spansOf([plot]), 240, 300, false)) as [ReturnType<typeof frameOf>, ReturnType<typeof frameOf>];
    expect(frame.names?.upright || (frame.names?.lines[0]?.length ?? 0) > 1).toBe(true);
    expect(frame.box.bottom).toBeLessThan(plain.box.bottom);
    expect(frame.names?.every).toBe(1);
    // A bar without a value is named in the table all the same.
    expect(tableOf(long).rows.map(([name]) => name)).toEqual(long.categories);
  });
});

describe("a triangle", () => {
  it("has equal sides at every size, and its corners are one share alone", () => {
    for (const [width, height] of [[600, 400], [200, 168], [320, 900]] as const) {
      const { corners: [top, left, right], place } = triangleOf(width, height);
      const sides = [[top, left], [left, right], [right, top]].map(([a, b]) => Math.hypot(a!.x - b!.x, a!.y - b!.y));
      expect(Math.max(...sides) - Math.min(...sides)).toBeLessThan(1e-9);
      expect([place(1, 0), place(0, 1), place(0, 0)].map(({ x, y }) => [Math.round(x), Math.round(y)])).toEqual([top, left, right].map(({ x, y }) => [Math.round(x), Math.round(y)]));
      for (const { x, y } of [top, left, right]) expect(x >= 0 && x <= width && y >= 0 && y <= height).toBe(true);
    }
  });

  it("is read in figures: every point with its three shares", () => {
    const law = ofContract("simplex");
    expect(tableOf(law).head).toEqual(["series", "point", "skip_connect", "nor_conv_3x3", "none"]);
    expect(tableOf(law).rows[0]).toEqual(["draws of q(Γ)", { value: 1, text: "1" }, ...[0.2, 0.3, 0.5].map((share) => expect.objectContaining({ text: share.toFixed(4) }))]);
    expect(plotWords(law)).toContain("p(Γ): from skip_connect 0.3333, nor_conv_3x3 0.3333, none 0.3333 to skip_connect");
    expect(plotWords(law)).toContain("draws of q(Γ): 3 points");
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
