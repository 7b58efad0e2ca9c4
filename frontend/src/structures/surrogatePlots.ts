/** What a surrogate expects: candidates by predicted mean with whiskers, and how its predictions fared against what was measured. */
import { scaleLinear } from "d3-scale";
import { Stage, type Point } from "../graph/stage";
import { decodeFloats } from "../stream/floats";
import { once, type FrameOf } from "../stream/pictures";

type Arrays = "means" | "deviations" | "observed" | "predicted";

/** A surrogate's frame with its arrays as numbers. */
export type Surrogate = Omit<FrameOf<"surrogate">, Arrays> & Record<Arrays, Float32Array>;

export const surrogateOf = once((frame: FrameOf<"surrogate">): Surrogate => ({
  ...frame,
  means: decodeFloats(frame.means), deviations: decodeFloats(frame.deviations), observed: decodeFloats(frame.observed), predicted: decodeFloats(frame.predicted),
}));

const INSET = { left: 58, right: 20, top: 34, bottom: 34 };
const GAP = 26;
/** Whiskers reach one standard deviation to either side. */
const SHARE = 0.54;

interface Axes {
  x: (value: number) => number;
  y: (value: number) => number;
  box: { left: number; right: number; top: number; bottom: number };
}

/** Least and largest, NaN left out; a span without width is widened. */
export function spanOf(values: Iterable<number>): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  return low === high ? [low - 0.5, high + 0.5] : [low, high];
}

/** Places of the candidates, the best predicted first. */
export function byMean(means: ArrayLike<number>): number[] {
  return Array.from({ length: means.length }, (_, place) => place).sort((a, b) => (means[b] ?? 0) - (means[a] ?? 0));
}

export class SurrogatePlots extends Stage {
  private data: Surrogate | null = null;
  private order: number[] = [];
  private hovered: number | null = null;

  private scale = "predicted score";

  /** `scale`: what the means are. */
  setData(data: Surrogate, scale = this.scale): void {
    if (this.data === data && this.scale === scale) return;
    this.data = data;
    this.scale = scale;
    this.order = byMean(data.means);
    this.invalidate();
  }

  hover(place: number | null): void {
    if (place === this.hovered) return;
    this.hovered = place;
    this.invalidate();
  }

  /** The candidate under a point (its place in the frame). */
  pick(point: Point): number | null {
    const axes = this.upper;
    if (!axes || point.y > axes.box.bottom + 6 || point.y < axes.box.top - 6) return null;
    const rank = Math.round(((point.x - axes.box.left) / (axes.box.right - axes.box.left)) * this.order.length - 0.5);
    return this.order[rank] ?? null;
  }

  private get upper(): Axes | null {
    const { data } = this;
    if (!data || data.means.length === 0) return null;
    const box = { left: INSET.left, right: this.width - INSET.right, top: INSET.top, bottom: this.split - INSET.bottom };
    const ends = this.order.flatMap((place) => [(data.means[place] ?? 0) - (data.deviations[place] ?? 0), (data.means[place] ?? 0) + (data.deviations[place] ?? 0)]);
    const y = scaleLinear(spanOf(ends), [box.bottom, box.top]).nice(4);
    return { box, y, x: (rank) => box.left + ((rank + 0.5) / this.order.length) * (box.right - box.left) };
  }

  private get split(): number {
    return (this.data?.observed.length ?? 0) > 0 ? this.height * SHARE : this.height;
  }

  protected override paint(context: CanvasRenderingContext2D): boolean {
    if (!this.data) return false;
    this.paintCandidates(context, this.data);
    if (this.data.observed.length > 0) this.paintCalibration(context, this.data);
    return false;
  }

  private title(context: CanvasRenderingContext2D, text: string, note: string, y: number): void {
    context.font = `600 12px ${this.colours.font}`;
    context.textAlign = "left";
    context.textBaseline = "alphabetic";
    context.fillStyle = this.colours.ink;
    context.fillText(text, 14, y);
    const width = context.measureText(text).width;
    context.font = `11.5px ${this.colours.font}`;
    context.fillStyle = this.colours.ink3;
    context.fillText(note, 22 + width, y);
  }

