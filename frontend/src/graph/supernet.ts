/** The super-network: operations as coloured strands between nodes, thickness and opacity = γ, γ gliding from frame to frame. */
import type { FamilyGroup } from "../types/events.gen";
import { operationColor, operationMark, type Mark } from "./palette";
import { Stage, roundBox, type Point } from "./stage";
import { makeStrands, pickStrand, type Strand } from "./strands";
import { Tween } from "./tween";
import { placesOf } from "./layout/family";
import { nodeLabel } from "./labels";

export interface StrandPick {
  edge: number;
  operation: number;
}

export interface SupernetView {
  /** The edge in the inspector. */
  pinned: number | null;
  hovered: StrandPick | null;
  /** An operation pointed at in the legend: all others fade. */
  highlighted: number | null;
  /** Weights below it are hidden. */
  threshold: number;
}

const NODE_HEIGHT = 32;
const PICK_TOLERANCE = 10;
/** Widest strand (γ = 1) in pixels at a picture of 600 pixels. */
const WIDEST = 17;
/** A strand carries its operation's mark from this width on; on a thinner one it could not be seen. */
const MARKED_FROM = 4.5;

/** Dashes of the marks' centre lines, in widths of the centre line. */
const MARK_DASH: Record<Mark, readonly number[]> = { plain: [], holes: [0, 3.4], hollow: [], dashes: [4.5, 4] };

/**
 * How opaque a strand is: on an undecided edge all alike and pale; the more one operation leads, the more the strongest stands out (fully
 * opaque) and the others fade.
 */
export function strandOpacity(weight: number, strongest: number, operations: number): number {
  const uniform = 1 / operations;
  // With few operations 0.3 is no lead at all.
  const clear = Math.max(0.3, 1.5 * uniform);
  const decided = Math.min(Math.max((strongest - uniform) / (clear - uniform), 0), 1) ** 0.5;
  const share = strongest > 0 ? weight / strongest : 0;
  return 0.4 + (0.13 + 0.87 * share ** 3 - 0.4) * decided;
}

const LEAST_NODE_SCALE = 0.2;

/** How much smaller boxes must be so that no two lie over each other; 1 where they have room. */
export function fittingScale(boxes: readonly { at: Point; width: number }[], height: number): number {
  let scale = 1;
  boxes.forEach((one, index) => {
    for (const other of boxes.slice(index + 1)) {
      // Apart to the side, or one above the other.
      const fits = Math.max(Math.abs(one.at.x - other.at.x) / ((one.width + other.width) / 2), Math.abs(one.at.y - other.at.y) / height);
      scale = Math.min(scale, 0.92 * fits);
    }
  });
  return Math.max(scale, LEAST_NODE_SCALE);
}

export class SuperNetwork extends Stage {
  private group: FamilyGroup | null = null;
  private strands: Strand[] = [];
  /** The strands from weak to strong, so that what matters lies on top; kept, because sorting what is nearly sorted is cheap. */
  private order: Strand[] = [];
  /** Largest weight of each edge. */
  private strongest = new Float32Array(0);
  private hues: string[] = [];
  private marks: Mark[] = [];
  private places = new Map<string, Point>();
  private readonly gamma = new Tween();
  private view: SupernetView = { pinned: null, hovered: null, highlighted: null, threshold: 0 };
  private scale = 1;
  /** Of the nodes' boxes: smaller where they would lie over each other. */
  private nodeScale = 1;

  constructor(canvas: HTMLCanvasElement) {
    super(canvas, true);
  }

  setGroup(group: FamilyGroup): void {
    if (this.group === group) return;
    const same = this.group !== null && this.group.operations.length === group.operations.length && this.group.edges.length === group.edges.length;
    this.group = group;
    this.strongest = new Float32Array(group.edges.length);
    this.marks = group.operations.map(operationMark);
    this.themeChanged();
    if (!same) this.gamma.aim([], 0, true);
    this.resized();
    this.invalidate();
  }

  protected override themeChanged(): void {
    this.hues = (this.group?.operations ?? []).map((operation, place) => operationColor(operation, place));
  }

  /** γ (edges x operations) to glide to. */
  setGamma(values: ArrayLike<number>): void {
    this.gamma.aim(values, performance.now(), this.still);
    this.invalidate();
  }

  setView(view: SupernetView): void {
    this.view = view;
    this.invalidate();
  }

  /** The strand under a point, with ten pixels of tolerance on the screen. */
  pick(point: Point): StrandPick | null {
    const strand = pickStrand(
      this.strands, point, PICK_TOLERANCE / this.zoom.k, (item) => this.widthOf(this.weight(item)) / 2,
      (item) => this.weight(item) >= Math.max(this.view.threshold, 0.005),
    );
    return strand ? { edge: strand.edge, operation: strand.operation } : null;
  }

  protected override resized(): void {
    if (!this.group || this.width === 0) return;
    const size = Math.min(this.width, this.height);
    this.scale = Math.min(Math.max(size / 600, 0.55), 1.5);
    this.places = placesOf(this.group, this.width, this.height);
    const edges = this.group.edges.map(([source, target]) => [String(source), String(target)] as const);
    this.strands = makeStrands(edges, this.group.operations.length, this.places, size);
    this.order = [...this.strands];
    this.context.font = this.nodeFont(1);
    const boxes = this.group.nodes.flatMap((node) => {
      const at = this.places.get(node.id);
      return at ? [{ at, width: this.nodeWidth(nodeLabel(node.label)) }] : [];
    });
    this.nodeScale = fittingScale(boxes, NODE_HEIGHT);
  }

