/** Colour and shape of the series of a chart, by number: what differs in colour differs in shape too. */
import { themeColour } from "../app/theme";

const VARIABLES = ["--accent", "--best", "--op-dil-conv-3x3", "--op-skip-connect", "--op-sep-conv-5x5", "--gold", "--path-first", "--ink3"] as const;

export const SHAPES = ["circle", "square", "triangle", "diamond", "cross"] as const;
export type Shape = (typeof SHAPES)[number];

/** For a style prop. */
export const hueVariable = (hue: number): string => `var(${VARIABLES[hue % VARIABLES.length]})`;

/** For a canvas. */
export const hueColour = (hue: number): string => themeColour(VARIABLES[hue % VARIABLES.length] ?? "--accent") || "#4456e6";

export const shapeOf = (hue: number): Shape => SHAPES[hue % SHAPES.length] ?? "circle";

/** The outline of a shape around the origin, half as wide as `radius` twice, as points; null for the circle. */
export function outlineOf(shape: Shape, radius: number): [number, number][] | null {
  const r = radius;
  switch (shape) {
    case "circle":
      return null;
    case "square":
      return [[-r * 0.88, -r * 0.88], [r * 0.88, -r * 0.88], [r * 0.88, r * 0.88], [-r * 0.88, r * 0.88]];
    case "triangle":
      return [[0, -r * 1.15], [r * 1.1, r * 0.85], [-r * 1.1, r * 0.85]];
    case "diamond":
      return [[0, -r * 1.25], [r * 1.25, 0], [0, r * 1.25], [-r * 1.25, 0]];
    case "cross": {
      const t = r * 0.38;
      return [[-t, -r], [t, -r], [t, -t], [r, -t], [r, t], [t, t], [t, r], [-t, r], [-t, t], [-r, t], [-r, -t], [-t, -t]];
    }
  }
}

/** A shape as the current path of a canvas. */
export function tracePath(context: CanvasRenderingContext2D, shape: Shape, x: number, y: number, radius: number): void {
  context.beginPath();
  const outline = outlineOf(shape, radius);
  if (!outline) {
    context.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  for (const [dx, dy] of outline) context.lineTo(x + dx, y + dy);
  context.closePath();
}
