/** The triangle of three weights: a function on it as a heat map, draws, marked places, and an edge of a run on top. */
import { inTriangle } from "../graph/simplex";
import { scoreColour } from "../graph/scoreColour";
import { Stage, type Point } from "../graph/stage";
import type { Weights } from "./distributions";

export interface TriangleMap {
  /** Parts a side of the grid: the size of a cell. */
  parts: number;
  grid: readonly Weights[];
  values: readonly number[];
  /** Values of the darkest and the lightest colour. */
  span: readonly [number, number];
}

export interface TriangleData {
  labels: readonly [string, string, string];
  map: TriangleMap | null;
  dots?: readonly Weights[];
  /** Encircled, for example a maximum. */
  marks?: readonly Weights[];
  edge?: { mean: Weights; draws: readonly Weights[] } | null;
}

/** Light on every colour of the map, in both themes. */
const ON_MAP = "#ffffff";

export class TrianglePicture extends Stage {
  private data: TriangleData | null = null;

  setData(data: TriangleData): void {
    this.data = data;
    this.invalidate();
  }

  private get corners(): [Point, Point, Point] {
    const side = Math.max(Math.min(this.width - 60, (this.height - 52) / 0.866), 40);
    const [x, y] = [this.width / 2, (this.height - side * 0.866) / 2];
    return [{ x, y }, { x: x - side / 2, y: y + side * 0.866 }, { x: x + side / 2, y: y + side * 0.866 }];
  }

  protected override paint(context: CanvasRenderingContext2D): boolean {
    const { corners, data } = this;
    if (!data) return false;
    const disc = (weights: Weights, radius: number) => {
      const at = inTriangle(weights, corners);
      context.beginPath();
      context.arc(at.x, at.y, radius, 0, 2 * Math.PI);
    };
    this.paintGround(context, data.map, corners);
    context.fillStyle = data.map ? ON_MAP : this.colours.accent;
    context.globalAlpha = data.map ? 0.65 : 0.45;
    for (const dot of data.dots ?? []) {
      disc(dot, 1.5);
      context.fill();
    }
    context.globalAlpha = 1;
    for (const mark of data.marks ?? []) {
      for (const [colour, width] of [["#171a21", 4], [ON_MAP, 2]] as const) {
        disc(mark, 7);
        context.strokeStyle = colour;
        context.lineWidth = width;
        context.stroke();
      }
    }
    if (data.edge) {
      context.fillStyle = this.colours.best;
      context.strokeStyle = ON_MAP;
      context.lineWidth = 0.8;
      for (const draw of data.edge.draws) {
        disc(draw, 3);
        context.fill();
        context.stroke();
      }
      disc(data.edge.mean, 6.5);
      context.fillStyle = this.colours.accent;
      context.fill();
      context.lineWidth = 2;
      context.stroke();
    }
    context.font = `600 12.5px ${this.colours.font}`;
    context.fillStyle = this.colours.ink;
    context.textBaseline = "alphabetic";
    // A long name at a lower corner grows inwards, so that it stays on the canvas.
    const inset = (text: string) => Math.max(context.measureText(text).width / 2 - 24, 0);
    data.labels.forEach((text, place) => {
      const corner = corners[place] ?? corners[0];
      const x = [corner.x, corner.x - 6 + inset(text), corner.x + 6 - inset(text)][place] ?? 0;
      context.textAlign = "center";
      context.fillText(text, x, place === 0 ? corner.y - 8 : corner.y + 17);
    });
    return false;
  }

  private paintGround(context: CanvasRenderingContext2D, map: TriangleMap | null, corners: readonly [Point, Point, Point]): void {
    const outline = () => {
      context.beginPath();
      for (const corner of corners) context.lineTo(corner.x, corner.y);
      context.closePath();
    };
    outline();
    context.fillStyle = map ? scoreColour(map.span[0], map.span) : this.colours.line2;
    context.fill();
    if (map) {
      context.save();
      context.clip();
      const step = (corners[2].x - corners[1].x) / map.parts;
      map.grid.forEach((point, index) => {
        const at = inTriangle(point, corners);
        context.fillStyle = scoreColour(map.values[index] ?? -Infinity, map.span);
        context.fillRect(at.x - step / 2 - 0.4, at.y - step * 0.433 - 0.4, step + 0.8, step * 0.866 + 0.8);
      });
      context.restore();
    }
    outline();
    context.strokeStyle = this.colours.line;
    context.lineWidth = 1;
    context.stroke();
  }
}
