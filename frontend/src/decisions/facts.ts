/** Decisions in words and figures: for hover cards, table twins and what a screen reader is told. */
import type { Marginals, Policy } from "./frames";
import type { DecisionInfo } from "../types/events.gen";
import { offsetsOf } from "./blocks";

export interface DecisionFacts {
  title: string;
  /** The most probable choice; null where the decision is inactive. */
  choice: string | null;
  probability: number;
  sampled: string | null;
  /** Entropy as share of the uniform policy's, 0..1. */
  entropy: number;
}

export function entropyShare(probabilities: ArrayLike<number>, first: number, last: number): number {
  if (last - first < 2) return 0;
  let entropy = 0;
  for (let place = first; place < last; place++) {
    const p = probabilities[place] ?? 0;
    if (p > 0) entropy -= p * Math.log(p);
  }
  return Math.min(entropy / Math.log(last - first), 1);
}

export function policyFacts(decisions: readonly DecisionInfo[], policy: Policy): DecisionFacts[] {
  const offsets = offsetsOf(decisions);
  return decisions.map((decision, index) => {
    const first = offsets[index] ?? 0;
    let best = 0;
    for (let choice = 1; choice < decision.choices.length; choice++) if ((policy.probabilities[first + choice] ?? 0) > (policy.probabilities[first + best] ?? 0)) best = choice;
    const probability = policy.probabilities[first + best] ?? 0;
    const sampled = policy.sampled[index];
    return {
      title: decision.title,
      choice: probability > 0 ? (decision.choices[best] ?? "") : null,
      probability,
      sampled: sampled == null ? null : (decision.choices[sampled] ?? ""),
      entropy: entropyShare(policy.probabilities, first, offsets[index + 1] ?? first),
    };
  });
}

/** "Number 1: 1 (0.93), ..." for the first few decisions. */
export function describePolicy(facts: readonly DecisionFacts[], most = 12): string {
  const some = facts.filter((item) => item.choice !== null).slice(0, most).map((item) => `${item.title} ${item.choice} ${item.probability.toFixed(2)}`);
  return some.join(", ") + (facts.length > most ? `, and ${facts.length - most} more` : "");
}

export interface MarginalFacts {
  title: string;
  tried: number;
  /** The most often tried and the best scored choice. */
  often: string;
  best: string;
  mean: number;
}

export function marginalFacts(decisions: readonly DecisionInfo[], { counts, means }: Pick<Marginals, "counts" | "means">): MarginalFacts[] {
  const offsets = offsetsOf(decisions);
  return decisions.map((decision, index) => {
    const first = offsets[index] ?? 0;
    let often = 0;
    let best = -1;
    let tried = 0;
    decision.choices.forEach((_, choice) => {
      const count = counts[first + choice] ?? 0;
      const mean = means[first + choice] ?? NaN;
      tried += count;
      if (count > (counts[first + often] ?? 0)) often = choice;
      if (count > 0 && !Number.isNaN(mean) && (best < 0 || mean > (means[first + best] ?? 0))) best = choice;
    });
    return { title: decision.title, tried, often: tried > 0 ? (decision.choices[often] ?? "") : "", best: best < 0 ? "" : (decision.choices[best] ?? ""), mean: best < 0 ? NaN : (means[first + best] ?? NaN) };
  });
}
