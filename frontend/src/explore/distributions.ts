/**
 * Distributions over the triangle of three weights: densities (with respect to the first two weights) and draws.
 *
 * Gumbel-Softmax: Maddison, Mnih, Teh 2017, "The Concrete Distribution", section 3; Jang, Gu, Poole 2017. Logit-normal: Atchison, Shen 1980.
 */

export type Weights = readonly [number, number, number];
export type Family = "gumbel" | "dirichlet" | "logit-normal";

export interface Law {
  family: Family;
  /** s of Gumbel-Softmax, α of Dirichlet (before the temperature), μ of the logit-normal. */
  centre: Weights;
  /** Standard deviations of the logit-normal's three normal variables. */
  spread: Weights;
  temperature: number;
}

const HALF_LOG_TAU = 0.5 * Math.log(2 * Math.PI);
const LANCZOS = [676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905, -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7];

/** log Γ(x) for x > 0 (Lanczos, g = 7; absolute error below 1e-12 in the range of the sliders). */
export function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const z = x - 1;
  const sum = LANCZOS.reduce((total, factor, index) => total + factor / (z + index + 1), 0.9999999999998099);
  const t = z + 7.5;
  return HALF_LOG_TAU + (z + 0.5) * Math.log(t) - t + Math.log(sum);
}

const logSumExp = (values: readonly number[]): number => {
  const most = Math.max(...values);
  return most + Math.log(values.reduce((sum, value) => sum + Math.exp(value - most), 0));
};

/** (K−1)! λ^(K−1) Π s g^(−λ−1) (Σ s g^(−λ))^(−K), K = 3. */
export function gumbelSoftmaxLogDensity(g: Weights, s: Weights, temperature: number): number {
  const logs = g.map(Math.log);
  const terms = s.map((value, index) => Math.log(value) - temperature * (logs[index] ?? 0));
  const product = s.reduce((sum, value, index) => sum + Math.log(value) - (temperature + 1) * (logs[index] ?? 0), 0);
  return Math.log(2) + 2 * Math.log(temperature) + product - 3 * logSumExp(terms);
}

export function dirichletLogDensity(g: Weights, alpha: Weights): number {
  const total = alpha[0] + alpha[1] + alpha[2];
  return alpha.reduce((sum, value, index) => sum - logGamma(value) + (value - 1) * Math.log(g[index] ?? 0), logGamma(total));
}

/**
 * softmax of three independent normal variables over the temperature. Only differences of logits count: with y = (log g₁/g₃, log g₂/g₃), y
 * is normal in the plane, and the density in g is that of y over g₁ g₂ g₃.
 */
export function logitNormalLogDensity(g: Weights, mu: Weights, sigma: Weights, temperature: number): number {
  const y = [Math.log(g[0] / g[2]) - (mu[0] - mu[2]) / temperature, Math.log(g[1] / g[2]) - (mu[1] - mu[2]) / temperature] as const;
  const [v1, v2, v3] = sigma.map((value) => (value / temperature) ** 2) as [number, number, number];
  const [a, b, d] = [v1 + v3, v3, v2 + v3];
  const determinant = a * d - b * b;
  const square = (d * y[0] ** 2 - 2 * b * y[0] * y[1] + a * y[1] ** 2) / determinant;
  return -2 * HALF_LOG_TAU - 0.5 * Math.log(determinant) - 0.5 * square - Math.log(g[0] * g[1] * g[2]);
}

/** α of a Dirichlet with this centre: temperature × s, so that a low temperature goes to the corners as with the others. */
export const concentration = ({ centre, temperature }: Law): Weights => [centre[0] * temperature, centre[1] * temperature, centre[2] * temperature];

export function logDensity(law: Law, g: Weights): number {
  switch (law.family) {
    case "gumbel":
      return gumbelSoftmaxLogDensity(g, law.centre, law.temperature);
    case "dirichlet":
      return dirichletLogDensity(g, concentration(law));
    case "logit-normal":
      return logitNormalLogDensity(g, law.centre, law.spread, law.temperature);
  }
}

/** Inner points of a barycentric grid with `parts` parts a side; each stands for the area 1/parts². */
export function gridPoints(parts: number): Weights[] {
  const points: Weights[] = [];
  for (let i = 1; i < parts; i++) for (let j = 1; i + j < parts; j++) points.push([i / parts, j / parts, (parts - i - j) / parts]);
  return points;
}

// ---- draws

/** Numbers in (0, 1) that are the same every time (mulberry32): moving a slider then moves the same draws. */
export function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
}

const normal = (next: () => number): number => Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());

/** log of a draw of Gamma(shape, 1) (Marsaglia, Tsang 2000); the logarithm, because draws of small shapes fall below the smallest number. */
function logGammaDraw(shape: number, next: () => number): number {
  if (shape < 1) return logGammaDraw(shape + 1, next) + Math.log(next()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(next);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(next()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v);
  }
}

function softmax(logits: readonly number[]): Weights {
  const norm = logSumExp(logits);
  return [Math.exp((logits[0] ?? 0) - norm), Math.exp((logits[1] ?? 0) - norm), Math.exp((logits[2] ?? 0) - norm)];
}

export function draw(law: Law, next: () => number): Weights {
  switch (law.family) {
    case "gumbel":
      return softmax(law.centre.map((s) => (Math.log(s) - Math.log(-Math.log(next()))) / law.temperature));
    case "dirichlet":
      return softmax(concentration(law).map((alpha) => logGammaDraw(alpha, next)));
    case "logit-normal":
      return softmax(law.centre.map((mu, index) => (mu + (law.spread[index] ?? 0) * normal(next)) / law.temperature));
  }
}

export function draws(law: Law, count: number, seed = 1): Weights[] {
  const next = uniform(seed);
  return Array.from({ length: count }, () => draw(law, next));
}

export interface Summary {
  mean: Weights;
  /** How often each weight is the largest. */
  largest: Weights;
  meanLargest: number;
  /** Share of draws within 0.05 of a corner. */
  nearCorner: number;
  /** Mean entropy of a draw, as a share of the uniform weights'. */
  entropy: number;
}

export function summary(sample: readonly Weights[]): Summary {
  const mean: [number, number, number] = [0, 0, 0];
  const largest: [number, number, number] = [0, 0, 0];
  let [meanLargest, nearCorner, entropy] = [0, 0, 0];
  const share = 1 / Math.max(sample.length, 1);
  for (const g of sample) {
    const most = Math.max(...g);
    const place = g.indexOf(most) as 0 | 1 | 2;
    largest[place] += share;
    meanLargest += share * most;
    if (most > 0.95) nearCorner += share;
    for (const index of [0, 1, 2] as const) {
      mean[index] += share * g[index];
      if (g[index] > 0) entropy -= (share * g[index] * Math.log(g[index])) / Math.log(3);
    }
  }
  return { mean, largest, meanLargest, nearCorner, entropy };
}
