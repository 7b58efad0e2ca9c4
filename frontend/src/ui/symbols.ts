/**
 * Symbols as the sources write them (Bakhteev, lecture slides 2019 and PhD thesis 2020; Gridasov 2019), for names that code spells out.
 * A raised index follows "^", a lowered one "_": λ^Q_prior; `Marked` sets them so where there is room for it.
 */
export const SYMBOLS: Readonly<Record<string, string>> = {
  lambda_likelihood_q: "λ^Q_likelihood",
  lambda_prior_q: "λ^Q_prior",
  lambda_prior_l: "λ^L_prior",
  lambda_prior_q_end: "λ^Q_prior at the end",
  lambda_prior_l_end: "λ^L_prior at the end",
  lambda_struct: "λ^Q_struct",
  lambda_temp: "λ_temp",
  theta_temp: "θ_temp",
  lambda_schedule: "λ schedule",
  xi: "ξ",
  structure_max: "largest γ",
  kl_weights: "KL(q(w) ‖ p(w|Γ))",
  kl_structure: "KL(q(Γ) ‖ p(Γ))",
  kl_codes: "KL(q(z|x) ‖ N(0, 1))",
  val_kl_codes: "validation KL(q(z|x) ‖ N(0, 1))",
  kl_gamma: "KL(q(γ) ‖ N(0, A))",
};

/** Letters that a part of a name spells out. */
const LETTERS: Readonly<Record<string, string>> = {
  alpha: "α", beta: "β", gamma: "γ", epsilon: "ε", lambda: "λ", mu: "μ", xi: "ξ", rho: "ρ", sigma: "σ", tau: "τ", theta: "θ", omega: "ω",
};

const LOWERED = "₀₁₂₃₄₅₆₇₈₉";
const lowered = (number: string): string => number.replace(/\d/g, (digit) => LOWERED[Number(digit)] ?? digit);

/** The symbol that a name stands for; undefined where it stands for none. */
export function symbolOf(name: string): string | undefined {
  const struct = /^kl_struct_(\d+)$/.exec(name);
  return struct ? `KL(p(Γ) ‖ p′${lowered(struct[1] ?? "")})` : SYMBOLS[name];
}

/** One part of a name, as a letter where it spells one out. */
export const letterOf = (word: string): string | undefined => LETTERS[word];

/** A text in pieces: plain, raised, lowered. */
export function piecesOf(text: string): { text: string; place: "line" | "up" | "down" }[] {
  const pieces: { text: string; place: "line" | "up" | "down" }[] = [];
  let last = 0;
  // Only a Greek letter, or p′, carries indices so written.
  for (const found of text.matchAll(/(?<=[\u0370-\u03ff′])((?:\^([A-Z]))?(?:_([a-z]+))?)/g)) {
    if (!found[0]) continue;
    pieces.push({ text: text.slice(last, found.index), place: "line" });
    if (found[2]) pieces.push({ text: found[2], place: "up" });
    if (found[3]) pieces.push({ text: found[3], place: "down" });
    last = found.index + found[0].length;
  }
  pieces.push({ text: text.slice(last), place: "line" });
  return pieces.filter((piece) => piece.text !== "");
}
