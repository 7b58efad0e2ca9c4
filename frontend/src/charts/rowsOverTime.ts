/** Rows over time as a heat map: the surer (or the more used), the stronger. */
import { cut } from "../decisions/decisionStage";
import { Stage, type Point } from "../graph/stage";
import type { Column, RowsOverTime } from "./certainty";

const INSET = { left: 108, right: 14, top: 10, bottom: 24 };
const GROUP_GAP = 15;

export class RowsPicture extends Stage {
  private data: RowsOverTime | null = null;
  private shown = Infinity;

  setData(data: RowsOverTime, shown: number): void {
    this.data = data;
    this.shown = shown;
    this.invalidate();
  }

  /** Row and moment under a point. */
  pick(point: Point): { row: number; column: Column } | null {
    if (!this.data || point.x < INSET.left) return null;
    const index = Math.floor(((point.x - INSET.left) / this.wide) * this.data.columns.length);
    const column = this.data.columns[index];
    const row = this.data.rows.findIndex((_, place) => point.y >= this.topOf(place) && point.y < this.topOf(place) + this.rowHeight);
    return column && row >= 0 ? { row, column } : null;
  }

  private get wide(): number {
    return Math.max(this.width - INSET.left - INSET.right, 10);
  }
  private get groups(): number {
    return this.data?.rows.filter((row) => row.group !== "").length ?? 0;
  }
  private get rowHeight(): number {
    const free = this.height - INSET.top - INSET.bottom - this.groups * GROUP_GAP;
    return Math.min(free / Math.max(this.data?.rows.length ?? 1, 1), 26);
  }
  private topOf(row: number): number {
    let gaps = 0;
    for (let place = 0; place <= row; place++) if (this.data?.rows[place]?.group) gaps++;
    return INSET.top + gaps * GROUP_GAP + row * this.rowHeight;
  }

  protected override paint(context: CanvasRenderingContext2D): boolean {
    const { data, colours } = this;
    if (!data || data.columns.length === 0) return false;
    const tall = this.rowHeight;
    const each = this.wide / data.columns.length;
    context.font = `11px ${colours.font}`;
    context.textBaseline = "middle";
    data.rows.forEach((row, place) => {
      const y = this.topOf(place);
      if (row.group) {
        context.textAlign = "left";
        context.fillStyle = colours.ink2;
        context.fillText(cut(context, row.group, this.width - 24), 14, y - GROUP_GAP / 2);
      }
      if (tall >= 10 || (tall >= 3 && place % Math.ceil(12 / tall) === 0)) {
        context.textAlign = "right";
        context.fillStyle = colours.ink3;
        context.fillText(cut(context, row.label, INSET.left - 20), INSET.left - 8, y + tall / 2);
      }
      context.fillStyle = colours.line2;
      context.globalAlpha = 0.6;
      context.fillRect(INSET.left, y, this.wide, Math.max(tall - 1, 1));
      context.fillStyle = colours.accent;
      data.columns.forEach((column, index) => {
        const value = column.values[place] ?? 0;
        if (value < 0.01) return;
        const left = Math.round(INSET.left + index * each);
        context.globalAlpha = Math.min(value, 1);
        context.fillRect(left, y, Math.max(Math.round(INSET.left + (index + 1) * each) - left, 1), Math.max(tall - 1, 1));
      });
      context.globalAlpha = 1;
    });
    this.paintTime(context, data, each);
    return false;
  }

  private paintTime(context: CanvasRenderingContext2D, data: RowsOverTime, each: number): void {
    const { colours } = this;
    const now = data.columns.findLastIndex((column) => column.seq <= this.shown);
    if (this.shown !== Infinity && now >= 0) {
      const x = INSET.left + (now + 1) * each;
      context.strokeStyle = colours.accent;
      context.lineWidth = 1.5;
      context.beginPath();
      context.moveTo(x, 4);
      context.lineTo(x, this.height - INSET.bottom + 4);
      context.stroke();
    }
    context.fillStyle = colours.ink3;
    context.textBaseline = "alphabetic";
    context.textAlign = "left";
    context.fillText(`step ${data.columns[0]?.step ?? 0}`, INSET.left, this.height - 8);
    context.textAlign = "right";
    context.fillText(`step ${data.columns.at(-1)?.step ?? 0}`, this.width - INSET.right, this.height - 8);
  }
}
