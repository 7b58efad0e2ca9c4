/** The time line: how much happened when, new bests, phases, what is shown, and how much is probably still to come. */
import { Stage, roundBox } from "../graph/stage";
import type { RunStore } from "../stream/store";

const RAIL = { height: 5, bottom: 12 };
const INSET = 9;
const BIN = 4;
const MOST_REMAINING = 4;

export class TimelinePicture extends Stage {
  private store: RunStore | null = null;
  /** Seconds that the whole width stands for; glides, because estimates jump. */
  private total = 0;

  setStore(store: RunStore): void {
    this.store = store;
    this.invalidate();
  }

  /** Active seconds under a horizontal place. */
  secondsAt(x: number): number {
    return ((x - INSET) / Math.max(this.width - 2 * INSET, 1)) * this.total;
  }

  private xOf(seconds: number): number {
    return INSET + (this.total > 0 ? Math.min(seconds / this.total, 1) : 1) * (this.width - 2 * INSET);
  }

  protected override paint(context: CanvasRenderingContext2D): boolean {
    const { store, colours, width, height } = this;
    if (!store) return false;
    const { timeline } = store;
    const running = store.run?.state === "running" ? (store.run.progress.eta_seconds ?? 0) : 0;
    const target = timeline.length + Math.min(running, timeline.length * MOST_REMAINING);
    const jump = this.still || this.total === 0 || Math.abs(target - this.total) < 0.05;
    this.total = Math.max(jump ? target : this.total + (target - this.total) * 0.12, timeline.length, 1e-3);
    const shown = store.cursor === null ? timeline.length : timeline.timeOf(store.cursor);
    const rail = height - RAIL.bottom;

    const bins = new Uint32Array(Math.max(1, Math.ceil((width - 2 * INSET) / BIN)));
    for (const at of timeline.at) {
      const bin = Math.min(bins.length - 1, Math.floor((this.xOf(at) - INSET) / BIN));
      bins[bin] = (bins[bin] ?? 0) + 1;
    }
    const most = Math.max(...bins, 1);
    const room = rail - 20;
    bins.forEach((count, bin) => {
      if (count === 0) return;
      const x = INSET + bin * BIN;
      const tall = 2 + (room - 2) * Math.sqrt(count / most);
      context.globalAlpha = x > this.xOf(shown) ? 0.25 : 0.55;
      context.fillStyle = colours.faint;
      context.fillRect(x, rail - 5 - tall, BIN - 1.5, tall);
    });
    context.globalAlpha = 1;
    for (const phase of store.phases) {
      const x = this.xOf(timeline.timeOf(phase.seq));
      context.fillStyle = colours.ink3;
      context.fillRect(x - 0.5, 12, 1, rail - 14);
    }
    for (const { seq, data } of store.growth) {
      const x = this.xOf(timeline.timeOf(seq));
      // Accepted changes stand out as diamonds; a rejected one is a thin stroke.
      context.fillStyle = data.accepted ? colours.good : colours.faint;
      if (!data.accepted) {
        context.fillRect(x - 0.5, 3, 1, 7);
        continue;
      }
      context.beginPath();
      context.moveTo(x, 2);
      context.lineTo(x + 4, 6.5);
      context.lineTo(x, 11);
      context.lineTo(x - 4, 6.5);
      context.closePath();
      context.fill();
    }
    context.fillStyle = colours.best;
    for (const seq of store.marks) {
      const x = this.xOf(timeline.timeOf(seq));
      context.beginPath();
      context.moveTo(x, 3);
      context.lineTo(x + 4, 10);
      context.lineTo(x - 4, 10);
      context.closePath();
      context.fill();
    }
    const bar = (from: number, to: number, colour: string) => {
      context.fillStyle = colour;
      roundBox(context, from, rail - RAIL.height / 2, Math.max(to - from, RAIL.height), RAIL.height, RAIL.height / 2);
      context.fill();
    };
    bar(INSET, width - INSET, colours.line);
    context.globalAlpha = 0.4;
    bar(INSET, this.xOf(timeline.length), colours.accent);
    context.globalAlpha = 1;
    bar(INSET, this.xOf(shown), colours.accent);
    context.beginPath();
    context.arc(this.xOf(shown), rail, 7.5, 0, 2 * Math.PI);
    // Hollow while its moment is still loaded.
    context.fillStyle = store.seeking ? colours.panel : colours.accent;
    context.fill();
    context.lineWidth = 2.5;
    context.strokeStyle = store.seeking ? colours.accent : colours.panel;
    context.stroke();
    return Math.abs(target - this.total) >= 0.05 && !this.still;
  }
}
