/** The mask of one layer as a bitmap, and the graph of the connections that remain, with those that have just gone. */
import { Stage, type Point } from "../graph/stage";
import type { MaskLayer } from "../types/events.gen";
import { fates, maskBits, type Fate, type MaskGraph } from "./mask";

export interface Cell {
  row: number;
  column: number;
}

interface Fit {
  x: number;
  y: number;
  /** Pixels per weight across and down; equal unless the layer is far from square. */
  w: number;
  h: number;
}

const MOST_STRETCH = 6;
const INSET = { left: 44, right: 14, top: 28, bottom: 14 };

/** Where the bitmap of a layer stands: as large as it fits, a very flat or narrow one stretched, so that its rows can be seen. */
export function fitOf(rows: number, columns: number, width: number, height: number): Fit {
  const across = (width - INSET.left - INSET.right) / Math.max(columns, 1);
  const down = (height - INSET.top - INSET.bottom) / Math.max(rows, 1);
  const least = Math.min(across, down);
  const [w, h] = [Math.min(across, least * MOST_STRETCH), Math.min(down, least * MOST_STRETCH)];
  return { w, h, x: INSET.left + (width - INSET.left - INSET.right - w * columns) / 2, y: INSET.top };
}

export class MaskBitmap extends Stage {
  private layer: MaskLayer | null = null;
  private image: HTMLCanvasElement | null = null;
  private hovered: Cell | null = null;

  setLayer(layer: MaskLayer): void {
    if (layer === this.layer) return;
    this.layer = layer;
    this.image = null;
    this.invalidate();
  }

  hover(cell: Cell | null): void {
    this.hovered = cell;
    this.invalidate();
  }

  protected override themeChanged(): void {
    this.image = null;
  }

  pick(point: Point): Cell | null {
    const { layer } = this;
    if (!layer || !layer.bits) return null;
    const { x, y, w, h } = fitOf(layer.rows, layer.columns, this.width, this.height);
    const cell = { row: Math.floor((point.y - y) / h), column: Math.floor((point.x - x) / w) };
    return cell.row >= 0 && cell.row < layer.rows && cell.column >= 0 && cell.column < layer.columns ? cell : null;
  }

  /** One pixel per weight; the canvas scales it. */
  private bitmap(layer: MaskLayer): HTMLCanvasElement {
    const colours: Record<Fate, string> = { kept: this.colours.accent, back: this.colours.good, gone: this.colours.best, removed: this.colours.line2 };
    const image = document.createElement("canvas");
    image.width = layer.columns;
    image.height = layer.rows;
    const context = image.getContext("2d");
    if (context) {
      context.fillStyle = colours.removed;
      context.fillRect(0, 0, layer.columns, layer.rows);
      fates(layer)?.forEach((fate, index) => {
        if (fate === "removed") return;
        context.fillStyle = colours[fate];
        context.fillRect(index % layer.columns, Math.floor(index / layer.columns), 1, 1);
      });
    }
    return image;
  }

  protected override paint(context: CanvasRenderingContext2D): boolean {
    const { layer } = this;
    const bits = layer && maskBits(layer);
    if (!layer || !bits) return false;
    this.image ??= this.bitmap(layer);
    const { x, y, w, h } = fitOf(layer.rows, layer.columns, this.width, this.height);
    // Larger than life every weight has a sharp square; smaller than a pixel their mean is the honest picture.
    context.imageSmoothingEnabled = Math.min(w, h) < 1;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.image, x, y, w * layer.columns, h * layer.rows);
    if (Math.min(w, h) >= 7) {
      context.strokeStyle = this.colours.panel;
      context.lineWidth = 1;
      context.beginPath();
      for (let row = 1; row < layer.rows; row++) {
        context.moveTo(x, y + row * h);
        context.lineTo(x + w * layer.columns, y + row * h);
      }
      for (let column = 1; column < layer.columns; column++) {
        context.moveTo(x + column * w, y);
        context.lineTo(x + column * w, y + h * layer.rows);
      }
      context.stroke();
    }
    context.font = `11px ${this.colours.font}`;
    context.fillStyle = this.colours.ink3;
    context.textAlign = "center";
    context.fillText(`inputs, ${layer.columns}`, x + (w * layer.columns) / 2, y - 9);
    context.save();
    context.translate(x - 10, y + (h * layer.rows) / 2);
    context.rotate(-Math.PI / 2);
    context.fillText(`outputs, ${layer.rows}`, 0, 0);
    context.restore();
    if (this.hovered) {
      context.strokeStyle = this.colours.ink;
      context.lineWidth = 1.5;
      context.strokeRect(x + this.hovered.column * w, y + this.hovered.row * h, w, h);
    }
    return false;
  }
}

