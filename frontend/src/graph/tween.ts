/** Numbers on their way from what was shown to what is known now. Reduced motion jumps. */

export const TWEEN_MS = 280;

/** Fast at first, slow at the end. */
export const ease = (t: number): number => 1 - (1 - t) ** 3;

export function reducedMotion(): boolean {
  return window.matchMedia("(prefers-reduced-motion: reduce)").matches;
}

export class Tween {
  private from = new Float32Array(0);
  private to = new Float32Array(0);
  private start = -Infinity;
  /** What is shown now. */
  values = new Float32Array(0);

  constructor(private readonly duration: number = TWEEN_MS) {}

  /** Go to `target` from what is shown. An array of another length, or `jump`, is shown at once. */
  aim(target: ArrayLike<number>, now: number, jump = false): void {
    const to = Float32Array.from(target);
    if (jump || to.length !== this.values.length) {
      this.values = to.slice();
      this.start = -Infinity;
    } else {
      this.from = this.values.slice();
      this.start = now;
    }
    this.to = to;
  }

  /** Move to `now`. Returns whether there is still way to go. */
  advance(now: number): boolean {
    if (this.start === -Infinity) return false;
    const t = Math.min(Math.max((now - this.start) / this.duration, 0), 1);
    const share = ease(t);
    for (let index = 0; index < this.to.length; index++) {
      const from = this.from[index] ?? 0;
      this.values[index] = from + ((this.to[index] ?? 0) - from) * share;
    }
    if (t >= 1) this.start = -Infinity;
    return t < 1;
  }
}