  private grid(context: CanvasRenderingContext2D, scale: { ticks: (count: number) => number[]; tickFormat: (count: number) => (value: number) => string; (value: number): number }, box: Axes["box"]): void {
    context.font = `11px ${this.colours.font}`;
    context.textAlign = "right";
    context.textBaseline = "middle";
    const format = scale.tickFormat(4);
    for (const tick of scale.ticks(4)) {
      context.strokeStyle = this.colours.line2;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(box.left, scale(tick));
      context.lineTo(box.right, scale(tick));
      context.stroke();
      context.fillStyle = this.colours.ink3;
      context.fillText(format(tick), box.left - 8, scale(tick));
    }
  }

  private paintCandidates(context: CanvasRenderingContext2D, data: Surrogate): void {
    const axes = this.upper;
    this.title(context, "Candidates", `by ${this.scale}${data.deviations.some((deviation) => deviation > 0) ? "; whiskers = one standard deviation" : ""}`, 18);
    if (!axes) return;
    this.grid(context, axes.y as never, axes.box);
    const chosen = new Set(data.chosen);
    this.order.forEach((place, rank) => {
      const x = axes.x(rank);
      const mean = data.means[place] ?? 0;
      const deviation = data.deviations[place] ?? 0;
      const marked = chosen.has(place);
      const colour = place === this.hovered ? this.colours.ink : marked ? this.colours.best : this.colours.accent;
      context.strokeStyle = context.fillStyle = colour;
      context.globalAlpha = marked || place === this.hovered ? 1 : 0.55;
      context.lineWidth = marked ? 2 : 1.2;
      context.beginPath();
      context.moveTo(x, axes.y(mean - deviation));
      context.lineTo(x, axes.y(mean + deviation));
      context.stroke();
      context.beginPath();
      context.arc(x, axes.y(mean), marked ? 4.2 : 2.6, 0, 2 * Math.PI);
      context.fill();
      if (marked) {
        context.beginPath();
        context.arc(x, axes.y(mean), 7.5, 0, 2 * Math.PI);
        context.lineWidth = 1.6;
        context.stroke();
      }
    });
    context.globalAlpha = 1;
    context.fillStyle = this.colours.ink3;
    context.textAlign = "center";
    context.font = `11px ${this.colours.font}`;
    context.fillText("candidates, the most promising left", (axes.box.left + axes.box.right) / 2, axes.box.bottom + 16);
  }

  private paintCalibration(context: CanvasRenderingContext2D, data: Surrogate): void {
    const top = this.split + GAP;
    this.title(context, "Calibration", "what it predicted without having seen them, against what was measured", top - 10);
    const box = { left: INSET.left, right: this.width - INSET.right, top: top + 4, bottom: this.height - INSET.bottom };
    const span = spanOf([...data.observed, ...data.predicted]);
    const x = scaleLinear(span, [box.left, box.right]).nice(5);
    const y = scaleLinear(span, [box.bottom, box.top]).nice(5);
    this.grid(context, y as never, box);
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    const format = x.tickFormat(5);
    context.fillStyle = this.colours.ink3;
    for (const tick of x.ticks(5)) context.fillText(format(tick), x(tick), box.bottom + 14);
    context.fillText("measured", (box.left + box.right) / 2, box.bottom + 28);
    const [low, high] = x.domain() as [number, number];
    context.strokeStyle = this.colours.faint;
    context.setLineDash([4, 4]);
    context.beginPath();
    context.moveTo(x(low), y(low));
    context.lineTo(x(high), y(high));
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = this.colours.accent;
    context.globalAlpha = 0.65;
    for (let place = 0; place < data.observed.length; place++) {
      context.beginPath();
      context.arc(x(data.observed[place] ?? NaN), y(data.predicted[place] ?? NaN), 3, 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
  }
}
