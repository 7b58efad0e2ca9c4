/** The aging population as a queue: born at the right, falling off at the left however good; height and colour = what the search ranks by. */
import { scoreColour } from "../graph/scoreColour";
import { Stage, type Point } from "../graph/stage";
import { ease } from "../graph/tween";
import { FALLEN, scoreSpan, type Living } from "./living";

const INSET = { left: 20, right: 20, top: 14, bottom: 40 };
/** The part of the height above the bars that belongs to the arrows. */
const ARCS = 0.27;
/** Arrows of so many of the youngest are drawn; older ones would only be a tangle. */
const ARROWS = 14;
const SHIFT_MS = 320;

export class Queue extends Stage {
  private living: readonly Living[] = [];
  private capacity = 1;
  private best = -1;
  private hovered: number | null = null;
  private shiftSince = -Infinity;
  private shiftBy = 0;

  /** `best` is the number of the best candidate ever. */
  setLiving(living: readonly Living[], capacity: number, best: number): void {
    const newest = this.living.at(-1)?.number;
    const moved = newest === undefined ? 0 : living.length - 1 - living.findIndex((item) => item.number === newest);
    // One or a few births slide in; a jump in time does not.
    if (moved > 0 && moved <= 4 && moved < living.length && !this.still) {
      this.shiftSince = performance.now();
      this.shiftBy = moved;
    } else if (moved !== 0) this.shiftSince = -Infinity;
    this.living = living;
    this.capacity = capacity;
    this.best = best;
    this.invalidate();
  }

  hover(place: number | null): void {
    if (place === this.hovered) return;
    this.hovered = place;
    this.invalidate();
  }

  pick(point: Point): number | null {
    const place = Math.floor((point.x - INSET.left) / this.step) - this.lead;
    return place >= 0 && place < this.living.length && point.y > this.ground - this.room && point.y < this.ground + 12 ? place : null;
  }

  private get step(): number {
    return (this.width - INSET.left - INSET.right) / (this.capacity + FALLEN);
  }
  /** Free places at the left while the population is still being filled. */
  private get lead(): number {
    return Math.max(0, this.capacity + FALLEN - this.living.length);
  }
  private get ground(): number {
    return this.height - INSET.bottom;
  }
  private get room(): number {
    return (this.height - INSET.top - INSET.bottom) * (1 - ARCS);
  }

  protected override paint(context: CanvasRenderingContext2D, now: number): boolean {
    const { colours, living, step } = this;
    const t = Math.min(Math.max((now - this.shiftSince) / SHIFT_MS, 0), 1);
    const shift = t < 1 ? this.shiftBy * step * (1 - ease(t)) : 0;
    const span = scoreSpan(living);
    const wide = Math.max(step - (step > 5 ? 1.5 : 0.4), 0.8);
    this.paintFrame(context);
    context.save();
    context.beginPath();
    context.rect(INSET.left, 0, this.width - INSET.left - INSET.right + 2, this.height);
    context.clip();
    living.forEach((item, place) => {
      const x = this.xOf(place) + shift;
      const height = this.heightOf(item.value, span);
      context.globalAlpha = item.fallen ? 0.3 * ((place + 1) / (FALLEN + 1)) + 0.06 : 1;
      context.fillStyle = item.fallen ? colours.faint : scoreColour(item.value, span);
      context.fillRect(x, this.ground - height, wide, height);
      context.globalAlpha = 1;
      if (place === this.hovered || item.number === this.best) {
        context.strokeStyle = place === this.hovered ? colours.accent : colours.best;
        context.lineWidth = 2;
        context.strokeRect(x - 1, this.ground - height - 1, wide + 2, height + 2);
      }
    });
    this.paintArrows(context, span, shift);
    context.restore();
    return t < 1;
  }

  private xOf(place: number): number {
    return INSET.left + (place + this.lead) * this.step;
  }

  private heightOf(value: number, [low, high]: readonly [number, number]): number {
    return this.room * (high > low ? 0.1 + 0.86 * Math.max((value - low) / (high - low), 0) : 0.5);
  }

  private paintFrame(context: CanvasRenderingContext2D): void {
    const { colours } = this;
    const border = INSET.left + FALLEN * this.step;
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(INSET.left, this.ground + 0.5);
    context.lineTo(this.width - INSET.right, this.ground + 0.5);
    context.stroke();
    context.setLineDash([3, 4]);
    context.beginPath();
    context.moveTo(border - 1, INSET.top + 10);
    context.lineTo(border - 1, this.ground + 24);
    context.stroke();
    context.setLineDash([]);
    context.font = `11.5px ${colours.font}`;
    context.textBaseline = "alphabetic";
    context.fillStyle = colours.ink3;
    const right = this.width - INSET.right;
    context.textAlign = "right";
    context.fillText("newest", right, this.ground + 18);
    // Beside the border where there is room, else as far right as "newest" lets it.
    const [oldest, gap] = ["← oldest: dies next, however good", 14];
    context.textAlign = "left";
    context.fillText(oldest, Math.max(Math.min(border + 4, right - context.measureText("newest").width - gap - context.measureText(oldest).width), INSET.left), this.ground + 18);
  }

  /** From parent to child, in an arc above the queue. */
  private paintArrows(context: CanvasRenderingContext2D, span: readonly [number, number], shift: number): void {
    const { living, colours } = this;
    const { hovered } = this;
    const chosen = hovered !== null;
    const first = Math.max(0, living.length - ARROWS);
    context.lineCap = "round";
    living.forEach((item, place) => {
      const related = hovered !== null && (place === hovered || item.parents.includes(hovered));
      if (chosen ? !related : place < first) return;
      for (const parent of item.parents) {
        const from = { x: this.xOf(parent) + shift + this.step / 2, y: this.ground - this.heightOf(living[parent]?.value ?? 0, span) - 4 };
        const to = { x: this.xOf(place) + shift + this.step / 2, y: this.ground - this.heightOf(item.value, span) - 4 };
        const top = Math.max(Math.min(from.y, to.y) - 24 - 0.16 * Math.abs(to.x - from.x), INSET.top - 6);
        context.strokeStyle = context.fillStyle = chosen ? colours.accent : colours.ink2;
        context.globalAlpha = chosen ? 0.9 : 0.15 + (0.75 * (place - first + 1)) / ARROWS;
        context.lineWidth = chosen || place === living.length - 1 ? 1.8 : 1.1;
        context.beginPath();
        context.moveTo(from.x, from.y);
        context.bezierCurveTo(from.x, top, to.x, top, to.x, to.y - 3);
        context.stroke();
        context.beginPath();
        context.moveTo(to.x, to.y);
        context.lineTo(to.x - 3.4, to.y - 6);
        context.lineTo(to.x + 3.4, to.y - 6);
        context.closePath();
        context.fill();
      }
    });
    context.globalAlpha = 1;
  }
}
