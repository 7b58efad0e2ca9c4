/** A chart as it travels made ready to be drawn: numbers decoded, axes spanned, words for those who do not see it. */
import { decodeFloats } from "../stream/floats";
import type { Chart, ChartSeries } from "../types/events.gen";
import { figure, measured, whole, type Figures } from "../ui/figures";
import { exact, metric, plural } from "../ui/format";

export interface PlotSeries {
  name: string;
  x: Float32Array;
  y: Float32Array;
  /** Lower and upper end of the band, null without one. */
  low: Float32Array | null;
  high: Float32Array | null;
  look: ChartSeries["look"];
  /** Number of its colour; by its place where nothing else is said. */
  hue: number;
  /** Which of the looks of that colour: those of one run, where runs are laid over each other. */
  variant: number;
}

export interface Plot {
  name: string;
  title: string;
  form: Chart["form"];
  xTitle: string;
  yTitle: string;
  xScale: Chart["x_scale"];
  yScale: Chart["y_scale"];
  categories: readonly string[];
  series: PlotSeries[];
  marks: Chart["marks"];
  note: string;
}

const known = new WeakMap<Chart, Plot>();

function decoded(text: string): Float32Array | null {
  return text === "" ? null : decodeFloats(text);
}

/** The plot of a chart; the same chart gives the same plot. */
export function plotOf(chart: Chart): Plot {
  const before = known.get(chart);
  if (before) return before;
  const plot: Plot = {
    name: chart.name, title: chart.title, form: chart.form, xTitle: chart.x_title, yTitle: chart.y_title, xScale: chart.x_scale,
    yScale: chart.y_scale, categories: chart.categories, marks: chart.marks, note: chart.note,
    series: chart.series.map((item, hue) => ({
      name: item.name, look: item.look, hue, variant: 0, x: decodeFloats(item.x), y: decodeFloats(item.y), low: decoded(item.low), high: decoded(item.high),
    })),
  };
  known.set(chart, plot);
  return plot;
}

export interface Spans {
  x: [number, number];
  y: [number, number];
}

/** Whether a number has a place on an axis. */
const placed = (value: number | undefined, scale: Chart["x_scale"]): value is number =>
  value !== undefined && Number.isFinite(value) && (scale === "linear" || value > 0);

function span(values: Iterable<number>, scale: Chart["x_scale"]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!placed(value, scale)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return scale === "log" ? [0.1, 1] : [0, 1];
  if (low < high) return [low, high];
  if (scale === "log") return [low / 2, high * 2];
  const half = Math.max(Math.abs(low) * 0.05, 1e-6);
  return [low - half, high + half];
}

function* allOf(plot: Plot, axis: "x" | "y"): Generator<number> {
  for (const series of plot.series) {
    yield* series[axis];
    if (axis === "y") {
      yield* series.low ?? [];
      yield* series.high ?? [];
    }
  }
  for (const mark of plot.marks) if (mark.axis === axis) yield mark.value;
}

/** The least and largest of both axes over several plots, bands and marks included. Bars stand on zero. */
export function spansOf(plots: readonly Plot[]): Spans {
  const [first] = plots;
  if (!first) return { x: [0, 1], y: [0, 1] };
  function* every(axis: "x" | "y"): Generator<number> {
    for (const plot of plots) yield* allOf(plot, axis);
    // A logarithmic axis has no zero, and `span` leaves it out.
    if (axis === "y" && first?.form === "bars") yield 0;
  }
  if (first.form !== "bars") return { x: span(every("x"), first.xScale), y: span(every("y"), first.yScale) };
  const groups = Math.max(...plots.map(barCount), 1);
  return { x: [-0.5, groups - 0.5], y: span(every("y"), first.yScale) };
}

/** How many places for bars a plot has. */
export function barCount(plot: Plot): number {
  return Math.max(plot.categories.length, ...plot.series.map((series) => 1 + Math.max(-1, ...series.x)));
}

export function categoryName(plot: Plot, place: number): string {
  return plot.categories[place] ?? String(place + 1);
}

