/**
 * A graph of single neurons, growing: inputs as the image they are, hidden neurons with their activation's curve on them, outputs at the
 * right. Nodes keep their lane; what the newest champion added glows once and stays marked until the next one.
 */
import type { GraphData } from "../types/events.gen";
import { activationCurve } from "./activations";
import { LaneLayout, leastGaps } from "./layout/incremental";
import type { Link } from "./layout/layered";
import { Stage, roundBox, type Point } from "./stage";
import { TWEEN_MS, ease } from "./tween";

export interface Change {
  addedNodes: ReadonlySet<string>;
  /** "source target" */
  addedEdges: ReadonlySet<string>;
  removedEdges: readonly Link[];
  changedNodes: ReadonlySet<string>;
}

export const NO_CHANGE: Change = { addedNodes: new Set(), addedEdges: new Set(), removedEdges: [], changedNodes: new Set() };

interface Neuron {
  id: string;
  kind: string;
  label: string;
  activation: string;
  at: Point;
  from: Point;
  to: Point;
  radius: number;
  /** Half the width of the box of a node that shows its name instead of a curve, 0 for a round neuron. */
  half: number;
}

interface Grid {
  rows: number;
  columns: number;
  x: number;
  y: number;
  cell: number;
}

const GLOW_MS = 1400;
const PICK_TOLERANCE = 10;
const TOP = 26;
/** A neuron smaller than this is a dot without its curve. */
const CURVED_FROM = 5;
const LARGEST = 13;
const BOX_HEIGHT = 26;
/** More inputs than this are small squares with their names beside them. */
const MOST_NAMED_INPUTS = 16;

/** A node's place down its column where all of a column stand equally far apart, in the order of their lanes: boxes need the room. */
function evenLane(slots: ReadonlyMap<string, { rank: number; lane: number }>, id: string): number {
  const own = slots.get(id);
  const column = [...slots].filter(([, slot]) => slot.rank === own?.rank).sort(([, a], [, b]) => a.lane - b.lane);
  return (column.findIndex(([other]) => other === id) + 0.5) / Math.max(column.length, 1);
}

const outputName = (label: string) => label.replace(/^class /, "");

export class NeuronGraph extends Stage {
  private graph: GraphData | null = null;
  private change: Change = NO_CHANGE;
  private readonly layout = new LaneLayout();
  private neurons = new Map<string, Neuron>();
  private pixels = new Map<string, Point>();
  private grid: Grid | null = null;
  private started = -Infinity;
  hovered: string | null = null;
  pinned: string | null = null;

  constructor(canvas: HTMLCanvasElement) {
    super(canvas, true);
  }

  setGraph(graph: GraphData, change: Change): void {
    this.graph = graph;
    this.change = change;
    this.started = this.still ? -Infinity : performance.now();
    this.arrange(this.still);
    this.invalidate();
  }

  setFocus(hovered: string | null, pinned: string | null): void {
    this.hovered = hovered;
    this.pinned = pinned;
    this.invalidate();
  }

  pick(point: Point): string | null {
    let found: string | null = null;
    let least = PICK_TOLERANCE / this.zoom.k;
    for (const neuron of this.neurons.values()) {
      const across = Math.max(0, Math.abs(neuron.at.x - point.x) - Math.max(neuron.half - neuron.radius, 0));
      const distance = Math.max(0, Math.hypot(across, neuron.at.y - point.y) - neuron.radius);
      if (distance < least) {
        least = distance;
        found = neuron.id;
      }
    }
    return found;
  }

  protected override resized(): void {
    this.arrange(true);
  }

