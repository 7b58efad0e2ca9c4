/** The ant colony: pheromone x heuristic as the width of edges, ants walking their paths, the best path in gold. */
import { themeColour } from "../app/theme";
import { bezier } from "../graph/strands";
import { Stage, type Point } from "../graph/stage";
import { Tween } from "../graph/tween";
import type { ColonyEdge, ColonyFrame } from "../types/events.gen";
import { antAt, colonyGraph, nodeId, typeTitle, type ColonyGraph, type ColonyNode } from "./colonyGraph";

const INSET = { left: 112, right: 34, top: 30, bottom: 36 };
const WIDEST = 13;
/** An ant needs so long from column to column, and the last sets out so long after the first. */
const STEP_MS = 320;
const STAGGER_MS = 900;

export type ColonyPick = { node: ColonyNode } | { edge: ColonyEdge };

export class Colony extends Stage {
  private colony: ColonyFrame | null = null;
  private graph: ColonyGraph = { nodes: [], edges: [], rows: [], columns: 0 };
  /** How many columns the width is divided into: glides when the graph grows. */
  private readonly columns = new Tween(420);
  /** Per edge its probability and its share of the strongest pheromone. */
  private readonly widths = new Tween(420);
  private edgeKeys: string[] = [];
  /** By node. */
  private rows = new Map<string, number>();
  private walkSince = -Infinity;
  private focus: { hovered: ColonyPick | null; pinned: string | null } = { hovered: null, pinned: null };
  private hues = { gold: "", good: "" };

  constructor(canvas: HTMLCanvasElement) {
    super(canvas, true);
    this.themeChanged();
  }

  /** `walking`: the ants set out; otherwise they stand at their ends. */
  setFrame(frame: ColonyFrame, walking: boolean): void {
    if (this.colony === frame) return;
    const now = performance.now();
    const before = new Map(this.edgeKeys.map((key, index) => [key, [this.widths.values[2 * index] ?? 0, this.widths.values[2 * index + 1] ?? 0]]));
    this.colony = frame;
    this.graph = colonyGraph(frame);
    this.rows = new Map(this.graph.nodes.map((node) => [node.id, node.row]));
    this.edgeKeys = frame.edges.map((edge) => `${edge.depth} ${edge.source} ${edge.target}`);
    const strongest = Math.max(...frame.edges.map((edge) => edge.pheromone), 1e-9);
    // New edges grow from nothing, old ones from what is shown.
    this.widths.aim(this.edgeKeys.flatMap((key) => before.get(key) ?? [0, 0]), now, true);
    this.widths.aim(frame.edges.flatMap((edge) => [edge.probability, edge.pheromone / strongest]), now, this.still);
    this.columns.aim([this.graph.columns], now, this.still || this.columns.values.length === 0);
    this.walkSince = walking && !this.still ? now : -Infinity;
    this.invalidate();
  }

  setFocus(hovered: ColonyPick | null, pinned: string | null): void {
    this.focus = { hovered, pinned };
    this.invalidate();
  }

  pick(point: Point): ColonyPick | null {
    const node = this.graph.nodes.find((item) => {
      const at = this.placeOf(item.column, item.row);
      return Math.hypot(at.x - point.x, at.y - point.y) < 13;
    });
    if (node) return { node };
    let found: ColonyEdge | null = null;
    let least = 7 / this.zoom.k;
    for (const edge of this.graph.edges) {
      const [from, c1, c2, to] = this.curveOf(edge);
      if (!from || !c1 || !c2 || !to || point.x < from.x || point.x > to.x) continue;
      // x is monotone in t: the point of the curve above the pointer is near t = its share of the way.
      for (let step = 0; step <= 24; step++) {
        const at = bezier(from, c1, c2, to, step / 24);
        const distance = Math.hypot(at.x - point.x, at.y - point.y);
        if (distance < least) {
          least = distance;
          found = edge;
        }
      }
    }
    return found && { edge: found };
  }

  protected override themeChanged(): void {
    this.hues = { gold: themeColour("--gold") || "#c99700", good: themeColour("--good") || "#0a7a55" };
  }

