/** A chart on its canvas: lines with bands, bars, rows of coloured cells, or paths through the plane that fade with age. */
import { Stage, roundBox, type Point } from "../graph/stage";
import { frameOf, paintAxes, paintMarks, type Frame } from "./axes";
import { spansOf, type Plot, type PlotSeries, type Spans } from "./chartData";
import { hueColour, patternOf, shapeOf, tracePath } from "./hues";
import { cellAt, mapOf, paintMap, type MapFrame } from "./map";
import { paintTriangle, triangleOf, type Triangle } from "./triangle";

export interface PlotPick {
  series: number;
  index: number;
}

const PICK_TOLERANCE = 14;
/** Points of a line get their own shapes only while they are so few. */
const SHAPED_POINTS = 24;
const BAR_SHARE = 0.78;
/** Arrows along a path. */
const ARROWS = 4;

/** Left edge and width of a bar, as shares of the room of its place. */
export function barSlot(series: number, count: number): { from: number; wide: number } {
  const wide = BAR_SHARE / Math.max(count, 1);
  return { from: -BAR_SHARE / 2 + series * wide, wide };
}

/** How strong the part of a path is that ends at `index`: the newest is opaque. */
export function ageOpacity(index: number, count: number): number {
  return count < 2 ? 1 : 0.14 + 0.86 * (index / (count - 1)) ** 1.4;
}

export class PlotPicture extends Stage {
  private plot: Plot | null = null;
  private spans: Spans | null = null;
  private compact = false;
  private hovered: PlotPick | null = null;
  private axes: Frame | null = null;
  private map: MapFrame | null = null;

  /** `spans` where several charts share their axes. */
  setPlot(plot: Plot, compact: boolean, spans: Spans | null = null): void {
    this.plot = plot;
    this.compact = compact;
    this.spans = spans;
    this.arrange();
    this.invalidate();
  }

  hover(pick: PlotPick | null): void {
    if (pick?.series === this.hovered?.series && pick?.index === this.hovered?.index) return;
    this.hovered = pick;
    this.invalidate();
  }

  protected override resized(): void {
    this.arrange();
  }

  private arrange(): void {
    this.map = this.plot?.form === "map" && this.width > 0 ? mapOf(this.plot, this.width, this.height, this.compact, this.spans) : null;
    this.axes = this.plot && this.plot.form !== "map" && this.width > 0 ? frameOf(this.plot, this.spans ?? spansOf([this.plot]), this.width, this.height, this.compact) : null;
  }

  /** The point (or bar) nearest to a place, or null where none is near. */
  pick(point: Point): PlotPick | null {
    const { plot, axes, map } = this;
    if (plot && map) return cellAt(plot, map, point);
    if (!plot || !axes) return null;
    if (plot.form === "bars") return this.pickBar(point, plot, axes);
    const triangle = plot.form === "triangle" ? triangleOf(this.width, this.height) : null;
    let found: PlotPick | null = null;
    let least = PICK_TOLERANCE;
    plot.series.forEach((series, number) => {
      for (let index = 0; index < series.y.length; index++) {
        const [x, y] = [series.x[index] ?? NaN, series.y[index] ?? NaN];
        const at = triangle ? triangle.place(x, y) : { x: axes.x(x), y: axes.y(y) };
        const distance = Math.hypot(at.x - point.x, at.y - point.y);
        if (distance <= least) {
          least = distance;
          found = { series: number, index };
        }
      }
    });
    return found;
  }

  private pickBar(point: Point, plot: Plot, { box, x }: Frame): PlotPick | null {
    // Its name below the bar belongs to it.
    if (point.y > this.height || point.y < box.top) return null;
    const room = x(1) - x(0);
    const place = (point.x - x(0)) / room;
    for (const [number, series] of plot.series.entries()) {
      const { from, wide } = barSlot(number, plot.series.length);
      const index = series.x.findIndex((at) => place >= at + from && place < at + from + wide);
      if (index >= 0) return { series: number, index };
    }
    // Between the bars of a place, or on its name: its first bar.
    const nearest = Math.round(place);
    const number = plot.series.findIndex((series) => series.x.includes(nearest));
    return number < 0 ? null : { series: number, index: plot.series[number]?.x.indexOf(nearest) ?? 0 };
  }

