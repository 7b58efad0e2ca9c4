/**
 * The two-layer model f(x) = softmax(w2ᵀ (γ0 Conv(x, w) + γ1 Pool(x))) on pictures of 8 x 8 points, with fixed weights.
 *
 * Bakhteev, lecture slides 2019: the edge between input and first layer mixes two operations with the structure weights γ. For every γ in
 * [0, 1]² the result is a function from pictures into distributions over the classes, that is, a model.
 */

export const SIDE = 8;
const AREA = SIDE * SIDE;

/** Row-major intensities, 0 to 1. */
export type Picture = readonly number[];

const picture = (...rows: string[]): Picture => rows.flatMap((row) => Array.from(row, (sign) => Number(sign) / 9));

export const INPUTS: readonly { name: string; picture: Picture }[] = [
  { name: "0", picture: picture("00377300", "03944930", "07700770", "08500580", "08500580", "07700770", "03944930", "00377300") },
  { name: "1", picture: picture("00006900", "00059900", "00597900", "00303900", "00003900", "00003900", "00003900", "00003900") },
  { name: "4", picture: picture("00007600", "00059000", "00290000", "00920380", "07900960", "09999980", "00003900", "00004800") },
  { name: "7", picture: picture("07999970", "03333970", "00000930", "00006700", "00009300", "00057000", "00093000", "00390000") },
];

/** Answers to upright strokes: positive on a stroke one point wide, negative beside it. */
export const KERNEL = [-1, 2, -1, -1, 2, -1, -1, 2, -1].map((value) => value / 3);

const inside = (row: number, column: number) => row >= 0 && row < SIDE && column >= 0 && column < SIDE;

/** For every point `of` its 3 x 3 surroundings; what lies outside the picture is null. */
function local(x: Picture, of: (around: readonly (number | null)[]) => number): Picture {
  return Array.from({ length: AREA }, (_, index) => {
    const [row, column] = [Math.floor(index / SIDE), index % SIDE];
    return of([-1, 0, 1].flatMap((down) => [-1, 0, 1].map((right) => (inside(row + down, column + right) ? (x[(row + down) * SIDE + column + right] ?? 0) : null))));
  });
}

/** Cross-correlation with a 3 x 3 kernel, zeros outside: 8 x 8 again. */
export const convolution = (x: Picture, kernel: readonly number[] = KERNEL): Picture =>
  local(x, (around) => around.reduce((sum: number, value, place) => sum + (value ?? 0) * (kernel[place] ?? 0), 0));

/** Largest value of each 3 x 3 surroundings, stride 1: 8 x 8 again. */
export const pooling = (x: Picture): Picture => local(x, (around) => Math.max(...around.filter((value) => value !== null)));

export const mixture = (conv: Picture, pool: Picture, gamma: readonly [number, number]): Picture => conv.map((value, place) => gamma[0] * value + gamma[1] * (pool[place] ?? 0));

/** Difference of logits between the right class and the mean of all, at γ = (1/2, 1/2), on average over the four pictures. */
const MARGIN = 3;

/** w2, (classes, 64): what both operations answer to each of the four pictures, without what is common to all. */
export const CLASSIFIER: readonly (readonly number[])[] = (() => {
  const answers = INPUTS.map((item) => mixture(convolution(item.picture), pooling(item.picture), [0.5, 0.5]));
  const common = Array.from({ length: AREA }, (_, place) => answers.reduce((sum, answer) => sum + (answer[place] ?? 0), 0) / answers.length);
  const own = answers.map((answer) => answer.map((value, place) => value - (common[place] ?? 0)));
  const margin = own.reduce((sum, values) => sum + values.reduce((part, value) => part + value * value, 0), 0) / own.length;
  return own.map((values) => values.map((value) => (MARGIN * value) / margin));
})();

export function probabilities(hidden: Picture): number[] {
  const logits = CLASSIFIER.map((weights) => weights.reduce((sum, weight, place) => sum + weight * (hidden[place] ?? 0), 0));
  const most = Math.max(...logits);
  const parts = logits.map((logit) => Math.exp(logit - most));
  const sum = parts.reduce((total, part) => total + part, 0);
  return parts.map((part) => part / sum);
}

/** Probabilities of the classes at one γ. */
export const model = (x: Picture, gamma: readonly [number, number]): number[] => probabilities(mixture(convolution(x), pooling(x), gamma));

/** Least, largest and where: a picture in words. */
export function wordsOf(values: Picture): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const place = values.indexOf(most);
  return `from ${least.toFixed(2)} to ${most.toFixed(2)}, largest in row ${Math.floor(place / SIDE) + 1}, column ${(place % SIDE) + 1}`;
}
