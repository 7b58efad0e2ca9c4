/** What a controller believes: every choice a cell, its probability the cell's intensity, the latest sample outlined. */
import { Tween } from "../graph/tween";
import { DecisionStage, type Box, type Cell } from "./decisionStage";

export class PolicyHeat extends DecisionStage {
  private readonly shown = new Tween();
  private target: ArrayLike<number> = [];
  private sampled: readonly (number | null)[] = [];

  setPolicy(probabilities: ArrayLike<number>, sampled: readonly (number | null)[]): void {
    if (this.target !== probabilities) {
      this.target = probabilities;
      this.shown.aim(probabilities, performance.now(), this.still);
    }
    this.sampled = sampled;
    this.invalidate();
  }

  protected override shows(decision: number): boolean {
    for (let place = this.offsets[decision] ?? 0; place < (this.offsets[decision + 1] ?? 0); place++) if ((this.target[place] ?? 0) > 0) return true;
    return false;
  }

  protected override paint(context: CanvasRenderingContext2D, now: number): boolean {
    const moving = this.shown.advance(now);
    super.paint(context, now);
    return moving;
  }

  protected override paintCell(context: CanvasRenderingContext2D, cell: Cell, box: Box, hue: string): void {
    const probability = this.shown.values[(this.offsets[cell.decision] ?? 0) + cell.choice] ?? 0;
    const radius = Math.min(3, box.width / 4, box.height / 4);
    context.beginPath();
    context.roundRect(box.x, box.y, box.width, box.height, radius);
    context.fillStyle = this.colours.line2;
    context.globalAlpha = 0.8;
    context.fill();
    context.fillStyle = hue;
    // The eye reads small shares better where they are a little raised.
    context.globalAlpha = Math.min(Math.max(probability, 0), 1) ** 0.75;
    context.fill();
    context.globalAlpha = 1;
    // The figure itself, where there is room: a row of equal colours then says that it is undecided, and does not look broken.
    if (box.width >= 30 && box.height >= 13 && this.shows(cell.decision)) {
      context.font = `10.5px ${this.colours.font}`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.lineWidth = 2.5;
      context.lineJoin = "round";
      context.strokeStyle = this.colours.panel;
      context.fillStyle = this.colours.ink;
      const text = probability.toFixed(2);
      context.globalAlpha = 0.75;
      context.strokeText(text, box.x + box.width / 2, box.y + box.height / 2);
      context.globalAlpha = 1;
      context.fillText(text, box.x + box.width / 2, box.y + box.height / 2);
    }
    if (this.sampled[cell.decision] === cell.choice) this.outline(context, box, this.colours.ink, box.width > 10 && box.height > 10 ? 1.8 : 1.2);
    if (this.isHovered(cell)) this.outline(context, box, this.colours.accent, 2);
  }
}