  protected override paint(context: CanvasRenderingContext2D): boolean {
    const { plot, axes } = this;
    if (plot?.form === "triangle" && this.width > 0) {
      this.paintInTriangle(context, plot, triangleOf(this.width, this.height));
      return false;
    }
    if (plot && this.map) {
      this.paintCells(context, plot, this.map);
      return false;
    }
    if (!plot || !axes) return false;
    paintAxes(context, this.colours, plot, axes, this.height, this.compact);
    const { box } = axes;
    context.save();
    context.beginPath();
    context.rect(box.left - 1, box.top - 8, box.right - box.left + 9, box.bottom - box.top + 9);
    context.clip();
    if (plot.form === "bars") this.paintBars(context, plot, axes);
    else {
      for (const series of plot.series) this.paintBand(context, series, axes);
      for (const series of plot.series) {
        if (plot.form === "trajectory") this.paintPath(context, series, Array.from(series.x, (x, index): Point => ({ x: axes.x(x), y: axes.y(series.y[index] ?? NaN) })));
        else this.paintLine(context, series, axes);
      }
    }
    context.restore();
    paintMarks(context, this.colours, plot, axes, this.compact);
    this.paintHovered(context, plot, axes);
    return false;
  }

  private paintCells(context: CanvasRenderingContext2D, plot: Plot, map: MapFrame): void {
    paintMap(context, this.colours, plot, map, this.height, this.compact);
    paintMarks(context, this.colours, plot, map, this.compact);
    const cell = this.hovered && map.cell(this.hovered.series, this.hovered.index);
    if (!cell) return;
    context.strokeStyle = this.colours.ink;
    context.lineWidth = 1.6;
    context.strokeRect(cell.left, cell.top, cell.width, cell.height);
  }

  private paintBand(context: CanvasRenderingContext2D, { x, low, high, hue, look }: PlotSeries, frame: Frame): void {
    if (!low || !high || look === "points") return;
    context.fillStyle = hueColour(hue);
    context.globalAlpha = 0.16;
    context.beginPath();
    let open: number[] = [];
    const close = () => {
      for (const index of open) context.lineTo(frame.x(x[index] ?? NaN), frame.y(high[index] ?? NaN));
      for (const index of open.reverse()) context.lineTo(frame.x(x[index] ?? NaN), frame.y(low[index] ?? NaN));
      context.closePath();
      open = [];
    };
    for (let index = 0; index < x.length; index++) {
      const whole = [frame.x(x[index] ?? NaN), frame.y(low[index] ?? NaN), frame.y(high[index] ?? NaN)].every((value) => !Number.isNaN(value));
      if (whole) open.push(index);
      else if (open.length > 0) close();
    }
    if (open.length > 0) close();
    context.fill();
    context.globalAlpha = 1;
  }

  private paintLine(context: CanvasRenderingContext2D, series: PlotSeries, frame: Frame): void {
    const { x, y, hue, look } = series;
    context.strokeStyle = context.fillStyle = hueColour(hue);
    if (look !== "points") {
      context.lineWidth = look === "dashed" ? 1.5 : 1.9;
      context.lineJoin = "round";
      context.setLineDash([...patternOf(series)]);
      context.beginPath();
      let drawing = false;
      for (let index = 0; index < x.length; index++) {
        const [px, py] = [frame.x(x[index] ?? NaN), frame.y(y[index] ?? NaN)];
        // A missing value is a gap, not a bridge.
        if (Number.isNaN(px) || Number.isNaN(py)) drawing = false;
        else if (drawing) context.lineTo(px, py);
        else {
          context.moveTo(px, py);
          drawing = true;
        }
      }
      context.stroke();
      context.setLineDash([]);
    }
    const few = y.length <= SHAPED_POINTS && !this.compact;
    for (let index = 0; index < y.length; index++) {
      const shown = look === "points" || few || y.length === 1 || index === y.length - 1;
      if (shown) this.dot(context, series, index, frame, look === "points" ? 3.2 : 2.8, look === "points" ? 0.75 : 1);
      if (look === "points") this.whisker(context, series, index, frame.x(x[index] ?? NaN), frame);
    }
  }

