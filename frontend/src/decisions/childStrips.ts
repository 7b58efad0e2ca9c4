/** A child under its parent, decision by decision: grey = copied, coloured = drawn anew, opacity = how probable the policy thought it. */
import { shortName } from "../graph/palette";
import { Stage, type Point } from "../graph/stage";
import type { Policy } from "./frames";
import type { DecisionInfo } from "../types/events.gen";
import { offsetsOf } from "./blocks";

const INSET = { left: 64, right: 16, top: 6, gap: 3 };

export class ChildStrips extends Stage {
  private decisions: readonly DecisionInfo[] = [];
  private offsets: number[] = [0];
  private policy: Policy | null = null;

  setChild(decisions: readonly DecisionInfo[], policy: Policy): void {
    if (this.decisions !== decisions) {
      this.decisions = decisions;
      this.offsets = offsetsOf(decisions);
    }
    this.policy = policy;
    this.invalidate();
  }

  /** The decision under a point. */
  pick(point: Point): number | null {
    const place = Math.floor((point.x - INSET.left) / this.cellWidth);
    return place >= 0 && place < this.decisions.length ? place : null;
  }

  private get cellWidth(): number {
    return (this.width - INSET.left - INSET.right) / Math.max(this.decisions.length, 1);
  }

  protected override paint(context: CanvasRenderingContext2D): boolean {
    const { policy, colours } = this;
    if (!policy) return false;
    const rowHeight = (this.height - 2 * INSET.top - INSET.gap) / 2;
    const anew = new Set(policy.resampled);
    context.font = `11px ${colours.font}`;
    context.textBaseline = "middle";
    const rows = [
      { name: "parent", choices: policy.parent, y: INSET.top },
      { name: "child", choices: policy.sampled, y: INSET.top + rowHeight + INSET.gap },
    ];
    for (const { name, choices, y } of rows) {
      context.fillStyle = colours.ink2;
      context.textAlign = "right";
      context.fillText(name, INSET.left - 10, y + rowHeight / 2);
      context.textAlign = "center";
      choices.forEach((choice, place) => {
        const x = INSET.left + place * this.cellWidth;
        const width = Math.max(this.cellWidth - (this.cellWidth > 5 ? 1 : 0), 1);
        const fresh = name === "child" && anew.has(place);
        context.fillStyle = fresh ? colours.accent : colours.faint;
        context.globalAlpha = choice === null ? 0.08 : fresh ? 0.15 + 0.85 * this.probability(place, choice) : 0.32;
        context.fillRect(x, y, width, rowHeight);
        context.globalAlpha = 1;
        if (fresh && choice !== policy.parent[place]) {
          context.strokeStyle = colours.ink;
          context.lineWidth = 1.5;
          context.strokeRect(x + 0.75, y + 0.75, Math.max(width - 1.5, 1), rowHeight - 1.5);
        }
        const label = choice === null ? "" : shortName(this.decisions[place]?.choices[choice] ?? "");
        if (label && context.measureText(label).width < width - 2) {
          context.fillStyle = colours.ink;
          context.fillText(label, x + width / 2, y + rowHeight / 2);
        }
      });
    }
    return false;
  }

  private probability(place: number, choice: number): number {
    return this.policy?.probabilities[(this.offsets[place] ?? 0) + choice] ?? 0;
  }
}
