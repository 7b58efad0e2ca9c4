/**
 * What was tried: x = birth order (or generation), y = fitness. The ancestry of the best is drawn strongly, the best so far as a pale
 * staircase, a newcomer pulses once. Nothing that is there ever moves except with the scales.
 */
import { scaleLinear } from "d3-scale";
import { Stage, type Point } from "../graph/stage";

export interface PopulationData {
  /** One entry per individual that has a result. */
  x: ArrayLike<number>;
  y: ArrayLike<number>;
  /** Individuals behind each other (indices), the youngest first: the ancestry that is drawn strongly. */
  ancestry: readonly number[];
  /** Index of the best, -1 without one. */
  best: number;
  /** Index of the one in the inspector, -1 without one. */
  selected: number;
  bestLabel: string;
  xLabel: string;
}

const EMPTY: PopulationData = { x: [], y: [], ancestry: [], best: -1, selected: -1, bestLabel: "", xLabel: "" };
const INSET = { left: 46, right: 16, top: 22, bottom: 30 };
const PULSE_MS = 700;
const PICK_TOLERANCE = 10;
/** Beyond so many points they are drawn as squares, which is several times faster. */
const SQUARES_FROM = 4000;
/** So large a share of the worst may fall below the axis, so that the best are not squeezed into a line. */
const WORST_SHARE = 0.04;
const MOST_PULSES = 40;

/** Lowest and highest value of the y axis: all but a few of the worst. */
export function fitnessRange(values: ArrayLike<number>): [number, number] {
  const sorted = Float64Array.from(values).filter((value) => Number.isFinite(value)).sort();
  if (sorted.length === 0) return [0, 1];
  const high = sorted.at(-1) ?? 1;
  const low = sorted[Math.floor(sorted.length * WORST_SHARE)] ?? high;
  const margin = Math.max((high - low) * 0.08, Math.abs(high) * 1e-3, 1e-6);
  // Scores that cannot be negative get no axis below zero.
  return [low >= 0 ? Math.max(low - margin, 0) : low - margin, high + margin];
}

export class Population extends Stage {
  private data: PopulationData = EMPTY;
  private hovered: number | null = null;
  private pulses: { index: number; since: number }[] = [];
  private xScale = scaleLinear();
  private yScale = scaleLinear();

  /** `fresh`: newcomers pulse (live or playing, not while somebody scrubs). */
  setData(data: PopulationData, fresh: boolean): void {
    const before = this.data.x.length;
    this.data = data;
    if (fresh && !this.still && before > 0 && data.x.length > before) {
      const since = performance.now();
      for (let index = Math.max(before, data.x.length - MOST_PULSES); index < data.x.length; index++) this.pulses.push({ index, since });
      this.pulses = this.pulses.slice(-MOST_PULSES);
    }
    this.rescale();
    this.invalidate();
  }

  hover(index: number | null): void {
    if (index === this.hovered) return;
    this.hovered = index;
    this.invalidate();
  }

  /** Index of the individual under a point. */
  pick(point: Point): number | null {
    let found: number | null = null;
    let least = PICK_TOLERANCE;
    for (let index = 0; index < this.data.x.length; index++) {
      const place = this.placeOf(index);
      const distance = Math.hypot(place.x - point.x, place.y - point.y);
      if (distance <= least) {
        least = distance;
        found = index;
      }
    }
    return found;
  }

  placeOf(index: number): Point {
    const y = this.data.y[index] ?? NaN;
    return { x: this.xScale(this.data.x[index] ?? 0), y: Math.min(this.yScale(y), this.height - INSET.bottom + 5) };
  }

  protected override resized(): void {
    this.rescale();
  }

  private rescale(): void {
    const { x, y } = this.data;
    const first = x[0] ?? 0;
    const last = x[x.length - 1] ?? 1;
    this.xScale = scaleLinear([first, Math.max(last, first + 10)], [INSET.left + 4, this.width - INSET.right]);
    this.yScale = scaleLinear(fitnessRange(y), [this.height - INSET.bottom, INSET.top]).nice(5);
  }

  protected override paint(context: CanvasRenderingContext2D, now: number): boolean {
    const { data } = this;
    if (data.x.length === 0) return false;
    this.paintAxes(context);
    this.paintCloud(context);
    this.paintBestSoFar(context);
    if (data.selected >= 0 && data.selected !== data.best) this.ring(context, data.selected, this.colours.accent, 5.5);
    this.paintAncestry(context);
    if (this.hovered !== null) this.ring(context, this.hovered, this.colours.ink, 5);
    this.pulses = this.pulses.filter((pulse) => now - pulse.since < PULSE_MS && pulse.index < data.x.length);
    for (const pulse of this.pulses) {
      const t = (now - pulse.since) / PULSE_MS;
      context.globalAlpha = 0.6 * (1 - t);
      this.ring(context, pulse.index, this.colours.accent, 3 + 9 * t);
      context.globalAlpha = 1;
    }
    return this.pulses.length > 0;
  }