  /** Compute where everything belongs; `jump` shows it there at once. */
  private arrange(jump: boolean): void {
    const { graph, width, height } = this;
    if (!graph || width === 0) return;
    const image = graph.attributes["image"];
    this.grid = null;
    this.pixels = new Map();
    const bottom = height - 22;
    if (Array.isArray(image)) {
      const [, rows, columns] = image.map(Number);
      if (rows && columns) {
        const side = Math.min(width * 0.26, (bottom - TOP) * 0.78);
        const cell = side / Math.max(rows, columns);
        this.grid = { rows, columns, cell, x: 22, y: TOP + (bottom - TOP - rows * cell) / 2 };
      }
    }
    const inputs = graph.nodes.filter((node) => node.kind === "input");
    const outputs = graph.nodes.filter((node) => node.kind === "output");
    const hidden = graph.nodes.filter((node) => node.kind !== "input" && node.kind !== "output");
    const loose = inputs.filter((node) => !this.grid || node.attributes["row"] === undefined);
    for (const node of inputs) {
      const { row, column } = node.attributes;
      if (this.grid && row !== undefined) {
        const { x, y, cell } = this.grid;
        this.pixels.set(node.id, { x: x + (Number(column) + 0.5) * cell, y: y + (Number(row) + 0.5) * cell });
      }
    }
    loose.forEach((node, index) => {
      const grid = this.grid;
      if (grid) this.pixels.set(node.id, { x: grid.x + grid.cell * (index + 0.5), y: grid.y + grid.rows * grid.cell + 24 });
      else this.pixels.set(node.id, { x: 40, y: TOP + ((index + 0.5) / loose.length) * (bottom - TOP) });
    });
    const laneOfY = (y: number) => (y - TOP) / (bottom - TOP);
    const { grid } = this;
    // Rows of the image stand for the whole height: the image is smaller than the panel, the neurons need all of it.
    const inputLane = ({ y }: Point) => (grid && y < grid.y + grid.rows * grid.cell ? (y - grid.y) / (grid.rows * grid.cell) : laneOfY(y));
    const outputLane = new Map(outputs.map((node, index) => [node.id, (index + 0.5) / outputs.length]));
    const links = graph.edges.map((edge) => [edge.source, edge.target] as const);
    const slots = this.layout.place(hidden.map((node) => node.id), links, (id) => {
      const pixel = this.pixels.get(id);
      return pixel ? inputLane(pixel) : outputLane.get(id);
    });
    const boxes = hidden.some((node) => node.attributes["activation"] === undefined);
    const columns = Math.max(1, ...[...slots.values()].map((slot) => slot.rank + 1));
    const left = (this.grid ? this.grid.x + this.grid.columns * this.grid.cell : 60) + 46;
    const right = width - 62;
    const columnWidth = (right - left) / columns;
    const gaps = leastGaps(slots.values());
    // Crowded columns have smaller neurons, so that none hides another.
    const radiusOf = (rank: number) => Math.min(LARGEST, Math.max(3, Math.min(columnWidth * 0.32, 0.46 * (gaps.get(rank) ?? 1) * (bottom - TOP - 16))));
    const widthOfBox = (label: string) => {
      this.context.font = `600 11.5px ${this.colours.font}`;
      return Math.max(26, Math.min(this.context.measureText(label).width + 18, Math.max(columnWidth - 14, 34)));
    };
    const before = this.neurons;
    this.neurons = new Map();
    for (const node of graph.nodes) {
      const slot = slots.get(node.id);
      const lane = slot && (boxes ? evenLane(slots, node.id) : slot.lane);
      const to = this.pixels.get(node.id) ?? (slot && lane !== undefined
        ? { x: left + (slot.rank + 0.5) * columnWidth, y: TOP + 8 + lane * (bottom - TOP - 16) }
        : { x: right + 14, y: TOP + (outputLane.get(node.id) ?? 0.5) * (bottom - TOP) });
      const old = before.get(node.id);
      // A new neuron grows out of the middle between its neighbours.
      const from = jump || before.size === 0 ? to : (old?.at ?? this.between(node.id, before) ?? to);
      // A layer has no curve to show: its name stands in a box. So does the name of an output that is no digit.
      const named = node.kind === "input" ? boxes && !this.grid && inputs.length <= MOST_NAMED_INPUTS : node.kind === "output" ? outputName(node.label).length > 3 : node.attributes["activation"] === undefined;
      const half = named ? widthOfBox(node.kind === "output" ? outputName(node.label) : node.label) / 2 : 0;
      if (named && node.kind === "output") for (const place of [to, from]) place.x = Math.min(place.x, width - half - 8);
      if (named && node.kind === "input") for (const place of [to, from]) place.x = Math.max(place.x, half + 8);
      this.neurons.set(node.id, {
        half, id: node.id, kind: node.kind, label: node.label, activation: String(node.attributes["activation"] ?? ""), from, to, at: jump ? to : from,
        radius: slot ? radiusOf(slot.rank) : node.kind === "input" ? (this.grid?.cell ?? 8) / 2 : LARGEST,
      });
    }
  }

  private between(id: string, before: ReadonlyMap<string, Neuron>): Point | undefined {
    const around = (this.graph?.edges ?? [])
      .filter((edge) => edge.source === id || edge.target === id)
      .map((edge) => before.get(edge.source === id ? edge.target : edge.source)?.at)
      .filter((point) => point !== undefined);
    if (around.length === 0) return undefined;
    return { x: around.reduce((sum, point) => sum + point.x, 0) / around.length, y: around.reduce((sum, point) => sum + point.y, 0) / around.length };
  }

