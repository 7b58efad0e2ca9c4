/** Shares of three things in a triangle of equal sides: where they stand, the sides with their corners' names. */
import { inTriangle } from "../graph/simplex";
import type { CanvasColours } from "../graph/palette";
import type { Point } from "../graph/stage";
import type { Plot } from "./chartData";

export interface Triangle {
  /** Top, left, right: the first, the second and the third category. */
  corners: [Point, Point, Point];
  /** Of the shares of the first and the second; the third has the rest. */
  place: (first: number, second: number) => Point;
}

const ROOM = { sides: 26, top: 24, bottom: 22 };
const HEIGHT = Math.sqrt(3) / 2;

/** As large as it fits, with equal sides. */
export function triangleOf(width: number, height: number): Triangle {
  const side = Math.max(Math.min(width - 2 * ROOM.sides, (height - ROOM.top - ROOM.bottom) / HEIGHT), 20);
  const top = ROOM.top + Math.max((height - ROOM.top - ROOM.bottom - side * HEIGHT) / 2, 0);
  const low = top + side * HEIGHT;
  const corners: Triangle["corners"] = [{ x: width / 2, y: top }, { x: width / 2 - side / 2, y: low }, { x: width / 2 + side / 2, y: low }];
  return { corners, place: (first, second) => inTriangle([first, second, 1 - first - second], corners) };
}

/** Its ground, its sides, thirds as a guide, and the names of its corners. */
export function paintTriangle(context: CanvasRenderingContext2D, colours: CanvasColours, plot: Plot, { corners, place }: Triangle, compact: boolean): void {
  context.beginPath();
  for (const corner of corners) context.lineTo(corner.x, corner.y);
  context.closePath();
  context.fillStyle = colours.line2;
  context.fill();
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  context.stroke();
  if (!compact) {
    // From the middle of each side to the corner opposite: they meet where nothing is decided.
    const middle = place(1 / 3, 1 / 3);
    for (const corner of corners) {
      context.beginPath();
      context.moveTo(corner.x, corner.y);
      context.lineTo(middle.x, middle.y);
      context.stroke();
    }
  }
  context.font = `500 11px ${colours.font}`;
  context.fillStyle = colours.ink2;
  context.textBaseline = "alphabetic";
  plot.categories.slice(0, 3).forEach((name, number) => {
    const corner = corners[number] ?? corners[0];
    const half = context.measureText(name).width / 2;
    context.textAlign = "center";
    // A long name at a lower corner stays on the canvas.
    const x = number === 0 ? corner.x : Math.min(Math.max(corner.x, half + 2), 2 * corners[0].x - half - 2);
    context.fillText(name, x, number === 0 ? corner.y - 8 : corner.y + 15);
  });
}