  private dot(context: CanvasRenderingContext2D, series: PlotSeries, index: number, frame: Frame, radius: number, alpha: number): void {
    const [px, py] = [frame.x(series.x[index] ?? NaN), frame.y(series.y[index] ?? NaN)];
    if (Number.isNaN(px) || Number.isNaN(py)) return;
    context.globalAlpha = alpha;
    tracePath(context, shapeOf(series), px, py, radius);
    context.fill();
    context.globalAlpha = 1;
  }

  private whisker(context: CanvasRenderingContext2D, { low, high }: PlotSeries, index: number, at: number, frame: Frame): void {
    const [from, to] = [frame.y(low?.[index] ?? NaN), frame.y(high?.[index] ?? NaN)];
    if (Number.isNaN(from) || Number.isNaN(to) || Number.isNaN(at)) return;
    context.lineWidth = 1.2;
    context.beginPath();
    for (const end of [from, to]) {
      context.moveTo(at - 3, end);
      context.lineTo(at + 3, end);
    }
    context.moveTo(at, from);
    context.lineTo(at, to);
    context.stroke();
  }

  private paintPath(context: CanvasRenderingContext2D, series: PlotSeries, points: Point[]): void {
    const { hue, look } = series;
    const count = points.length;
    const shape = shapeOf(series);
    context.strokeStyle = context.fillStyle = hueColour(hue);
    context.lineCap = "round";
    context.lineWidth = 1.8;
    context.setLineDash(look === "points" ? [] : [...patternOf(series)]);
    const bad = (point: Point | undefined): point is undefined => !point || Number.isNaN(point.x) || Number.isNaN(point.y);
    const arrows = new Set(Array.from({ length: ARROWS }, (_, number) => Math.round(((number + 1) / (ARROWS + 1)) * (count - 1))));
    for (let index = 0; index < count; index++) {
      const [before, here] = [points[index - 1], points[index]];
      if (bad(here)) continue;
      context.globalAlpha = ageOpacity(index, count);
      if (look === "points") {
        tracePath(context, shape, here.x, here.y, 2.6);
        context.fill();
      } else if (!bad(before)) {
        context.beginPath();
        context.moveTo(before.x, before.y);
        context.lineTo(here.x, here.y);
        context.stroke();
        if (!this.compact && arrows.has(index)) this.arrow(context, before, here);
      }
    }
    context.globalAlpha = 1;
    context.setLineDash([]);
    const start = points.find((point) => !bad(point));
    const end = points.findLast((point) => !bad(point));
    if (!start || !end) return;
    tracePath(context, shape, start.x, start.y, 3.4);
    context.fillStyle = this.colours.panel;
    context.fill();
    context.stroke();
    this.mark(context, series, end, 4.6);
  }

  /** A point that stands out. */
  private mark(context: CanvasRenderingContext2D, series: PlotSeries, at: Point, radius: number): void {
    tracePath(context, shapeOf(series), at.x, at.y, radius);
    context.fillStyle = hueColour(series.hue);
    context.fill();
    context.lineWidth = 1.4;
    context.strokeStyle = this.colours.panel;
    context.stroke();
  }