  private placeOf(column: number, row: number): Point {
    const columns = Math.max(this.columns.values[0] ?? this.graph.columns, 2);
    const wide = this.width - INSET.left - INSET.right;
    const high = this.height - INSET.top - INSET.bottom;
    return {
      x: INSET.left + Math.min(column / (columns - 1), 1.2) * wide,
      y: INSET.top + ((row + 0.5) / Math.max(this.graph.rows.length, 1)) * high,
    };
  }

  private rowOf(column: number, type: string): number {
    return this.rows.get(nodeId(column, type)) ?? 0;
  }

  private curveBetween(from: Point, to: Point): [Point, Point, Point, Point] {
    const dx = (to.x - from.x) * 0.45;
    return [from, { x: from.x + dx, y: from.y }, { x: to.x - dx, y: to.y }, to];
  }

  private curveOf(edge: ColonyEdge): Point[] {
    return this.curveBetween(this.placeOf(edge.depth, this.rowOf(edge.depth, edge.source)), this.placeOf(edge.depth + 1, this.rowOf(edge.depth + 1, edge.target)));
  }

  protected override paint(context: CanvasRenderingContext2D, now: number): boolean {
    const frame = this.colony;
    if (!frame) return false;
    const gliding = [this.widths.advance(now), this.columns.advance(now)].some(Boolean);
    this.paintRows(context);
    this.paintEdges(context);
    this.paintCompletions(context, frame);
    this.paintBest(context, frame);
    this.paintNodes(context);
    const walking = this.paintAnts(context, frame, now);
    return gliding || walking;
  }

  private paintRows(context: CanvasRenderingContext2D): void {
    const { colours } = this;
    context.font = `11.5px ${colours.font}`;
    context.textBaseline = "middle";
    context.textAlign = "left";
    const used = new Set(this.graph.nodes.map((node) => node.row));
    this.graph.rows.forEach((type, row) => {
      const { y } = this.placeOf(0, row);
      context.fillStyle = used.has(row) ? colours.ink2 : colours.faint;
      context.fillText(typeTitle(type), 14, y);
      context.strokeStyle = colours.line2;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(INSET.left + 6, y);
      context.lineTo(this.width - INSET.right + 10, y);
      context.stroke();
    });
    context.textAlign = "center";
    context.fillStyle = colours.ink3;
    for (let column = 0; column < this.graph.columns; column++) {
      context.fillText(column === 0 ? "input" : `depth ${column}`, this.placeOf(column, 0).x, 14);
    }
  }

  private paintEdges(context: CanvasRenderingContext2D): void {
    const { colours } = this;
    context.lineCap = "round";
    context.strokeStyle = colours.accent;
    this.graph.edges.forEach((edge, index) => {
      const probability = this.widths.values[2 * index] ?? 0;
      const trail = this.widths.values[2 * index + 1] ?? 0;
      const hovered = this.focus.hovered !== null && "edge" in this.focus.hovered && this.focus.hovered.edge === edge;
      context.lineWidth = Math.max(0.6, WIDEST * probability);
      // What evaporates fades.
      context.globalAlpha = hovered ? 0.95 : 0.16 + 0.6 * Math.min(trail, 1) ** 1.5;
      this.strokeCurve(context, this.curveOf(edge));
    });
    context.globalAlpha = 1;
  }

  /** How a path was completed (a flatten and the output) has no pheromone; the ants go there all the same. */
  private paintCompletions(context: CanvasRenderingContext2D, frame: ColonyFrame): void {
    const known = new Set(this.edgeKeys);
    context.strokeStyle = this.colours.faint;
    context.lineWidth = 1;
    context.setLineDash([2, 4]);
    for (const ant of frame.ants) {
      for (let column = 0; column + 1 < ant.path.length; column++) {
        const [source, target] = [ant.path[column] ?? "", ant.path[column + 1] ?? ""];
        const key = `${column} ${source} ${target}`;
        if (known.has(key)) continue;
        known.add(key);
        this.strokeCurve(context, this.curveBetween(this.placeOf(column, this.rowOf(column, source)), this.placeOf(column + 1, this.rowOf(column + 1, target))));
      }
    }
    context.setLineDash([]);
  }