  private nodeFont(scale: number): string {
    return `600 ${12.5 * scale}px ${this.colours.font}`;
  }

  /** Of a box at its full size, in the font of `nodeFont(1)`. */
  private nodeWidth(label: string): number {
    return Math.max(NODE_HEIGHT + 4, this.context.measureText(label).width + 20);
  }

  private weight(strand: Strand): number {
    return this.gamma.values[strand.edge * (this.group?.operations.length ?? 0) + strand.operation] ?? 0;
  }

  private widthOf(weight: number): number {
    return (0.7 + Math.min(weight, 1) * WIDEST) * this.scale;
  }

  protected override paint(context: CanvasRenderingContext2D, now: number): boolean {
    const group = this.group;
    if (!group) return false;
    const moving = this.gamma.advance(now);
    this.paintFixed(context, group);
    this.paintHalo(context);
    this.paintStrands(context, group);
    for (const node of group.nodes) this.paintNode(context, node.id, nodeLabel(node.label));
    return moving;
  }

  private paintFixed(context: CanvasRenderingContext2D, group: FamilyGroup): void {
    context.strokeStyle = this.colours.line;
    context.lineWidth = 1.8 * this.scale;
    for (const [source, target] of group.fixed) {
      const from = this.places.get(String(source));
      const to = this.places.get(String(target));
      if (!from || !to) continue;
      const bend = (to.x - from.x) * 0.5;
      context.beginPath();
      context.moveTo(from.x, from.y);
      context.bezierCurveTo(from.x + bend, from.y, to.x - bend * 0.8, to.y, to.x, to.y);
      context.stroke();
    }
  }

  /** A pale band under the pinned edge. */
  private paintHalo(context: CanvasRenderingContext2D): void {
    if (this.view.pinned === null) return;
    const first = this.strands.find((strand) => strand.edge === this.view.pinned);
    const last = this.strands.findLast((strand) => strand.edge === this.view.pinned);
    if (!first || !last) return;
    context.globalAlpha = 0.1;
    context.fillStyle = this.colours.accent;
    context.beginPath();
    context.moveTo(first.from.x, first.from.y);
    context.bezierCurveTo(first.c1.x, first.c1.y, first.c2.x, first.c2.y, first.to.x, first.to.y);
    context.bezierCurveTo(last.c2.x, last.c2.y, last.c1.x, last.c1.y, last.from.x, last.from.y);
    context.closePath();
    context.fill();
    context.globalAlpha = 1;
  }

  private paintStrands(context: CanvasRenderingContext2D, group: FamilyGroup): void {
    const count = group.operations.length;
    const { strongest } = this;
    strongest.fill(0);
    for (const strand of this.strands) strongest[strand.edge] = Math.max(strongest[strand.edge] ?? 0, this.weight(strand));
    this.order.sort((a, b) => this.weight(a) - this.weight(b));
    const { hovered, highlighted, pinned, threshold } = this.view;
    context.lineCap = "round";
    for (const strand of this.order) {
      const weight = this.weight(strand);
      if (weight < Math.max(threshold, 0.004)) continue;
      let alpha = strandOpacity(weight, strongest[strand.edge] ?? 0, count);
      if (highlighted !== null) alpha = strand.operation === highlighted ? 1 : alpha * 0.12;
      else if (hovered !== null) {
        if (strand.edge !== hovered.edge) alpha *= 0.18;
        else if (strand.operation === hovered.operation) alpha = 1;
        else alpha = Math.min(alpha, 0.55);
      } else if (pinned !== null && strand.edge !== pinned) alpha *= 0.8;
      context.globalAlpha = alpha;
      const width = this.widthOf(weight);
      context.strokeStyle = this.hues[strand.operation] ?? this.colours.faint;
      context.lineWidth = width;
      context.beginPath();
      context.moveTo(strand.from.x, strand.from.y);
      context.bezierCurveTo(strand.c1.x, strand.c1.y, strand.c2.x, strand.c2.y, strand.to.x, strand.to.y);
      context.stroke();
      const mark = this.marks[strand.operation] ?? "plain";
      if (mark !== "plain" && width >= MARKED_FROM) this.paintMark(context, mark, width);
    }
    context.globalAlpha = 1;
  }

  /** The second code of an operation beside its colour, along the middle of the strand that is the current path. */
  private paintMark(context: CanvasRenderingContext2D, mark: Mark, width: number): void {
    const line = Math.max(1, width * (mark === "holes" ? 0.34 : 0.2));
    context.setLineDash(MARK_DASH[mark].map((length) => length * line));
    context.strokeStyle = this.colours.panel;
    context.lineWidth = line;
    context.stroke();
    context.setLineDash([]);
  }

  private paintNode(context: CanvasRenderingContext2D, id: string, label: string): void {
    const place = this.places.get(id);
    if (!place) return;
    context.font = this.nodeFont(1);
    const width = this.nodeWidth(label) * this.nodeScale;
    const height = NODE_HEIGHT * this.nodeScale;
    context.font = this.nodeFont(this.nodeScale);
    const edge = this.view.hovered?.edge ?? this.view.pinned;
    const ends = edge === null || edge === undefined ? undefined : this.group?.edges[edge];
    const active = ends !== undefined && (ends[0] === id || ends[1] === id);
    roundBox(context, place.x - width / 2, place.y - height / 2, width, height, 9 * this.nodeScale);
    context.fillStyle = this.colours.node;
    context.fill();
    context.lineWidth = active ? 2 : 1.2;
    context.strokeStyle = active ? this.colours.accent : this.colours.faint;
    context.stroke();
    context.fillStyle = this.colours.ink;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(label, place.x, place.y + 0.5);
  }
}
