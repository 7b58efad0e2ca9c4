import type { Weights } from "./distributions";

/** "0.500, 0.300, 0.200" */
export const three = (weights: Weights, digits = 3): string => weights.map((value) => value.toFixed(digits)).join(", ");