  private strokeCurve(context: CanvasRenderingContext2D, [from, c1, c2, to]: readonly Point[]): void {
    if (!from || !c1 || !c2 || !to) return;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.bezierCurveTo(c1.x, c1.y, c2.x, c2.y, to.x, to.y);
    context.stroke();
  }

  private paintBest(context: CanvasRenderingContext2D, frame: ColonyFrame): void {
    context.strokeStyle = this.hues.gold;
    context.lineWidth = 3.4;
    for (let column = 0; column + 1 < frame.best.length; column++) {
      const from = this.placeOf(column, this.rowOf(column, frame.best[column] ?? ""));
      const to = this.placeOf(column + 1, this.rowOf(column + 1, frame.best[column + 1] ?? ""));
      this.strokeCurve(context, this.curveBetween(from, to));
    }
  }

  private paintNodes(context: CanvasRenderingContext2D): void {
    const { colours } = this;
    const best = new Set(this.colony?.best.map((type, column) => nodeId(column, type)));
    context.textAlign = "center";
    context.textBaseline = "middle";
    for (const node of this.graph.nodes) {
      const at = this.placeOf(node.column, node.row);
      const radius = 5.5 + 5 * Math.sqrt(node.ants / Math.max(this.colony?.ants.length ?? 1, 1));
      const strong = this.focus.pinned === node.id || (this.focus.hovered !== null && "node" in this.focus.hovered && this.focus.hovered.node.id === node.id);
      context.beginPath();
      context.arc(at.x, at.y, radius, 0, 2 * Math.PI);
      context.fillStyle = colours.node;
      context.fill();
      // The surer the choice of its attributes, the fuller the node.
      context.fillStyle = colours.accent;
      context.globalAlpha = Number.isNaN(node.decided) ? 0.12 : 0.12 + 0.8 * node.decided;
      context.fill();
      context.globalAlpha = 1;
      context.strokeStyle = strong ? colours.accent : best.has(node.id) ? this.hues.gold : colours.ink3;
      context.lineWidth = strong || best.has(node.id) ? 2.4 : 1.2;
      context.stroke();
      if (node.inherited > 0) this.paintBadge(context, at, radius, String(node.inherited));
    }
  }

  /** How many ants took a layer's weights over. */
  private paintBadge(context: CanvasRenderingContext2D, at: Point, radius: number, text: string): void {
    context.font = `600 9.5px ${this.colours.font}`;
    const width = Math.max(context.measureText(text).width + 7, 14);
    context.beginPath();
    context.roundRect(at.x + radius * 0.5, at.y - radius - 8, width, 13, 6.5);
    context.fillStyle = this.hues.good;
    context.fill();
    context.fillStyle = this.colours.panel;
    context.fillText(text, at.x + radius * 0.5 + width / 2, at.y - radius - 1);
  }

  private paintAnts(context: CanvasRenderingContext2D, frame: ColonyFrame, now: number): boolean {
    const count = frame.ants.length;
    const since = now - this.walkSince;
    let walking = false;
    frame.ants.forEach((ant, index) => {
      const walked = this.walkSince === -Infinity ? Infinity : Math.max(0, (since - (STAGGER_MS * index) / Math.max(count, 1)) / STEP_MS);
      const where = antAt(ant, walked);
      if (!where) return;
      const ended = where.column >= ant.path.length - 1;
      if (!ended) walking = true;
      const from = this.placeOf(where.column, this.rowOf(where.column, where.from));
      const to = ended ? from : this.placeOf(where.column + 1, this.rowOf(where.column + 1, where.to));
      const at = ended ? from : bezier(...this.curveBetween(from, to), where.share);
      // A little apart, so that ants on one path are several dots; at their end they sit around the node.
      const angle = (index / Math.max(count, 1)) * 2 * Math.PI;
      const apart = ended ? 14 : 4;
      context.beginPath();
      context.arc(at.x + apart * Math.cos(angle), at.y + apart * Math.sin(angle), ended ? 2 : 3, 0, 2 * Math.PI);
      context.fillStyle = this.colours.ink;
      context.globalAlpha = ended ? 0.45 : 0.9;
      context.fill();
      context.globalAlpha = 1;
    });
    return walking;
  }
}
