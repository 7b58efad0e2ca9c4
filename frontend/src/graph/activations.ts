/** The activation functions of neuron graphs, as curves for a node's face. */

type Curve = (x: number) => number;

const CURVES: Record<string, Curve> = {
  linear: (x) => x,
  step: (x) => (x > 0 ? 1 : 0),
  sin: (x) => Math.sin(Math.PI * x),
  gauss: (x) => Math.exp((-x * x) / 2),
  tanh: (x) => Math.tanh(x),
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  inverse: (x) => -x,
  abs: (x) => Math.abs(x),
  relu: (x) => Math.max(0, x),
  cos: (x) => Math.cos(Math.PI * x),
  square: (x) => x * x,
};

/** Where each is drawn: far enough to show its form. */
const REACH: Record<string, number> = { sin: 1, cos: 1, gauss: 3, sigmoid: 4, tanh: 3 };
const POINTS = 24;

/** The curve in the unit square, y downwards: x0, y0, x1, y1, ...; undefined for a function that is not known. */
export function activationCurve(name: string): number[] | undefined {
  const curve = CURVES[name];
  if (!curve) return undefined;
  const reach = REACH[name] ?? 1;
  const values = Array.from({ length: POINTS + 1 }, (_, index) => curve(-reach + (2 * reach * index) / POINTS));
  const low = Math.min(...values);
  const high = Math.max(...values);
  return values.flatMap((value, index) => [index / POINTS, 1 - (value - low) / (high - low || 1)]);
}
