/** Frames of decisions with their arrays as numbers: the vectors of all decisions, one behind the other. */
import { decodeFloats } from "../stream/floats";
import { once, type FrameOf } from "../stream/pictures";

export type Policy = Omit<FrameOf<"policy">, "probabilities"> & { probabilities: Float32Array };
export type Marginals = Omit<FrameOf<"marginals">, "counts" | "means"> & { counts: Float32Array; means: Float32Array };

export const policyOf = once((frame: FrameOf<"policy">): Policy => ({ ...frame, probabilities: decodeFloats(frame.probabilities) }));
export const marginalsOf = once((frame: FrameOf<"marginals">): Marginals => ({ ...frame, counts: decodeFloats(frame.counts), means: decodeFloats(frame.means) }));
