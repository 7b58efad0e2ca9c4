/**
 * Kullback-Leibler divergence between two Gumbel-Softmax laws, by quadrature instead of draws.
 *
 * With E_l = exp(-G_l), independent exponential variables, a draw of GS(s, λ) has log γ_l = (log s_l - log E_l) / λ + const. In
 * log p(γ) - log p'(γ) the constant cancels, and with r = λ' / λ there remains
 *
 *   KL(GS(s, λ) || GS(s', λ')) = -(K-1) log r + Σ_l (r log s_l - log s'_l) + K (r-1) c - K ψ(K) + K E log Σ_l a_l E_l^r,   a_l = s'_l s_l^-r,
 *
 * where c is Euler's constant (E G) and ψ(K) = E log Σ_l E_l. Only the last expectation has no closed form. Frullani's integral gives it
 * as one of products of one-dimensional Laplace transforms φ(u) = E exp(-u E^r):
 *
 *   E log X = ∫ (exp(-e^w) - Π_l φ(a_l e^w)) dw.
 *
 * Both integrands are analytic in a strip around the real line and fall fast, where the trapezoidal rule converges exponentially: the
 * result is exact to about 1e-7 for K >= 2, smooth in s and free of sampling noise, so that a maximum read off a map of it is one of the function.
 *
 * The density: Maddison, Mnih, Teh 2017, "The Concrete Distribution".
 */

const EULER = 0.5772156649015329;

const OUTER = { low: -30, high: 24, step: 0.4 };
const INNER = { low: -28, high: 4, step: 0.25 };
const range = ({ low, high, step }: typeof OUTER): number[] => Array.from({ length: Math.round((high - low) / step) + 1 }, (_, index) => low + index * step);

const PLACES = range(OUTER);
const LEADING = PLACES.map((w) => Math.exp(-Math.exp(w)));
const LOGS_OF_E = range(INNER);
/** Density of log E times the step. */
const SHARES = LOGS_OF_E.map((y) => INNER.step * Math.exp(y - Math.exp(y)));

/** ψ(K) of a whole number: 1 + 1/2 + ... + 1/(K-1) - c. */
const digamma = (count: number): number => Array.from({ length: count - 1 }, (_, index) => 1 / (index + 1)).reduce((sum, part) => sum + part, -EULER);

/** E log Σ a_l E_l^r for one r; what belongs to one log a is kept, since a grid over s asks for the same few again and again. */
export class ExpectedLogSum {
  private readonly powers: number[];
  private readonly known = new Map<number, Float64Array>();

  /** `r` within (0, 2], as `concreteDivergence` says. */
  constructor(readonly r: number) {
    this.powers = LOGS_OF_E.map((y) => Math.exp(r * y));
  }

  /** φ(a e^w) at every place w. */
  private transform(logA: number): Float64Array {
    let values = this.known.get(logA);
    if (!values) {
      values = Float64Array.from(PLACES, (w) => {
        const u = Math.exp(w + logA);
        let sum = 0;
        for (let index = 0; index < this.powers.length; index++) sum += (SHARES[index] ?? 0) * Math.exp(-u * (this.powers[index] ?? 0));
        return sum;
      });
      this.known.set(logA, values);
    }
    return values;
  }

  of(logA: readonly number[]): number {
    const factors = logA.map((value) => this.transform(value));
    let sum = 0;
    for (let place = 0; place < PLACES.length; place++) {
      let product = 1;
      for (const factor of factors) product *= factor[place] ?? 0;
      sum += (LEADING[place] ?? 0) - product;
    }
    return OUTER.step * sum;
  }
}

/** `r` is the second temperature over the first: at most 2 here, where φ still falls within the range of the quadrature. */
export class ConcreteDivergence {
  private readonly expectation: ExpectedLogSum;

  constructor(temperature: number, private readonly other: readonly number[], otherTemperature: number) {
    const r = otherTemperature / temperature;
    if (!(r > 0 && r <= 2)) throw new RangeError(`a ratio of temperatures of ${r}: it must be above 0 and at most 2`);
    this.expectation = new ExpectedLogSum(r);
  }

  /** In nats, of GS(s, temperature) from GS(other, otherTemperature). The scales of s and of the other do not matter. */
  from(s: readonly number[]): number {
    const { r } = this.expectation;
    const count = s.length;
    const logA: number[] = [];
    let sum = -(count - 1) * Math.log(r) + count * ((r - 1) * EULER - digamma(count));
    s.forEach((value, index) => {
      const [own, their] = [Math.log(value), Math.log(this.other[index] ?? 0)];
      sum += r * own - their;
      logA.push(their - r * own);
    });
    return sum + count * this.expectation.of(logA);
  }
}
