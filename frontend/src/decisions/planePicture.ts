/** The plane of a space of two decisions: a place for every point, filled in the colour of its score once it was tried. */
import { scoreColour } from "../graph/scoreColour";
import { Stage, type Point } from "../graph/stage";
import type { DecisionInfo } from "../types/events.gen";
import type { Plane } from "./frames";

/** Room for the axes' labels, at the left and below, and around. */
const INSET = { left: 62, bottom: 46, top: 14, right: 16 };
const LARGEST = 17;

export interface PlanePoint {
  row: number;
  column: number;
  tried: number;
  /** NaN where it was never scored. */
  mean: number;
  /** Over the folds of a cross-validation; NaN without. */
  deviation: number;
}

/** The points row by row: rows are the first decision's choices. */
export function planePoints([first, second]: readonly DecisionInfo[], plane: Plane): PlanePoint[] {
  const columns = second?.choices.length ?? 0;
  return (first?.choices ?? []).flatMap((_, row) =>
    Array.from({ length: columns }, (_, column) => {
      const place = row * columns + column;
      return { row, column, tried: plane.counts[place] ?? 0, mean: plane.means[place] ?? NaN, deviation: plane.deviations?.[place] ?? NaN };
    }),
  );
}

/** The tried point with the highest mean; the earlier one wins a tie. */
export function bestPoint(points: readonly PlanePoint[]): PlanePoint | undefined {
  return points.reduce<PlanePoint | undefined>((best, point) => (Number.isNaN(point.mean) || (best && best.mean >= point.mean) ? best : point), undefined);
}

/** Least and largest mean. */
export function planeSpan(points: readonly PlanePoint[]): [number, number] | null {
  const means = points.map((point) => point.mean).filter((mean) => !Number.isNaN(mean));
  return means.length === 0 ? null : [Math.min(...means), Math.max(...means)];
}

export class PlanePicture extends Stage {
  private decisions: readonly DecisionInfo[] = [];
  private points: readonly PlanePoint[] = [];
  private span: [number, number] = [0, 1];
  private hovered: PlanePoint | null = null;

  setPlane(decisions: readonly DecisionInfo[], points: readonly PlanePoint[]): void {
    this.decisions = decisions;
    this.points = points;
    this.span = planeSpan(points) ?? [0, 1];
    this.invalidate();
  }

  hover(point: PlanePoint | null): void {
    this.hovered = point;
    this.invalidate();
  }

  pick(at: Point): PlanePoint | null {
    const { stepX, stepY } = this.steps;
    const near = this.points.find((point) => {
      const place = this.placeOf(point);
      return Math.abs(place.x - at.x) <= stepX / 2 && Math.abs(place.y - at.y) <= stepY / 2;
    });
    return near ?? null;
  }

  private get steps(): { stepX: number; stepY: number } {
    const [rows, columns] = [0, 1].map((place) => Math.max(this.decisions[place]?.choices.length ?? 1, 1)) as [number, number];
    return { stepX: Math.max(this.width - INSET.left - INSET.right, 1) / rows, stepY: Math.max(this.height - INSET.top - INSET.bottom, 1) / columns };
  }

  /** The first decision lies across, the second upwards. */
  private placeOf({ row, column }: Pick<PlanePoint, "row" | "column">): Point {
    const { stepX, stepY } = this.steps;
    return { x: INSET.left + (row + 0.5) * stepX, y: this.height - INSET.bottom - (column + 0.5) * stepY };
  }

  protected override paint(context: CanvasRenderingContext2D, _now: number): boolean {
    const { stepX, stepY } = this.steps;
    const radius = Math.max(Math.min(stepX, stepY, 2 * LARGEST) / 2 - 3, 2.5);
    this.paintAxes(context);
    const best = bestPoint(this.points);
    for (const point of this.points) {
      const { x, y } = this.placeOf(point);
      context.beginPath();
      context.arc(x, y, point.tried > 0 ? radius : Math.min(radius, 3), 0, 2 * Math.PI);
      if (point.tried === 0) {
        context.strokeStyle = this.colours.line2;
        context.lineWidth = 1.2;
        context.stroke();
      } else if (Number.isNaN(point.mean)) this.paintFailed(context, x, y, radius);
      else {
        context.fillStyle = scoreColour(point.mean, this.span);
        context.fill();
      }
      if (point === best) this.ring(context, x, y, radius + 2.5, this.colours.accent);
      if (this.hovered?.row === point.row && this.hovered.column === point.column) this.ring(context, x, y, radius + 2.5, this.colours.ink);
    }
    return false;
  }

  private paintFailed(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
    context.strokeStyle = this.colours.faint;
    context.lineWidth = 2;
    context.beginPath();
    for (const side of [-1, 1]) {
      context.moveTo(x - 0.6 * radius, y - side * 0.6 * radius);
      context.lineTo(x + 0.6 * radius, y + side * 0.6 * radius);
    }
    context.stroke();
  }

  private ring(context: CanvasRenderingContext2D, x: number, y: number, radius: number, colour: string): void {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.stroke();
  }

  private paintAxes(context: CanvasRenderingContext2D): void {
    const [first, second] = this.decisions;
    const { stepX, stepY } = this.steps;
    const bottom = this.height - INSET.bottom;
    context.strokeStyle = this.colours.line2;
    context.lineWidth = 1;
    context.beginPath();
    context.moveTo(INSET.left, INSET.top);
    context.lineTo(INSET.left, bottom);
    context.lineTo(this.width - INSET.right, bottom);
    context.stroke();
    context.font = `11px ${this.colours.font}`;
    context.fillStyle = this.colours.ink2;
    context.textBaseline = "middle";
    context.textAlign = "center";
    const widest = Math.max(0, ...(first?.choices ?? []).map((choice) => context.measureText(choice).width));
    const everyX = Math.max(1, Math.ceil((widest + 6) / stepX));
    first?.choices.forEach((choice, row) => row % everyX === 0 && context.fillText(choice, this.placeOf({ row, column: 0 }).x, bottom + 11));
    context.textAlign = "right";
    const everyY = Math.max(1, Math.ceil(13 / stepY));
    second?.choices.forEach((choice, column) => column % everyY === 0 && context.fillText(choice, INSET.left - 8, this.placeOf({ row: 0, column }).y));
    context.fillStyle = this.colours.ink3;
    context.textAlign = "center";
    context.fillText(first?.title ?? "", (INSET.left + this.width - INSET.right) / 2, this.height - 12);
    context.save();
    context.translate(14, (INSET.top + bottom) / 2);
    context.rotate(-Math.PI / 2);
    context.fillText(second?.title ?? "", 0, 0);
    context.restore();
  }
}
