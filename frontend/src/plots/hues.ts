/**
 * Colour, shape and dashes of the series of a chart: no two of one legend are drawn alike. The number of its colour (`hue`) is the series'
 * place, or that of its run where several are laid over each other; there the series of one run differ by `variant`. More series than
 * colours begin with the first colour again, as the next variant.
 */
import { themeColour } from "../app/theme";

export const VARIABLES = ["--accent", "--best", "--op-dil-conv-3x3", "--op-skip-connect", "--op-sep-conv-5x5", "--gold", "--path-first", "--ink3"] as const;

export const SHAPES = ["circle", "square", "triangle", "diamond", "cross"] as const;
export type Shape = (typeof SHAPES)[number];

/** What decides how a series is drawn. */
export interface Styled {
  hue: number;
  variant: number;
  look: "solid" | "dashed" | "points";
}

/** For a style prop. */
export const hueVariable = (hue: number): string => `var(${VARIABLES[hue % VARIABLES.length]})`;

/** For a canvas. */
export const hueColour = (hue: number): string => themeColour(VARIABLES[hue % VARIABLES.length] ?? "--accent") || "#4456e6";

/** Which of the looks of one colour: with more than there are the first come again. */
const variantOf = ({ hue, variant }: Styled): number => variant + Math.floor(hue / VARIABLES.length);

export const shapeOf = (series: Styled): Shape => SHAPES[((series.hue % VARIABLES.length) + variantOf(series)) % SHAPES.length] ?? "circle";

const SOLID: readonly (readonly number[])[] = [[], [12, 3], [12, 3, 2, 3], [12, 3, 2, 3, 2, 3]];
const DASHED: readonly (readonly number[])[] = [[5, 4], [2, 3], [8, 4, 2, 4], [2, 3, 2, 7]];

/** Dashes of a series' line, in pixels; [] = without. */
export function patternOf(series: Styled): readonly number[] {
  const patterns = series.look === "dashed" ? DASHED : SOLID;
  return patterns[variantOf(series) % patterns.length] ?? [];
}

/** How many series of one look can be told apart. */
export const MOST_STYLES = VARIABLES.length * SOLID.length;

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
