/** γ of one edge over time as stacked ribbons: an 8-simplex has no honest projection, a stack shows all of it. */
import type { Frame } from "../stream/store";
import { operationColor } from "./palette";
import { Stage } from "./stage";

export class Ribbon extends Stage {
  private frames: readonly Frame[] = [];
  private operations: readonly string[] = [];
  private edge = 0;
  private shown = Infinity;

  /** `shown`: what lies after this seq is pale. */
  setData(frames: readonly Frame[], operations: readonly string[], edge: number, shown: number): void {
    this.frames = frames;
    this.operations = operations;
    this.edge = edge;
    this.shown = shown;
    this.invalidate();
  }

  /** The frame under a horizontal place. */
  frameAt(x: number): Frame | undefined {
    const step = this.firstStep + (x / Math.max(this.width, 1)) * (this.lastStep - this.firstStep);
    return this.frames.findLast((frame) => frame.step <= step + 0.5) ?? this.frames[0];
  }

  private get firstStep(): number {
    return this.frames[0]?.step ?? 0;
  }
  private get lastStep(): number {
    return this.frames.at(-1)?.step ?? 0;
  }

  protected override paint(context: CanvasRenderingContext2D): boolean {
    const { frames, width, height } = this;
    const count = this.operations.length;
    if (frames.length === 0 || count === 0) return false;
    const every = Math.max(1, Math.floor(frames.length / (width * 1.5)));
    const used = frames.filter((_, index) => index % every === 0 || index === frames.length - 1);
    const span = Math.max(this.lastStep - this.firstStep, 1);
    const xOf = (frame: Frame) => (used.length === 1 ? width : ((frame.step - this.firstStep) / span) * width);
    const upper = new Float32Array(used.length);
    const lower = new Float32Array(used.length);
    for (let operation = 0; operation < count; operation++) {
      used.forEach((frame, index) => (lower[index] = (upper[index] ?? 0) + (frame.values[this.edge * count + operation] ?? 0)));
      context.beginPath();
      if (used.length === 1) context.rect(0, (upper[0] ?? 0) * height, width, ((lower[0] ?? 0) - (upper[0] ?? 0)) * height);
      else {
        used.forEach((frame, index) => context.lineTo(xOf(frame), (upper[index] ?? 0) * height));
        for (let index = used.length - 1; index >= 0; index--) {
          const frame = used[index];
          if (frame) context.lineTo(xOf(frame), (lower[index] ?? 0) * height);
        }
      }
      context.closePath();
      context.fillStyle = operationColor(this.operations[operation] ?? "", operation);
      context.globalAlpha = 0.88;
      context.fill();
      upper.set(lower);
    }
    context.globalAlpha = 1;
    if (this.shown !== Infinity) {
      const now = frames.findLast((frame) => frame.seq <= this.shown);
      const x = now ? xOf(now) : 0;
      context.globalAlpha = 0.72;
      context.fillStyle = this.colours.panel;
      context.fillRect(x, 0, width - x, height);
      context.globalAlpha = 1;
      context.fillStyle = this.colours.accent;
      context.fillRect(Math.max(x - 1, 0), 0, 1.5, height);
    }
    return false;
  }
}