  private paintAxes(context: CanvasRenderingContext2D): void {
    const { colours } = this;
    context.font = `11px ${colours.font}`;
    context.textBaseline = "middle";
    context.textAlign = "right";
    context.lineWidth = 1;
    const format = this.yScale.tickFormat(5);
    for (const tick of this.yScale.ticks(5)) {
      const y = this.yScale(tick);
      context.strokeStyle = colours.line2;
      context.beginPath();
      context.moveTo(INSET.left, y);
      context.lineTo(this.width - INSET.right, y);
      context.stroke();
      context.fillStyle = colours.ink3;
      context.fillText(format(tick), INSET.left - 8, y);
    }
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    const ticks = this.xScale.ticks(Math.max(2, Math.floor(this.width / 110))).filter(Number.isInteger);
    for (const tick of ticks) context.fillText(String(tick), this.xScale(tick), this.height - 15);
    context.fillText(this.data.xLabel, (INSET.left + this.width - INSET.right) / 2, this.height - 3);
  }

  private paintCloud(context: CanvasRenderingContext2D): void {
    const count = this.data.x.length;
    const squares = count > SQUARES_FROM;
    const size = squares ? 1.2 : count > 1200 ? 2 : 2.6;
    context.fillStyle = this.colours.accent;
    for (let index = 0; index < count; index++) {
      const place = this.placeOf(index);
      if (Number.isNaN(place.y)) continue;
      context.globalAlpha = (0.2 + (0.38 * index) / count) * (squares ? 0.55 : 1);
      if (squares) context.fillRect(place.x - size, place.y - size, 2 * size, 2 * size);
      else {
        context.beginPath();
        context.arc(place.x, place.y, size, 0, 2 * Math.PI);
        context.fill();
      }
    }
    context.globalAlpha = 1;
  }

  private paintBestSoFar(context: CanvasRenderingContext2D): void {
    const { y } = this.data;
    let best = -Infinity;
    context.beginPath();
    for (let index = 0; index < y.length; index++) {
      const value = y[index] ?? NaN;
      if (!(value > best)) continue;
      const place = this.placeOf(index);
      if (best === -Infinity) context.moveTo(place.x, place.y);
      else {
        context.lineTo(place.x, this.yScale(best));
        context.lineTo(place.x, place.y);
      }
      best = value;
    }
    if (best === -Infinity) return;
    context.lineTo(this.width - INSET.right, this.yScale(best));
    context.strokeStyle = this.colours.best;
    context.globalAlpha = this.data.ancestry.length > 1 ? 0.4 : 0.85;
    context.lineWidth = 1.3;
    context.stroke();
    context.globalAlpha = 1;
  }

  private paintAncestry(context: CanvasRenderingContext2D): void {
    const { ancestry, best, bestLabel } = this.data;
    const { colours } = this;
    context.strokeStyle = context.fillStyle = colours.best;
    context.lineWidth = 2;
    context.lineJoin = "round";
    if (ancestry.length > 1) {
      context.beginPath();
      for (const index of ancestry) {
        const place = this.placeOf(index);
        if (!Number.isNaN(place.y)) context.lineTo(place.x, place.y);
      }
      context.stroke();
      for (const index of ancestry) {
        const place = this.placeOf(index);
        context.beginPath();
        context.arc(place.x, place.y, 2.8, 0, 2 * Math.PI);
        context.fill();
      }
    }
    if (best < 0) return;
    this.ring(context, best, colours.best, 6);
    const place = this.placeOf(best);
    context.font = `600 11.5px ${colours.font}`;
    const wide = context.measureText(bestLabel).width;
    const left = place.x - 10 - wide > INSET.left;
    context.textAlign = left ? "right" : "left";
    context.textBaseline = "alphabetic";
    context.lineWidth = 4;
    context.strokeStyle = colours.panel;
    const x = place.x + (left ? -8 : 8);
    context.strokeText(bestLabel, x, place.y - 9);
    context.fillStyle = colours.bestInk;
    context.fillText(bestLabel, x, place.y - 9);
  }

  private ring(context: CanvasRenderingContext2D, index: number, colour: string, radius: number): void {
    const place = this.placeOf(index);
    if (Number.isNaN(place.y)) return;
    context.beginPath();
    context.arc(place.x, place.y, radius, 0, 2 * Math.PI);
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.stroke();
  }
}