export interface NeuronPlace {
  column: number;
  neuron: number;
}

export class MaskGraphPicture extends Stage {
  private graph: MaskGraph | null = null;
  private hovered: NeuronPlace | null = null;

  setGraph(graph: MaskGraph): void {
    this.graph = graph;
    this.invalidate();
  }

  hover(place: NeuronPlace | null): void {
    this.hovered = place;
    this.invalidate();
  }

  pick(point: Point): NeuronPlace | null {
    const { graph } = this;
    if (!graph) return null;
    for (const [column, count] of graph.columns.entries()) {
      for (let neuron = 0; neuron < count; neuron++) {
        const at = this.placeOf(column, neuron);
        if (Math.hypot(at.x - point.x, at.y - point.y) <= Math.max(this.radiusOf(column) + 2, 5)) return { column, neuron };
      }
    }
    return null;
  }

  private placeOf(column: number, neuron: number): Point {
    const columns = this.graph?.columns.length ?? 1;
    const count = this.graph?.columns[column] ?? 1;
    const room = this.height - 52;
    const gap = Math.min(room / count, 26);
    return { x: 46 + (column / Math.max(columns - 1, 1)) * (this.width - 92), y: 34 + room / 2 + (neuron - (count - 1) / 2) * gap };
  }

  private radiusOf(column: number): number {
    const gap = Math.min((this.height - 52) / (this.graph?.columns[column] ?? 1), 26);
    return Math.min(Math.max(gap * 0.36, 1.6), 7);
  }

  protected override paint(context: CanvasRenderingContext2D): boolean {
    const { graph, hovered } = this;
    if (!graph) return false;
    const colours = { kept: this.colours.accent, back: this.colours.good, gone: this.colours.best };
    graph.layers.forEach(({ links }, column) => {
      const pale = Math.min(0.75, Math.max(0.1, 26 / Math.sqrt(Math.max(links.length, 1)) / 6));
      for (const [from, to, fate] of links) {
        const near = hovered && ((hovered.column === column && hovered.neuron === from) || (hovered.column === column + 1 && hovered.neuron === to));
        const [a, b] = [this.placeOf(column, from), this.placeOf(column + 1, to)];
        const bend = (b.x - a.x) * 0.4;
        // What changed just now stands out of what stayed; what is gone is dashed, so that nobody takes it for a connection.
        const own = fate === "kept" ? pale : Math.max(pale, 0.7);
        context.globalAlpha = near ? 1 : hovered ? own * 0.35 : own;
        context.strokeStyle = near && fate === "kept" ? this.colours.ink : colours[fate];
        context.lineWidth = near ? 1.6 : fate === "kept" ? 0.9 : 1.2;
        context.setLineDash(fate === "gone" ? [3, 3] : []);
        context.beginPath();
        context.moveTo(a.x, a.y);
        context.bezierCurveTo(a.x + bend, a.y, b.x - bend, b.y, b.x, b.y);
        context.stroke();
      }
    });
    context.globalAlpha = 1;
    context.setLineDash([]);
    graph.columns.forEach((count, column) => {
      const radius = this.radiusOf(column);
      for (let neuron = 0; neuron < count; neuron++) {
        const at = this.placeOf(column, neuron);
        const { dead = false, cutNow = false } = graph.neurons[column]?.[neuron] ?? {};
        context.beginPath();
        context.arc(at.x, at.y, radius, 0, 2 * Math.PI);
        context.fillStyle = dead ? this.colours.panel : this.colours.ink2;
        context.fill();
        context.lineWidth = cutNow ? 2 : 1;
        context.strokeStyle = cutNow ? this.colours.best : dead ? this.colours.faint : this.colours.ink2;
        context.stroke();
      }
      context.font = `500 11px ${this.colours.font}`;
      context.textAlign = "center";
      context.textBaseline = "alphabetic";
      context.fillStyle = this.colours.ink3;
      const title = column === 0 ? `${count} in` : (graph.layers[column - 1]?.layer.title ?? "");
      context.fillText(title, Math.min(Math.max(this.placeOf(column, 0).x, 30), this.width - 34), 16);
    });
    return false;
  }
}
