/** A density on the triangle as a heat map (logarithmic colour), with draws on it. */
import { inTriangle } from "../graph/simplex";
import { scoreColour } from "../graph/scoreColour";
import { Stage, type Point } from "../graph/stage";
import { gridPoints, logDensity, type Law, type Weights } from "./distributions";

const PARTS = 96;
/** The colour reaches from the highest density down to e to the minus this many below it. */
export const DEPTH = 8;
const LABELS = ["γ₁", "γ₂", "γ₃"] as const;
const GRID = gridPoints(PARTS);

export class DensityPicture extends Stage {
  private values: number[] = [];
  private high = 0;
  private dots: readonly Weights[] = [];
  private mapped = true;

  setData(law: Law, dots: readonly Weights[], mapped: boolean): void {
    this.values = GRID.map((point) => logDensity(law, point));
    this.high = Math.max(...this.values.filter(Number.isFinite));
    this.dots = dots;
    this.mapped = mapped;
    this.invalidate();
  }

  private get corners(): [Point, Point, Point] {
    const side = Math.max(Math.min(this.width - 60, (this.height - 52) / 0.866), 40);
    const [x, y] = [this.width / 2, (this.height - side * 0.866) / 2];
    return [{ x, y }, { x: x - side / 2, y: y + side * 0.866 }, { x: x + side / 2, y: y + side * 0.866 }];
  }

  protected override paint(context: CanvasRenderingContext2D): boolean {
    const { corners } = this;
    context.beginPath();
    for (const corner of corners) context.lineTo(corner.x, corner.y);
    context.closePath();
    context.fillStyle = this.mapped ? scoreColour(0, [0, 1]) : this.colours.line2;
    context.fill();
    if (this.mapped) {
      context.save();
      context.clip();
      const step = (corners[2].x - corners[1].x) / PARTS;
      GRID.forEach((point, index) => {
        const at = inTriangle(point, corners);
        context.fillStyle = scoreColour(this.values[index] ?? -Infinity, [this.high - DEPTH, this.high]);
        context.fillRect(at.x - step / 2 - 0.4, at.y - step * 0.433 - 0.4, step + 0.8, step * 0.866 + 0.8);
      });
      context.restore();
    }
    context.strokeStyle = this.colours.line;
    context.lineWidth = 1;
    context.stroke();
    context.fillStyle = this.mapped ? "#ffffff" : this.colours.accent;
    context.globalAlpha = this.mapped ? 0.65 : 0.45;
    for (const dot of this.dots) {
      const at = inTriangle(dot, corners);
      context.beginPath();
      context.arc(at.x, at.y, 1.5, 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
    context.font = `600 12.5px ${this.colours.font}`;
    context.fillStyle = this.colours.ink;
    context.textAlign = "center";
    context.textBaseline = "alphabetic";
    context.fillText(LABELS[0], corners[0].x, corners[0].y - 8);
    context.fillText(LABELS[1], corners[1].x - 6, corners[1].y + 17);
    context.fillText(LABELS[2], corners[2].x + 6, corners[2].y + 17);
    return false;
  }
}
