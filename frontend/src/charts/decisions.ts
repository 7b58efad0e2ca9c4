/**
 * What every edge leans to over time: one row per edge, colour = the strongest operation, depth = how clearly it leads. One sees at a
 * glance which edges are decided, which still change their mind, and when.
 */
import { operationColor, shortName } from "../graph/palette";
import { edgeName } from "../graph/labels";
import { Stage, type Point } from "../graph/stage";
import type { Frame } from "../stream/store";
import type { FamilyGroup } from "../types/events.gen";

const INSET = { left: 92, right: 124, top: 8, bottom: 24 };

/** The strongest operation of an edge and its lead over all alike: 0 = undecided, 1 = it alone. Of a single operation: how much it is there. */
export function leader(values: ArrayLike<number>, edge: number, count: number): { operation: number; weight: number; lead: number } {
  let operation = 0;
  for (let index = 1; index < count; index++) if ((values[edge * count + index] ?? 0) > (values[edge * count + operation] ?? 0)) operation = index;
  const weight = values[edge * count + operation] ?? 0;
  const uniform = count > 1 ? 1 / count : 0;
  return { operation, weight, lead: Math.min(Math.max((weight - uniform) / (1 - uniform), 0), 1) };
}

export class Decisions extends Stage {
  private frames: readonly Frame[] = [];
  private group: FamilyGroup | null = null;
  private shown = Infinity;
  private pinned: number | null = null;
  private hovered: number | null = null;

  setData(frames: readonly Frame[], group: FamilyGroup, shown: number, pinned: number | null): void {
    this.frames = frames;
    this.group = group;
    this.shown = shown;
    this.pinned = pinned;
    this.invalidate();
  }

  hover(hit: { edge: number } | null): void {
    const edge = hit?.edge ?? null;
    if (edge === this.hovered) return;
    this.hovered = edge;
    this.invalidate();
  }

  /** The edge of the row under a point, and the frame of its moment (undefined beside the strip). */
  pick(point: Point): { edge: number; frame: Frame | undefined } | null {
    const edge = Math.floor((point.y - INSET.top) / this.rowHeight);
    if (!this.group || edge < 0 || edge >= this.group.edges.length) return null;
    const inside = point.x >= INSET.left && point.x <= this.width - INSET.right;
    const step = this.first + ((point.x - INSET.left) / this.stripWidth) * this.span;
    return { edge, frame: inside ? (this.frames.findLast((frame) => frame.step <= step) ?? this.frames[0]) : undefined };
  }

  private get rowHeight(): number {
    return (this.height - INSET.top - INSET.bottom) / Math.max(this.group?.edges.length ?? 1, 1);
  }
  private get stripWidth(): number {
    return Math.max(this.width - INSET.left - INSET.right, 10);
  }
  private get first(): number {
    return this.frames[0]?.step ?? 0;
  }
  private get span(): number {
    return Math.max((this.frames.at(-1)?.step ?? 0) - this.first + 1, 1);
  }

  protected override paint(context: CanvasRenderingContext2D): boolean {
    const { group, frames } = this;
    if (!group || frames.length === 0) return false;
    const count = group.operations.length;
    const colours = group.operations.map((operation, place) => operationColor(operation, place));
    const rowHeight = this.rowHeight;
    const bar = Math.max(Math.min(rowHeight - 3, 18), 2);
    const every = Math.max(1, Math.floor(frames.length / this.stripWidth));
    const used = frames.filter((_, index) => index % every === 0 || index === frames.length - 1);
    const xOf = (step: number) => INSET.left + ((step - this.first) / this.span) * this.stripWidth;
    const now = frames.findLast((frame) => frame.seq <= this.shown);
    context.textBaseline = "middle";
    group.edges.forEach(([source, target], edge) => {
      const y = INSET.top + edge * rowHeight;
      const middle = y + rowHeight / 2;
      const strong = edge === this.pinned || edge === this.hovered;
      if (strong) {
        context.fillStyle = this.colours.accent;
        context.globalAlpha = 0.09;
        context.fillRect(0, y, this.width, rowHeight);
        context.globalAlpha = 1;
      }
      used.forEach((frame, index) => {
        const { operation, lead } = leader(frame.values, edge, count);
        // Whole pixels: no seams between frames.
        const x = Math.round(xOf(frame.step));
        const end = Math.round(xOf(used[index + 1]?.step ?? this.first + this.span));
        context.globalAlpha = (count > 1 ? 0.28 + 0.72 * Math.min(lead * 3, 1) : 0.06 + 0.94 * lead) * (frame.seq > this.shown ? 0.25 : 1);
        context.fillStyle = colours[operation] ?? this.colours.faint;
        context.fillRect(x, middle - bar / 2, Math.max(end - x, 1), bar);
      });
      context.globalAlpha = 1;
      context.font = `${strong ? 600 : 450} ${Math.min(11, Math.max(8, rowHeight - 1))}px ${this.colours.font}`;
      context.fillStyle = strong ? this.colours.ink : this.colours.ink2;
      context.textAlign = "right";
      context.fillText(edgeName([source, target]), INSET.left - 10, middle);
      if (!now) return;
      const { operation, weight } = leader(now.values, edge, count);
      context.textAlign = "left";
      context.fillStyle = this.colours.ink2;
      context.fillText(shortName(group.operations[operation] ?? ""), this.width - INSET.right + 10, middle);
      context.textAlign = "right";
      context.fillStyle = this.colours.ink;
      context.fillText(weight.toFixed(2), this.width - 12, middle);
    });
    this.paintTime(context, now, xOf);
    return false;
  }

  private paintTime(context: CanvasRenderingContext2D, now: Frame | undefined, xOf: (step: number) => number): void {
    context.font = `11px ${this.colours.font}`;
    context.fillStyle = this.colours.ink3;
    context.textBaseline = "alphabetic";
    context.textAlign = "left";
    context.fillText(`step ${this.first}`, INSET.left, this.height - 7);
    context.textAlign = "right";
    context.fillText(`step ${this.first + this.span - 1}`, this.width - INSET.right, this.height - 7);
    if (this.shown === Infinity || !now) return;
    const x = xOf(now.step + 1);
    context.fillStyle = this.colours.accent;
    context.fillRect(x - 0.75, INSET.top - 4, 1.5, this.height - INSET.top - INSET.bottom + 8);
  }
}