/** "0.002", "12.5", "40 k", "1e-5": short enough for an axis. */
export function tickText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(1).replace(".0e", "e").replace("e+", "e");
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(4))} k`;
  return Number(value.toPrecision(4)).toString();
}

/** A number in a table or a sentence: counts have no decimals, and what is small is not called zero. */
export function numberText(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return metric(value);
  if (Number.isInteger(value)) return exact(value);
  return Math.abs(value) < 1e-3 ? tickText(Number(value.toPrecision(2))) : metric(value);
}

/** "conv 0.20, pool 0.30, skip 0.50": a point of a triangle. */
export function cornerText(plot: Plot, series: Pick<PlotSeries, "x" | "y">, index: number): string {
  return thirds(series, index).map((share, corner) => `${plot.categories[corner] ?? ""} ${numberText(share)}`).join(", ");
}

/** The three shares of a point of a triangle. */
function thirds({ x, y }: Pick<PlotSeries, "x" | "y">, index: number): [number, number, number] {
  const [first, second] = [x[index] ?? NaN, y[index] ?? NaN];
  // What single precision leaves of nothing is nothing.
  return [first, second, Math.max(Number((1 - first - second).toFixed(6)), 0)];
}

/** One series in words: from where to where. */
function seriesWords(plot: Plot, series: PlotSeries): string {
  const places = Array.from(series.y, (_, index) => index).filter((index) => placed(series.x[index], plot.xScale) && placed(series.y[index], plot.yScale));
  const [first] = places;
  const last = places.at(-1);
  if (first === undefined || last === undefined) return `${series.name}: nothing yet`;
  const point = (index: number) => (plot.form === "trajectory" ? `(${numberText(series.x[index])}, ${numberText(series.y[index])})` : numberText(series.y[index]));
  if (plot.form === "triangle") {
    if (series.look === "points" && series.x.length > 1) return `${series.name}: ${plural(series.x.length, "point")}`;
    return first === last ? `${series.name}: ${cornerText(plot, series, last)}` : `${series.name}: from ${cornerText(plot, series, first)} to ${cornerText(plot, series, last)}`;
  }
  if (plot.form === "bars") return `${series.name}: ${places.map((index) => `${categoryName(plot, series.x[index] ?? 0)} ${numberText(series.y[index])}`).join(", ")}`;
  if (plot.form === "map") {
    const values = places.map((index) => series.y[index] ?? NaN);
    return `${series.name}: ${numberText(Math.min(...values))} to ${numberText(Math.max(...values))}`;
  }
  return first === last ? `${series.name}: ${point(last)}` : `${series.name}: from ${point(first)} to ${point(last)}`;
}

const MOST_WORDS = 8;

/** A sentence for those who do not see the picture. */
export function plotWords(plot: Plot): string {
  const axes = plot.form === "triangle" ? `shares of ${plot.categories.join(", ")}` : plot.form === "bars" ? plot.yTitle : `${plot.yTitle} over ${plot.xTitle}`;
  const series = plot.series.slice(0, MOST_WORDS).map((item) => seriesWords(plot, item));
  if (plot.series.length > MOST_WORDS) series.push(`and ${plural(plot.series.length - MOST_WORDS, "more series", "more series")}`);
  return `${plot.title}. ${axes}. ${series.join("; ") || "Nothing yet"}`;
}

const cell = (series: PlotSeries, index: number): string => {
  const value = numberText(series.y[index]);
  const [low, high] = [series.low?.[index], series.high?.[index]];
  return low === undefined || high === undefined ? value : `${value} (${numberText(low)} to ${numberText(high)})`;
};

/** The figures of a plot. Series over the same x share rows; a path has a row for each of its points. */
export function tableOf(plot: Plot): Figures {
  const { title } = plot;
  if (plot.form === "triangle") return cornersOf(plot);
  if (plot.form === "trajectory") {
    const rows = plot.series.flatMap((series) => Array.from(series.y, (_, index) => [series.name, String(index + 1), numberText(series.x[index]), numberText(series.y[index])]));
    return { title, head: ["path", "point", plot.xTitle, plot.yTitle], rows };
  }
  const places = new Map<number, string[]>();
  // A bar without a value has its name all the same.
  if (plot.form === "bars") for (let place = 0; place < barCount(plot); place++) places.set(place, plot.series.map(() => ""));
  plot.series.forEach((series, column) => {
    series.x.forEach((x, index) => {
      if (!Number.isFinite(x)) return;
      const row = places.get(x) ?? plot.series.map(() => "");
      row[column] = row[column] ? `${row[column]}, ${cell(series, index)}` : cell(series, index);
      places.set(x, row);
    });
  });
  const name = (x: number) => (plot.form === "bars" ? categoryName(plot, x) : numberText(x));
  const one = plot.series.length === 1;
  return {
    title,
    head: [plot.form === "bars" ? plot.xTitle || "bar" : plot.xTitle, ...plot.series.map((series) => (one ? plot.yTitle : series.name))],
    rows: [...places].sort((a, b) => a[0] - b[0]).map(([x, row]) => [name(x), ...row.map((text) => text || "–")]),
  };
}

/** Every point of a triangle, its three shares. */
function cornersOf(plot: Plot): Figures {
  const rows = plot.series.flatMap((series) => Array.from(series.x, (_, index) => [series.name, whole(index + 1), ...thirds(series, index).map((share) => figure(share, numberText(share)))]));
  return { title: plot.title, head: ["series", "point", ...plot.categories], rows };
}

/** Every point of a plot with its band, in full: what is saved. */
export function pointsOf(plot: Plot): Figures {
  if (plot.form === "triangle") return cornersOf(plot);
  const banded = plot.series.some((series) => series.low !== null);
  // A line across the chart has a value of one axis alone.
  const marks = plot.marks.map(({ axis, value, title }) => [`line: ${title}`, ...(axis === "x" ? [measured(value), ""] : ["", measured(value)]), ...(banded ? ["", ""] : [])]);
  return {
    title: plot.title,
    head: ["series", plot.xTitle || "x", plot.yTitle || "y", ...(banded ? ["low", "high"] : [])],
    rows: [...plot.series.flatMap((series) =>
      Array.from(series.y, (y, index) => {
        const x = series.x[index] ?? NaN;
        const place = plot.form === "bars" ? categoryName(plot, x) : figure(x, numberText(x));
        return [series.name, place, measured(y), ...(banded ? [measured(series.low?.[index]), measured(series.high?.[index])] : [])];
      }),
    ), ...marks],
  };
}
