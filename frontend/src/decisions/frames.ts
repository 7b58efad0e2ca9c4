/** Frames of decisions with their arrays as numbers: the vectors of all decisions, one behind the other. */
import { decodeFloats } from "../stream/floats";
import { once, type FrameOf } from "../stream/pictures";

export type Policy = Omit<FrameOf<"policy">, "probabilities"> & { probabilities: Float32Array };
export type Marginals = Omit<FrameOf<"marginals">, "counts" | "means"> & { counts: Float32Array; means: Float32Array };

export type Plane = Omit<FrameOf<"plane">, "counts" | "means" | "deviations"> & { counts: Float32Array; means: Float32Array; deviations: Float32Array | null };

export const policyOf = once((frame: FrameOf<"policy">): Policy => ({ ...frame, probabilities: decodeFloats(frame.probabilities) }));

/** The mean of a choice that was never scored is no number: 0 is a score. */
export const marginalsOf = once((frame: FrameOf<"marginals">): Marginals => {
  const counts = decodeFloats(frame.counts);
  const unscored = new Set(frame.unscored ?? []);
  const means = decodeFloats(frame.means).map((mean, place) => (counts[place] === 0 || unscored.has(place) ? NaN : mean));
  return { ...frame, counts, means };
});

export const planeOf = once((frame: FrameOf<"plane">): Plane => {
  const counts = decodeFloats(frame.counts);
  const unscored = new Set(frame.unscored ?? []);
  const scored = (values: Float32Array) => values.map((value, place) => (counts[place] === 0 || unscored.has(place) ? NaN : value));
  return { ...frame, counts, means: scored(decodeFloats(frame.means)), deviations: frame.deviations ? scored(decodeFloats(frame.deviations)) : null };
});
