/** Where the strands of a super-network run: one cubic curve per (edge, operation), fanned out between two nodes. */
import type { Point } from "./stage";

export interface Strand {
  edge: number;
  operation: number;
  from: Point;
  c1: Point;
  c2: Point;
  to: Point;
  /** Points along the curve, for picking. */
  line: Float32Array;
}

const SAMPLES = 22;
/** Distance between neighbouring strands of a fan, as share of the picture's smaller side. */
const SPREAD = 0.0145;

export function makeStrands(
  edges: readonly (readonly [string, string])[],
  operations: number,
  places: ReadonlyMap<string, Point>,
  size: number,
): Strand[] {
  const strands: Strand[] = [];
  edges.forEach(([source, target], edge) => {
    const from = places.get(source);
    const to = places.get(target);
    if (!from || !to) return;
    const dx = to.x - from.x;
    const dy = to.y - from.y;
    const length = Math.hypot(dx, dy) || 1;
    const normal = { x: -dy / length, y: dx / length };
    for (let operation = 0; operation < operations; operation++) {
      const away = (operation - (operations - 1) / 2) * SPREAD * size;
      const c1 = { x: from.x + dx * 0.35 + normal.x * away, y: from.y + dy * 0.35 + normal.y * away };
      const c2 = { x: from.x + dx * 0.65 + normal.x * away, y: from.y + dy * 0.65 + normal.y * away };
      strands.push({ edge, operation, from, c1, c2, to, line: sample(from, c1, c2, to) });
    }
  });
  return strands;
}

export function bezier(from: Point, c1: Point, c2: Point, to: Point, t: number): Point {
  const u = 1 - t;
  const a = u * u * u;
  const b = 3 * u * u * t;
  const c = 3 * u * t * t;
  const d = t * t * t;
  return { x: a * from.x + b * c1.x + c * c2.x + d * to.x, y: a * from.y + b * c1.y + c * c2.y + d * to.y };
}

function sample(from: Point, c1: Point, c2: Point, to: Point): Float32Array {
  const line = new Float32Array((SAMPLES + 1) * 2);
  for (let index = 0; index <= SAMPLES; index++) {
    const point = bezier(from, c1, c2, to, index / SAMPLES);
    line[index * 2] = point.x;
    line[index * 2 + 1] = point.y;
  }
  return line;
}

/** Distance of a point from a polyline (x0, y0, x1, y1, ...). */
export function distanceTo(line: Float32Array, point: Point): number {
  let least = Infinity;
  for (let index = 0; index + 3 < line.length; index += 2) {
    const x = line[index] ?? 0;
    const y = line[index + 1] ?? 0;
    const dx = (line[index + 2] ?? 0) - x;
    const dy = (line[index + 3] ?? 0) - y;
    const square = dx * dx + dy * dy;
    const t = square === 0 ? 0 : Math.min(Math.max(((point.x - x) * dx + (point.y - y) * dy) / square, 0), 1);
    least = Math.min(least, Math.hypot(point.x - x - t * dx, point.y - y - t * dy));
  }
  return least;
}

/** The nearest strand that `visible` lets through, within `tolerance` of its drawn edge; undefined where there is none. */
export function pickStrand(
  strands: readonly Strand[],
  point: Point,
  tolerance: number,
  halfWidth: (strand: Strand) => number,
  visible: (strand: Strand) => boolean,
): Strand | undefined {
  let found: Strand | undefined;
  let least = tolerance;
  for (const strand of strands) {
    if (!visible(strand)) continue;
    const distance = Math.max(0, distanceTo(strand.line, point) - halfWidth(strand));
    if (distance < least) {
      least = distance;
      found = strand;
    }
  }
  return found;
}
