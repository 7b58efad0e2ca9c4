/** The frame of a chart: scales from numbers to pixels, grid lines, their figures and titles. */
import { scaleLinear, scaleLog } from "d3-scale";
import type { CanvasColours } from "../graph/palette";
import { categoryName, tickText, type Plot, type Spans } from "./chartData";

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export interface Axis {
  (value: number): number;
  ticks: number[];
}

const PIXELS_PER_TICK = { x: 74, y: 46 };

/** Ticks of a logarithmic axis: its decades, with 2 and 5 between them where these are few. */
export function logTicks(low: number, high: number, most: number): number[] {
  const ticks: number[] = [];
  const decades = Math.log10(high / low);
  const every = Math.max(1, Math.ceil(decades / Math.max(most, 1)));
  const within = decades < 1.3 ? [1, 2, 3, 5, 7] : decades <= most / 1.5 ? [1, 2, 5] : [1];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    if (within.length === 1 && power % every !== 0) continue;
    for (const factor of within) {
      const tick = Number((factor * 10 ** power).toPrecision(12));
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
    }
  }
  return ticks;
}

/** A scale from [low, high] to [from, to] in pixels. A value that has no place (zero on a logarithmic axis) gives NaN. */
export function axisOf([low, high]: readonly [number, number], from: number, to: number, scale: "linear" | "log", direction: "x" | "y", margin = 0): Axis {
  const most = Math.max(2, Math.floor(Math.abs(to - from) / PIXELS_PER_TICK[direction]));
  if (scale === "log") {
    const wide = (high / low) ** margin;
    const domain: [number, number] = [low / wide, high * wide];
    const place = scaleLog(domain, [from, to]);
    return Object.assign((value: number) => (value > 0 ? place(value) : NaN), { ticks: logTicks(domain[0], domain[1], most) });
  }
  const room = (high - low) * margin;
  const place = scaleLinear([low - room, high + room], [from, to]);
  return Object.assign((value: number) => place(value), { ticks: place.ticks(most) });
}

export interface Frame {
  box: Box;
  x: Axis;
  y: Axis;
}

/** Where a plot's numbers go in a picture of this size. `compact` has no axis titles. */
export function frameOf(plot: Plot, spans: Spans, width: number, height: number, compact: boolean): Frame {
  const rough = axisOf(spans.y, height, 0, plot.yScale, "y");
  const widest = Math.max(...rough.ticks.map((tick) => tickText(tick).length), 2);
  const box = { left: 12 + widest * 6.4 + (compact ? 0 : 18), right: width - 14, top: 10, bottom: height - (compact ? 20 : 38) };
  const bars = plot.form === "bars";
  const zero = bars && plot.yScale === "linear";
  const y = axisOf(spans.y, box.bottom, box.top, plot.yScale, "y", 0.06);
  // Bars stand on the edge of the picture, not above it.
  const low = zero && spans.y[0] >= 0 ? 0 : null;
  return {
    box,
    x: bars ? axisOf(spans.x, box.left, box.right, "linear", "x") : axisOf(spans.x, box.left, box.right, plot.xScale, "x", 0.02),
    y: low === null ? y : axisOf([0, spans.y[1] * 1.06], box.bottom, box.top, "linear", "y"),
  };
}

export function paintAxes(context: CanvasRenderingContext2D, colours: CanvasColours, plot: Plot, { box, x, y }: Frame, height: number, compact: boolean): void {
  context.font = `11px ${colours.font}`;
  context.lineWidth = 1;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const tick of y.ticks) {
    const at = y(tick);
    if (at < box.top - 1 || at > box.bottom + 1) continue;
    context.strokeStyle = colours.line2;
    context.beginPath();
    context.moveTo(box.left, at);
    context.lineTo(box.right, at);
    context.stroke();
    context.fillStyle = colours.ink3;
    context.fillText(tickText(tick), box.left - 6, at);
  }
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  context.fillStyle = colours.ink3;
  if (plot.form === "bars") paintCategories(context, plot, box, x);
  else for (const tick of x.ticks) context.fillText(tickText(tick), x(tick), box.bottom + 14);
  context.strokeStyle = colours.line;
  context.beginPath();
  context.moveTo(box.left, box.bottom);
  context.lineTo(box.right, box.bottom);
  context.stroke();
  if (compact) return;
  context.fillStyle = colours.ink2;
  context.fillText(plot.xTitle, (box.left + box.right) / 2, height - 6);
  context.save();
  context.translate(12, (box.top + box.bottom) / 2);
  context.rotate(-Math.PI / 2);
  context.fillText(plot.yTitle, 0, 0);
  context.restore();
}

/** Names of the bars: cut to their room, and only every so many where even that is too little. */
function paintCategories(context: CanvasRenderingContext2D, plot: Plot, box: Box, x: Axis): void {
  const room = x(1) - x(0);
  const last = Math.round((box.right - box.left) / room) - 1;
  const every = Math.max(1, Math.ceil(26 / room));
  for (let place = 0; place <= last; place += every) {
    const name = categoryName(plot, place);
    const letters = Math.max(2, Math.floor((room * every - 4) / 6.2));
    context.fillText(name.length > letters ? `${name.slice(0, letters - 1)}…` : name, x(place), box.bottom + 14);
  }
}

/** Lines across the chart at a value: thresholds, true values. Where a mark of each axis stands they cross at the point they name. */
export function paintMarks(context: CanvasRenderingContext2D, colours: CanvasColours, plot: Plot, { box, x, y }: Frame, compact: boolean): void {
  context.font = `500 11px ${colours.font}`;
  context.textBaseline = "alphabetic";
  context.lineWidth = 1.2;
  plot.marks.forEach((mark) => {
    const at = mark.axis === "x" ? x(mark.value) : y(mark.value);
    if (Number.isNaN(at)) return;
    context.strokeStyle = colours.bestInk;
    context.setLineDash([2, 3]);
    context.beginPath();
    context.moveTo(mark.axis === "x" ? at : box.left, mark.axis === "x" ? box.top : at);
    context.lineTo(mark.axis === "x" ? at : box.right, mark.axis === "x" ? box.bottom : at);
    context.stroke();
    context.setLineDash([]);
    if (compact) return;
    const left = mark.axis === "x" && at < (box.left + box.right) / 2;
    context.textAlign = left ? "left" : "right";
    const place = mark.axis === "x" ? [at + (left ? 4 : -4), box.top + 9] : [box.right - 2, Math.max(at - 4, box.top + 9)];
    context.lineWidth = 3;
    context.strokeStyle = colours.panel;
    context.strokeText(mark.title, place[0] ?? 0, place[1] ?? 0);
    context.lineWidth = 1.2;
    context.fillStyle = colours.bestInk;
    context.fillText(mark.title, place[0] ?? 0, place[1] ?? 0);
  });
}
