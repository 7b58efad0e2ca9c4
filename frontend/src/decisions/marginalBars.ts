/** What was tried per decision: a bar for how often each choice was taken, its colour for the mean score of those trials. */
import { scoreColour } from "../graph/scoreColour";
import { DecisionStage, type Box, type Cell } from "./decisionStage";

export class MarginalBars extends DecisionStage {
  private counts: ArrayLike<number> = [];
  private means: ArrayLike<number> = [];
  private span: [number, number] = [0, 1];

  setMarginals(counts: ArrayLike<number>, means: ArrayLike<number>): void {
    this.counts = counts;
    this.means = means;
    this.span = meanSpan(counts, means);
    this.invalidate();
  }

  protected override shows(decision: number): boolean {
    for (let place = this.offsets[decision] ?? 0; place < (this.offsets[decision + 1] ?? 0); place++) if ((this.counts[place] ?? 0) > 0) return true;
    return false;
  }

  protected override paintCell(context: CanvasRenderingContext2D, cell: Cell, box: Box): void {
    const first = this.offsets[cell.decision] ?? 0;
    const last = this.offsets[cell.decision + 1] ?? 0;
    let most = 1;
    for (let place = first; place < last; place++) most = Math.max(most, this.counts[place] ?? 0);
    const count = this.counts[first + cell.choice] ?? 0;
    context.fillStyle = this.colours.line2;
    context.globalAlpha = 0.7;
    context.fillRect(box.x, box.y, box.width, box.height);
    context.globalAlpha = 1;
    if (count > 0) {
      const height = Math.max(2, (box.height * count) / most);
      const mean = this.means[first + cell.choice] ?? NaN;
      // A choice that was tried and never scored has no colour.
      context.fillStyle = Number.isNaN(mean) ? this.colours.faint : scoreColour(mean, this.span);
      context.fillRect(box.x, box.y + box.height - height, box.width, height);
    }
    if (this.isHovered(cell)) this.outline(context, box, this.colours.accent, 2);
  }
}

/** Least and largest mean of choices that were scored. */
export function meanSpan(counts: ArrayLike<number>, means: ArrayLike<number>): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (let place = 0; place < means.length; place++) {
    const mean = means[place] ?? NaN;
    if ((counts[place] ?? 0) === 0 || Number.isNaN(mean)) continue;
    low = Math.min(low, mean);
    high = Math.max(high, mean);
  }
  return low <= high ? [low, high] : [0, 1];
}