  protected override paint(context: CanvasRenderingContext2D, now: number): boolean {
    const { graph } = this;
    if (!graph) return false;
    const age = now - this.started;
    const share = this.started === -Infinity ? 1 : ease(Math.min(age / TWEEN_MS, 1));
    for (const neuron of this.neurons.values()) {
      neuron.at = { x: neuron.from.x + (neuron.to.x - neuron.from.x) * share, y: neuron.from.y + (neuron.to.y - neuron.from.y) * share };
    }
    const glow = this.started === -Infinity ? 0 : Math.max(0, 1 - age / GLOW_MS);
    this.paintGrid(context);
    this.paintEdges(context, graph, glow);
    for (const neuron of this.neurons.values()) this.paintNeuron(context, neuron, glow);
    return glow > 0 || share < 1;
  }

  private paintGrid(context: CanvasRenderingContext2D): void {
    const { grid } = this;
    context.font = `500 11px ${this.colours.font}`;
    context.textBaseline = "alphabetic";
    context.fillStyle = this.colours.ink3;
    if (grid) {
      context.textAlign = "left";
      context.fillText(`input image, ${grid.rows}×${grid.columns}`, grid.x, grid.y - 8);
      context.fillStyle = this.colours.line2;
      const gap = Math.max(1, grid.cell * 0.1);
      for (let row = 0; row < grid.rows; row++) {
        for (let column = 0; column < grid.columns; column++) {
          context.fillRect(grid.x + column * grid.cell + gap / 2, grid.y + row * grid.cell + gap / 2, grid.cell - gap, grid.cell - gap);
        }
      }
    }
    context.fillStyle = this.colours.ink3;
    context.textAlign = "right";
    const outputs = this.graph?.nodes.filter((node) => node.kind === "output") ?? [];
    if (outputs.length > 1) context.fillText("classes", this.width - 18, 15);
  }

  private focus(): string | null {
    return this.hovered ?? this.pinned;
  }

  private paintEdges(context: CanvasRenderingContext2D, graph: GraphData, glow: number): void {
    const focus = this.focus();
    const draw = (source: string, target: string) => {
      const from = this.neurons.get(source)?.at;
      const to = this.neurons.get(target)?.at;
      if (!from || !to) return;
      const bend = Math.max((to.x - from.x) * 0.45, 14);
      const lift = this.lift(from, to);
      context.beginPath();
      context.moveTo(from.x, from.y);
      context.bezierCurveTo(from.x + bend, from.y - lift, to.x - bend, to.y - lift, to.x, to.y);
      context.stroke();
    };
    context.lineCap = "round";
    const added: Link[] = [];
    for (const { source, target } of graph.edges) {
      const near = focus !== null && (source === focus || target === focus);
      if (this.change.addedEdges.has(`${source} ${target}`)) added.push([source, target]);
      context.globalAlpha = focus === null ? 0.5 : near ? 0.95 : 0.13;
      context.strokeStyle = near ? this.colours.accent : this.colours.faint;
      context.lineWidth = near ? 1.8 : 1.1;
      draw(source, target);
    }
    for (const [source, target] of added) {
      context.strokeStyle = this.colours.best;
      if (glow > 0) {
        context.globalAlpha = 0.28 * glow;
        context.lineWidth = 3 + 9 * glow;
        draw(source, target);
      }
      context.globalAlpha = focus === null ? 1 : 0.45;
      context.lineWidth = 2;
      draw(source, target);
    }
    if (glow > 0) {
      context.setLineDash([4, 5]);
      context.strokeStyle = this.colours.best;
      context.lineWidth = 1.2;
      context.globalAlpha = 0.7 * glow;
      for (const [source, target] of this.change.removedEdges) draw(source, target);
      context.setLineDash([]);
    }
    context.globalAlpha = 1;
  }

  /** How far the ends of an edge are pulled up that would run straight through named nodes, as a skip in a chain of layers does. */
  private lift(from: Point, to: Point): number {
    if (Math.abs(from.y - to.y) > BOX_HEIGHT / 2) return 0;
    const passed = [...this.neurons.values()].filter(({ at, half }) => half > 0 && at.x > from.x + 4 && at.x < to.x - 4 && Math.abs(at.y - from.y) < BOX_HEIGHT);
    // A curve reaches three quarters of the way to its control points.
    return passed.length > 0 ? (BOX_HEIGHT + 10 * passed.length) / 0.75 : 0;
  }

