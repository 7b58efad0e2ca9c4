/** The way of one edge's three strongest operations across their triangle: shares among these three, a corner = one of them alone. */
import type { Frame } from "../stream/store";
import { operationColor, shortName } from "./palette";
import { Stage, type Point } from "./stage";

/** Barycentric place of three weights (normalised to their sum) in a triangle. */
export function inTriangle(weights: readonly [number, number, number], corners: readonly [Point, Point, Point]): Point {
  const sum = weights[0] + weights[1] + weights[2] || 1;
  const [a, b, c] = [weights[0] / sum, weights[1] / sum, weights[2] / sum];
  return {
    x: a * corners[0].x + b * corners[1].x + c * corners[2].x,
    y: a * corners[0].y + b * corners[1].y + c * corners[2].y,
  };
}

/** The three operations with the largest weights in a row, the largest first. */
export function topThree(values: ArrayLike<number>, edge: number, count: number): [number, number, number] {
  const order = Array.from({ length: count }, (_, index) => index);
  order.sort((a, b) => (values[edge * count + b] ?? 0) - (values[edge * count + a] ?? 0));
  return [order[0] ?? 0, order[1] ?? 0, order[2] ?? 0];
}

/** The edge's row of each draw (draws x edges x operations). */
export function drawsOf(draws: Float32Array, edges: number, count: number, edge: number): Float32Array[] {
  const size = edges * count;
  return Array.from({ length: size > 0 ? Math.floor(draws.length / size) : 0 }, (_, draw) => draws.subarray(draw * size + edge * count, draw * size + (edge + 1) * count));
}

/** Entropy of a row of weights as a share of that of the uniform one: 1 = undecided, 0 = one operation alone. */
export function normalisedEntropy(weights: ArrayLike<number>): number {
  let sum = 0;
  for (let index = 0; index < weights.length; index++) sum += Math.max(weights[index] ?? 0, 0);
  if (sum <= 0 || weights.length < 2) return 0;
  let entropy = 0;
  for (let index = 0; index < weights.length; index++) {
    const p = Math.max(weights[index] ?? 0, 0) / sum;
    if (p > 0) entropy -= p * Math.log(p);
  }
  return entropy / Math.log(weights.length);
}

const LABEL = 16;
const MOST_POINTS = 400;

export class Simplex extends Stage {
  private frames: readonly Frame[] = [];
  private operations: readonly string[] = [];
  private edge = 0;
  private draws: readonly Float32Array[] = [];

  /** `draws` of this edge's weights lie as a cloud under the way of their mean. */
  setData(frames: readonly Frame[], operations: readonly string[], edge: number, draws: readonly Float32Array[] = []): void {
    this.draws = draws;
    this.frames = frames;
    this.operations = operations;
    this.edge = edge;
    this.invalidate();
  }

  protected override paint(context: CanvasRenderingContext2D): boolean {
    const { frames, width, height } = this;
    const count = this.operations.length;
    const last = frames.at(-1);
    if (!last || count < 3) return false;
    const top = topThree(last.values, this.edge, count);
    const side = Math.min(width - 24, (height - 2 * LABEL - 4) / 0.866);
    const high = side * 0.866;
    const y = LABEL + 2;
    const corners: [Point, Point, Point] = [
      { x: width / 2, y },
      { x: width / 2 - side / 2, y: y + high },
      { x: width / 2 + side / 2, y: y + high },
    ];
    context.beginPath();
    for (const corner of corners) context.lineTo(corner.x, corner.y);
    context.closePath();
    context.fillStyle = this.colours.line2;
    context.fill();
    context.strokeStyle = this.colours.line;
    context.lineWidth = 1;
    context.stroke();
    context.font = `500 11px ${this.colours.font}`;
    context.textBaseline = "alphabetic";
    top.forEach((operation, index) => {
      const corner = corners[index];
      if (!corner) return;
      const label = shortName(this.operations[operation] ?? "");
      context.textAlign = index === 0 ? "center" : index === 1 ? "left" : "right";
      const x = index === 0 ? corner.x : index === 1 ? Math.max(corner.x - 18, 0) : Math.min(corner.x + 18, width);
      context.fillStyle = this.colours.ink2;
      context.fillText(label, x, index === 0 ? corner.y - 6 : corner.y + 13);
      context.fillStyle = operationColor(this.operations[operation] ?? "", operation);
      context.beginPath();
      context.arc(corner.x, corner.y, 3, 0, 2 * Math.PI);
      context.fill();
    });
    context.fillStyle = this.colours.best;
    context.globalAlpha = 0.5;
    for (const draw of this.draws) {
      const at = inTriangle([draw[top[0]] ?? 0, draw[top[1]] ?? 0, draw[top[2]] ?? 0], corners);
      context.beginPath();
      context.arc(at.x, at.y, 2, 0, 2 * Math.PI);
      context.fill();
    }
    context.globalAlpha = 1;
    const places = frames.map((frame) => {
      const weight = (operation: number) => frame.values[this.edge * count + operation] ?? 0;
      return inTriangle([weight(top[0]), weight(top[1]), weight(top[2])], corners);
    });
    const every = Math.max(1, Math.ceil(places.length / MOST_POINTS));
    const used = places.filter((_, index) => index % every === 0 || index === places.length - 1);
    context.strokeStyle = this.colours.accent;
    context.lineWidth = 1.4;
    for (let index = 1; index < used.length; index++) {
      const [a, b] = [used[index - 1], used[index]];
      if (!a || !b) continue;
      context.globalAlpha = 0.15 + (0.7 * index) / used.length;
      context.beginPath();
      context.moveTo(a.x, a.y);
      context.lineTo(b.x, b.y);
      context.stroke();
    }
    context.globalAlpha = 1;
    const now = places.at(-1);
    if (now) {
      context.beginPath();
      context.arc(now.x, now.y, 4, 0, 2 * Math.PI);
      context.fillStyle = this.colours.accent;
      context.fill();
      context.strokeStyle = this.colours.panel;
      context.lineWidth = 1.5;
      context.stroke();
    }
    return false;
  }
}
