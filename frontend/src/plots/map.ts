/** A map: a row of cells for each series, the first on top; a cell's place is its x, its colour its y. */
import type { CanvasColours } from "../graph/palette";
import { scoreColour } from "../graph/scoreColour";
import type { Point } from "../graph/stage";
import { axisOf, type Frame } from "./axes";
import { spansOf, type Plot, type PlotSeries, type Spans } from "./chartData";

const CHARACTER = 6.4;
/** The names of the rows take no more than so much of the width. */
const MOST_NAMES = 0.34;
const LEAST_LINE = 11;

export interface Cell {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface MapFrame extends Frame {
  /** Least and largest value, by which the cells are coloured. */
  span: [number, number];
  rowHeight: number;
  cell: (series: number, index: number) => Cell | null;
}

/** Where the cells of a series begin and end: half-way to their neighbours. */
function edgesOf({ x }: PlotSeries): number[] {
  const last = x.length - 1;
  if (last < 1) return Array.from(x).flatMap((value) => [value - 0.5, value + 0.5]);
  const between = Array.from({ length: last }, (_, index) => ((x[index] ?? 0) + (x[index + 1] ?? 0)) / 2);
  const [first, end] = [x[0] ?? 0, x[last] ?? 0];
  return [2 * first - (between[0] ?? first), ...between, 2 * end - (between.at(-1) ?? end)];
}

/** Cells, rows and axes in a picture of this size. */
export function mapOf(plot: Plot, width: number, height: number, compact: boolean, shared: Spans | null = null): MapFrame {
  const { y: span } = shared ?? spansOf([plot]);
  const longest = Math.max(...plot.series.map(({ name }) => name.length), 1);
  const box = { left: Math.min(12 + longest * CHARACTER, width * MOST_NAMES), right: width - 14, top: 10, bottom: height - (compact ? 20 : 38) };
  const edges = plot.series.map(edgesOf);
  const all = edges.flat();
  const x = axisOf([Math.min(...all), Math.max(...all)], box.left, box.right, "linear", "x");
  const rowHeight = (box.bottom - box.top) / Math.max(plot.series.length, 1);
  const rows = Object.assign((row: number) => box.top + row * rowHeight, { ticks: [], texts: [] });
  return {
    box, names: null, title: [], x, y: rows, span, rowHeight,
    cell: (series, index) => {
      const [from, to] = [edges[series]?.[index], edges[series]?.[index + 1]];
      if (from === undefined || to === undefined) return null;
      return { left: x(from), top: rows(series), width: x(to) - x(from), height: rowHeight };
    },
  };
}

/** The cell at a point. */
export function cellAt(plot: Plot, map: MapFrame, point: Point): { series: number; index: number } | null {
  const series = Math.floor((point.y - map.box.top) / map.rowHeight);
  for (let index = 0; index < (plot.series[series]?.x.length ?? 0); index++) {
    const cell = map.cell(series, index);
    if (cell && point.x >= cell.left && point.x < cell.left + cell.width) return { series, index };
  }
  return null;
}

export function paintMap(context: CanvasRenderingContext2D, colours: CanvasColours, plot: Plot, map: MapFrame, height: number, compact: boolean): void {
  const { box, x } = map;
  plot.series.forEach((series, row) => {
    series.y.forEach((value, index) => {
      const cell = map.cell(row, index);
      // What was not measured has no colour.
      if (!cell || Number.isNaN(value)) return;
      context.fillStyle = scoreColour(value, map.span);
      // Half a pixel over the edge: no seams between cells.
      context.fillRect(cell.left, cell.top, cell.width + 0.5, cell.height - (cell.height > 6 ? 1 : 0));
    });
  });
  context.font = `11px ${colours.font}`;
  context.fillStyle = colours.ink3;
  context.textAlign = "right";
  context.textBaseline = "middle";
  const every = Math.max(1, Math.ceil(LEAST_LINE / map.rowHeight));
  const fits = Math.max(Math.floor((box.left - 10) / CHARACTER), 1);
  plot.series.forEach(({ name }, row) => {
    if (row % every === 0) context.fillText(name.length <= fits ? name : `${name.slice(0, fits - 1)}…`, box.left - 6, box.top + (row + 0.5) * map.rowHeight);
  });
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  for (const [index, tick] of x.ticks.entries()) context.fillText(x.texts[index] ?? "", x(tick), box.bottom + 14);
  if (compact) return;
  context.fillStyle = colours.ink2;
  context.fillText(plot.xTitle, (box.left + box.right) / 2, height - 6);
}