  private paintNeuron(context: CanvasRenderingContext2D, neuron: Neuron, glow: number): void {
    const { at, kind, id } = neuron;
    const marked = this.change.addedNodes.has(id) || this.change.changedNodes.has(id);
    const chosen = this.hovered === id || this.pinned === id;
    if (kind === "input" && neuron.half > 0) {
      this.paintBox(context, at, neuron.half, BOX_HEIGHT, neuron.label, chosen ? this.colours.accent : this.colours.faint, chosen);
      return;
    }
    if (kind === "input") {
      this.paintInput(context, neuron, chosen);
      return;
    }
    if (kind === "output") {
      this.paintBox(context, at, Math.max(neuron.half, 13), 22, outputName(neuron.label), chosen ? this.colours.accent : this.colours.faint, chosen);
      return;
    }
    const { radius } = neuron;
    if (neuron.half > 0) {
      if (marked && glow > 0) {
        context.globalAlpha = 0.32 * glow;
        context.fillStyle = this.colours.best;
        roundBox(context, at.x - neuron.half - 4 - 6 * glow, at.y - BOX_HEIGHT / 2 - 4 - 6 * glow, 2 * neuron.half + 8 + 12 * glow, BOX_HEIGHT + 8 + 12 * glow, 12);
        context.fill();
        context.globalAlpha = 1;
      }
      const line = chosen ? this.colours.accent : marked ? this.colours.best : this.colours.ink3;
      this.paintBox(context, at, neuron.half, BOX_HEIGHT, neuron.label, line, chosen || marked);
      return;
    }
    if (marked && glow > 0) {
      context.globalAlpha = 0.32 * glow;
      context.fillStyle = this.colours.best;
      context.beginPath();
      context.arc(at.x, at.y, radius + 4 + 9 * glow, 0, 2 * Math.PI);
      context.fill();
      context.globalAlpha = 1;
    }
    context.beginPath();
    context.arc(at.x, at.y, radius, 0, 2 * Math.PI);
    context.fillStyle = this.colours.node;
    context.fill();
    context.lineWidth = chosen || marked ? 2 : 1.2;
    context.strokeStyle = chosen ? this.colours.accent : marked ? this.colours.best : this.colours.ink3;
    context.stroke();
    if (radius >= CURVED_FROM) this.paintCurve(context, neuron.activation, at, radius * 0.58);
  }

  /** A node that shows its name, cut to the width of its box. */
  private paintBox(context: CanvasRenderingContext2D, at: Point, half: number, height: number, label: string, line: string, strong: boolean): void {
    roundBox(context, at.x - half, at.y - height / 2, 2 * half, height, 7);
    context.fillStyle = this.colours.node;
    context.fill();
    context.lineWidth = strong ? 2 : 1.2;
    context.strokeStyle = line;
    context.stroke();
    context.font = `600 11.5px ${this.colours.font}`;
    context.fillStyle = this.colours.ink;
    context.textAlign = "center";
    context.textBaseline = "middle";
    let text = label;
    while (text.length > 2 && context.measureText(text).width > 2 * half - 8) text = `${text.slice(0, -2)}…`;
    context.fillText(text, at.x, at.y + 0.5);
  }

  private paintCurve(context: CanvasRenderingContext2D, name: string, at: Point, half: number): void {
    const curve = activationCurve(name);
    if (!curve) return;
    context.beginPath();
    for (let index = 0; index + 1 < curve.length; index += 2) {
      context.lineTo(at.x + ((curve[index] ?? 0) * 2 - 1) * half, at.y + ((curve[index + 1] ?? 0) * 2 - 1) * half * 0.8);
    }
    context.strokeStyle = this.colours.ink;
    context.lineWidth = 1.5;
    context.lineJoin = "round";
    context.stroke();
  }

  private paintInput(context: CanvasRenderingContext2D, neuron: Neuron, chosen: boolean): void {
    const { at } = neuron;
    const cell = this.grid?.cell ?? 16;
    const inGrid = this.grid !== null && at.y < this.grid.y + this.grid.rows * this.grid.cell;
    const size = inGrid ? cell - Math.max(1, cell * 0.1) : 18;
    context.fillStyle = chosen ? this.colours.accent : this.colours.ink3;
    context.globalAlpha = chosen ? 1 : 0.75;
    roundBox(context, at.x - size / 2, at.y - size / 2, size, size, Math.min(3, size / 4));
    context.fill();
    context.globalAlpha = 1;
    if (inGrid) return;
    context.font = `500 11px ${this.colours.font}`;
    context.fillStyle = this.colours.ink3;
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.fillText(neuron.label, at.x + size / 2 + 5, at.y);
  }
}
