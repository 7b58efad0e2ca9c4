/** The frame of a chart: scales from numbers to pixels, grid lines, their figures and titles. */
import { scaleLinear, scaleLog } from "d3-scale";
import type { CanvasColours } from "../graph/palette";
import { tickTexts } from "../ui/format";
import { categoryName, tickText, type Plot, type Spans } from "./chartData";

export interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Pixels of a character and of a line of the axes' figures and names, about. */
const CHARACTER = 6.4;
/** Of words in small letters. */
const TITLE_CHARACTER = 5.7;
const LINE = 13;
/** The names of the bars take no more than so much of the height. */
const MOST_NAMES = 0.4;
const MOST_LINES = 3;

export interface BarNames {
  /** By bar its name in lines; one line where it stands upright. */
  lines: string[][];
  upright: boolean;
  /** Of so many bars one has its name written, where not even upright names have room: the others have it under the pointer and in the table. */
  every: number;
  /** Pixels that the names take below the bars. */
  depth: number;
}

/** The words of a name in lines of at most so many characters; null where a word is longer. */
function wrapped(name: string, most: number): string[] | null {
  const lines: string[] = [];
  for (const word of name.split(" ")) {
    if (word.length > most) return null;
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= most) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** How names of bars that have `room` pixels each are written, in at most `height` pixels: side by side, else in lines, else upright. */
export function barNames(names: readonly string[], room: number, height: number): BarNames {
  const most = Math.floor((room - 6) / CHARACTER);
  const lines = names.map((name) => wrapped(name, most));
  const tallest = Math.max(...lines.map((own) => own?.length ?? Infinity), 1);
  if (tallest <= MOST_LINES && tallest * LINE <= height) return { lines: lines.map((own) => own ?? []), upright: false, every: 1, depth: tallest * LINE };
  const longest = Math.max(...names.map((name) => name.length), 1);
  const fits = Math.max(Math.floor(height / CHARACTER), 2);
  const whole = names.map((name) => [name.length <= fits ? name : `${name.slice(0, fits - 1)}…`]);
  return { lines: whole, upright: true, every: Math.max(1, Math.ceil(LINE / room)), depth: Math.min(longest, fits) * CHARACTER + 4 };
}

export interface Axis {
  (value: number): number;
  ticks: number[];
  /** What stands at each. */
  texts: string[];
}

const MOST_TITLE_LINES = 3;

/** What an axis is called, in as few lines as have room on so many pixels; in one, if words are longer than that. */
export function titleLines(title: string, room: number): string[] {
  const lines = wrapped(title, Math.max(Math.floor(room / TITLE_CHARACTER), 1));
  return lines === null || lines.length > MOST_TITLE_LINES ? [title] : lines;
}

/** Whether all places along x are whole numbers. */
const isWhole = (plot: Plot): boolean => plot.series.every((series) => series.x.every(Number.isInteger));

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

/**
 * A scale from [low, high] to [from, to] in pixels. A value that has no place (zero on a logarithmic axis) gives NaN. `whole`: only whole
 * numbers mean anything there (generations, steps), so no others are written.
 */
export function axisOf([low, high]: readonly [number, number], from: number, to: number, scale: "linear" | "log", direction: "x" | "y", margin = 0, whole = false): Axis {
  const most = Math.max(2, Math.floor(Math.abs(to - from) / PIXELS_PER_TICK[direction]));
  if (scale === "log") {
    const wide = (high / low) ** margin;
    const domain: [number, number] = [low / wide, high * wide];
    const place = scaleLog(domain, [from, to]);
    const ticks = logTicks(domain[0], domain[1], most);
    return Object.assign((value: number) => (value > 0 ? place(value) : NaN), { ticks, texts: ticks.map(tickText) });
  }
  const room = (high - low) * margin;
  const place = scaleLinear([low - room, high + room], [from, to]);
  const ticks = place.ticks(most).filter((tick) => !whole || Number.isInteger(tick));
  return Object.assign((value: number) => place(value), { ticks, texts: tickTexts(ticks) });
}

export interface Frame {
  box: Box;
  x: Axis;
  y: Axis;
  /** Of the bars; null where there are none. */
  names: BarNames | null;
  /** Of the y axis; none in a compact picture. */
  title: string[];
}

/** Where a plot's numbers go in a picture of this size. `compact` has no axis titles. */
export function frameOf(plot: Plot, spans: Spans, width: number, height: number, compact: boolean): Frame {
  const rough = axisOf(spans.y, height, 0, plot.yScale, "y");
  const widest = Math.max(...rough.texts.map((text) => text.length), 2);
  const title = compact ? [] : titleLines(plot.yTitle, height - 48);
  const [left, right] = [12 + widest * CHARACTER + (compact ? 0 : 5 + title.length * LINE), width - 14];
  const bars = plot.form === "bars";
  const count = Math.round(spans.x[1] - spans.x[0]);
  const names = bars ? barNames(Array.from({ length: count }, (_, place) => categoryName(plot, place)), (right - left) / Math.max(count, 1), height * MOST_NAMES) : null;
  const box = { left, right, top: 10, bottom: height - (compact ? 20 : 38) - (names ? names.depth - LINE : 0) };
  const zero = bars && plot.yScale === "linear";
  const y = axisOf(spans.y, box.bottom, box.top, plot.yScale, "y", 0.06);
  // Bars stand on the edge of the picture, not above it.
  const low = zero && spans.y[0] >= 0 ? 0 : null;
  return {
    box,
    names,
    title,
    x: bars ? axisOf(spans.x, box.left, box.right, "linear", "x") : axisOf(spans.x, box.left, box.right, plot.xScale, "x", 0.02, isWhole(plot)),
    y: low === null ? y : axisOf([0, spans.y[1] * 1.06], box.bottom, box.top, "linear", "y"),
  };
}

export function paintAxes(context: CanvasRenderingContext2D, colours: CanvasColours, plot: Plot, frame: Frame, height: number, compact: boolean): void {
  const { box, x, y } = frame;
  context.font = `11px ${colours.font}`;
  context.lineWidth = 1;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const [index, tick] of y.ticks.entries()) {
    const at = y(tick);
    if (at < box.top - 1 || at > box.bottom + 1) continue;
    context.strokeStyle = colours.line2;
    context.beginPath();
    context.moveTo(box.left, at);
    context.lineTo(box.right, at);
    context.stroke();
    context.fillStyle = colours.ink3;
    context.fillText(y.texts[index] ?? "", box.left - 6, at);
  }
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  context.fillStyle = colours.ink3;
  if (plot.form === "bars") paintCategories(context, frame);
  else for (const [index, tick] of x.ticks.entries()) context.fillText(x.texts[index] ?? "", x(tick), box.bottom + 14);
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
  frame.title.forEach((line, row) => context.fillText(line, 0, row * LINE));
  context.restore();
}

/** Names of the bars, whole, in the lines that they take; those that are turned upright where there are more. */
function paintCategories(context: CanvasRenderingContext2D, { box, x, names }: Frame): void {
  if (!names) return;
  names.lines.forEach((lines, place) => {
    if (place % names.every !== 0) return;
    if (names.upright) {
      context.save();
      context.translate(x(place), box.bottom + 6);
      context.rotate(-Math.PI / 2);
      context.textAlign = "right";
      context.textBaseline = "middle";
      context.fillText(lines[0] ?? "", 0, 0);
      context.restore();
      return;
    }
    lines.forEach((line, row) => {
      const half = context.measureText(line).width / 2;
      context.fillText(line, Math.min(Math.max(x(place), half + 2), box.right + 12 - half), box.bottom + 14 + row * LINE);
    });
  });
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