  /** Paths, clouds of draws and single marks between three corners. */
  private paintInTriangle(context: CanvasRenderingContext2D, plot: Plot, triangle: Triangle): void {
    paintTriangle(context, this.colours, plot, triangle, this.compact);
    const places = plot.series.map((series) => Array.from(series.x, (x, index) => triangle.place(x, series.y[index] ?? NaN)));
    plot.series.forEach((series, number) => {
      if (series.look !== "points" || series.x.length < 2) return;
      context.fillStyle = hueColour(series.hue);
      context.globalAlpha = 0.45;
      for (const { x, y } of places[number] ?? []) {
        tracePath(context, shapeOf(series), x, y, 2.2);
        context.fill();
      }
      context.globalAlpha = 1;
    });
    plot.series.forEach((series, number) => {
      const own = places[number] ?? [];
      const [first] = own;
      if (series.look !== "points") this.paintPath(context, series, own);
      else if (own.length === 1 && first) this.mark(context, series, first, 6.5);
    });
    const hovered = this.hovered && places[this.hovered.series]?.[this.hovered.index];
    if (!hovered) return;
    context.strokeStyle = this.colours.ink;
    context.lineWidth = 1.6;
    tracePath(context, "circle", hovered.x, hovered.y, 8);
    context.stroke();
  }

  private arrow(context: CanvasRenderingContext2D, from: Point, to: Point): void {
    const angle = Math.atan2(to.y - from.y, to.x - from.x);
    if (Math.hypot(to.x - from.x, to.y - from.y) < 0.5) return;
    context.beginPath();
    for (const turn of [0, 2.5, -2.5]) context.lineTo(to.x + 5.5 * Math.cos(angle + turn), to.y + 5.5 * Math.sin(angle + turn));
    context.closePath();
    context.fill();
  }

  private paintBars(context: CanvasRenderingContext2D, plot: Plot, frame: Frame): void {
    const room = frame.x(1) - frame.x(0);
    const ground = plot.yScale === "log" ? frame.box.bottom : frame.y(0);
    plot.series.forEach((series, number) => {
      const { from, wide } = barSlot(number, plot.series.length);
      context.fillStyle = context.strokeStyle = hueColour(series.hue);
      for (let index = 0; index < series.x.length; index++) {
        const left = frame.x((series.x[index] ?? NaN) + from);
        const top = frame.y(series.y[index] ?? NaN);
        if (Number.isNaN(left) || Number.isNaN(top)) continue;
        const across = Math.max(wide * room - (wide * room > 5 ? 1.5 : 0), 1);
        const dashed = series.look === "dashed";
        roundBox(context, left, Math.min(top, ground), across, Math.max(Math.abs(ground - top), 0.8), Math.min(2.5, across / 3));
        // Bars of one colour (those of one run beside others) differ in strength.
        context.globalAlpha = (dashed ? 0.25 : 0.85) * 0.6 ** series.variant;
        context.fill();
        context.globalAlpha = 1;
        if (dashed) {
          context.lineWidth = 1.2;
          context.setLineDash([...patternOf(series)]);
          context.stroke();
          context.setLineDash([]);
        }
        context.strokeStyle = this.colours.ink2;
        this.whisker(context, series, index, left + across / 2, frame);
        context.strokeStyle = hueColour(series.hue);
      }
    });
  }

  private paintHovered(context: CanvasRenderingContext2D, plot: Plot, frame: Frame): void {
    const series = plot.series[this.hovered?.series ?? -1];
    const index = this.hovered?.index ?? -1;
    if (!series || index < 0 || index >= series.y.length) return;
    context.strokeStyle = this.colours.ink;
    context.lineWidth = 1.6;
    if (plot.form === "bars") {
      const { from, wide } = barSlot(this.hovered?.series ?? 0, plot.series.length);
      const room = frame.x(1) - frame.x(0);
      const top = frame.y(series.y[index] ?? NaN);
      const ground = plot.yScale === "log" ? frame.box.bottom : frame.y(0);
      if (Number.isNaN(top)) return;
      context.strokeRect(frame.x((series.x[index] ?? 0) + from), Math.min(top, ground), wide * room - 1, Math.abs(ground - top));
      return;
    }
    tracePath(context, "circle", frame.x(series.x[index] ?? NaN), frame.y(series.y[index] ?? NaN), 6.5);
    context.stroke();
  }
}
