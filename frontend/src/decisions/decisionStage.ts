/** Blocks of decisions on a canvas: labels, cells, picking. What a cell shows is the subclass's. */
import { themeColour } from "../app/theme";
import { shortName } from "../graph/palette";
import { Stage, roundBox, type Point } from "../graph/stage";
import type { DecisionInfo } from "../types/events.gen";
import { blocksOf, isLone, offsetsOf, placeBlocks, type Block, type Placed } from "./blocks";

export interface Cell {
  decision: number;
  /** The choice; in a matrix the last one (the connection is there). */
  choice: number;
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const INSET = { x: 16, top: 12, bottom: 10 };

export abstract class DecisionStage extends Stage {
  protected decisions: readonly DecisionInfo[] = [];
  protected offsets: number[] = [0];
  private blocks: Block[] = [];
  private placed: Placed[] = [];
  /** Of each block, each choice's own colour; empty = the accent for all. */
  private hues: string[][] = [];
  private hovered: Cell | null = null;

  setDecisions(decisions: readonly DecisionInfo[]): void {
    if (this.decisions === decisions) return;
    this.decisions = decisions;
    this.offsets = offsetsOf(decisions);
    this.blocks = blocksOf(decisions);
    this.themeChanged();
    this.resized();
    this.invalidate();
  }

  hover(cell: Cell | null): void {
    if (cell?.decision === this.hovered?.decision && cell?.choice === this.hovered?.choice) return;
    this.hovered = cell;
    this.invalidate();
  }

  pick(point: Point): Cell | null {
    for (const item of this.placed) {
      const column = Math.floor((point.x - INSET.x - item.x - item.labels) / item.cellWidth);
      const row = Math.floor((point.y - INSET.top - item.y - item.head) / item.cellHeight);
      if (row < 0 || row >= item.block.rows.length || column < 0 || column >= item.block.columns.length) continue;
      const index = item.block.shape === "matrix" ? item.block.cells.findIndex((cell) => cell.row === row && cell.column === column) : row;
      const decision = item.block.decisions[index];
      if (decision === undefined) continue;
      return { decision, choice: item.block.shape === "matrix" ? (this.decisions[decision]?.choices.length ?? 1) - 1 : column };
    }
    return null;
  }

  /** What stands in one cell. `hue` is the choice's own colour. */
  protected abstract paintCell(context: CanvasRenderingContext2D, cell: Cell, box: Box, hue: string): void;

  /** Whether a decision has something to show; the labels of others are faint. */
  protected abstract shows(decision: number): boolean;

  protected override themeChanged(): void {
    this.hues = this.blocks.map((block) => {
      const own = block.shape === "matrix" ? [] : block.columns.map((choice) => themeColour(`--op-${choice.replaceAll("_", "-")}`));
      // Hues only where every choice has one: a table of half hues could not be read.
      return own.every((colour) => colour !== "") ? own : [];
    });
  }

  protected override resized(): void {
    this.context.font = this.labelFont;
    const measure = (text: string) => this.context.measureText(shortName(text)).width;
    this.placed = this.width === 0 ? [] : placeBlocks(this.blocks, this.width - 2 * INSET.x, this.height - INSET.top - INSET.bottom, measure);
  }

  private get labelFont(): string {
    return `11px ${this.colours.font}`;
  }

  protected override paint(context: CanvasRenderingContext2D, _now: number): boolean {
    for (const item of this.placed) {
      context.save();
      context.translate(INSET.x + item.x, INSET.top + item.y);
      this.paintLabels(context, item);
      context.restore();
      const hues = this.hues[this.blocks.indexOf(item.block)] ?? [];
      item.block.decisions.forEach((decision, index) => {
        const place = item.block.cells[index] ?? { row: index, column: 0 };
        const count = this.decisions[decision]?.choices.length ?? 0;
        if (item.block.shape === "matrix") this.paintCell(context, { decision, choice: count - 1 }, this.boxOf(item, place.row, place.column), hues[0] ?? this.colours.accent);
        else for (let choice = 0; choice < count; choice++) this.paintCell(context, { decision, choice }, this.boxOf(item, place.row, choice), hues[choice] ?? this.colours.accent);
      });
      if (isLone(item.block)) this.paintInside(context, item);
    }
    return false;
  }

  private boxOf(item: Placed, row: number, column: number): Box {
    // Cells meet at whole pixels, with one pixel between them where there is room.
    const left = Math.round(INSET.x + item.x + item.labels + column * item.cellWidth);
    const right = Math.round(INSET.x + item.x + item.labels + (column + 1) * item.cellWidth);
    const top = Math.round(INSET.top + item.y + item.head + row * item.cellHeight);
    const bottom = Math.round(INSET.top + item.y + item.head + (row + 1) * item.cellHeight);
    const gap = item.cellWidth > 7 && item.cellHeight > 7 ? 1 : 0;
    return { x: left, y: top, width: Math.max(right - left - gap, 1), height: Math.max(bottom - top - gap, 1) };
  }

  private paintLabels(context: CanvasRenderingContext2D, item: Placed): void {
    const { block, labels, head, cellWidth, cellHeight } = item;
    const { colours } = this;
    if (block.title) {
      context.font = `600 11.5px ${colours.font}`;
      context.fillStyle = colours.ink2;
      context.textAlign = "left";
      context.textBaseline = "alphabetic";
      context.fillText(block.title, 0, 11);
    }
    context.font = this.labelFont;
    context.textBaseline = "middle";
    context.textAlign = "right";
    const every = Math.max(1, Math.ceil(12 / cellHeight));
    const texts = rowLabels(block.rows, (label) => cutMiddle(context, label, labels - 10));
    block.rows.forEach((_, row) => {
      const decision = block.shape === "matrix" ? undefined : block.decisions[row];
      const hovered = this.hovered !== null && decision === this.hovered.decision;
      if (row % every !== 0 && !hovered) return;
      context.fillStyle = hovered ? colours.ink : decision !== undefined && !this.shows(decision) ? colours.faint : colours.ink2;
      context.fillText(texts[row] ?? "", labels - 8, head + (row + 0.5) * cellHeight);
    });
    if (isLone(block)) return;
    context.fillStyle = colours.ink3;
    const names = block.columns.map(shortName);
    const lying = names.every((name) => context.measureText(name).width <= cellWidth - 2);
    names.forEach((name, column) => {
      const x = labels + (column + 0.5) * cellWidth;
      if (lying) {
        context.textAlign = "center";
        context.fillText(name, x, head - 8);
        return;
      }
      if (column % Math.max(1, Math.ceil(10 / cellWidth)) !== 0) return;
      context.save();
      context.translate(x, head - 5);
      context.rotate(-0.68);
      context.textAlign = "left";
      context.fillText(cutMiddle(context, name, 78), 0, 0);
      context.restore();
    });
  }

  /** The choices of a lone strip are written into it. */
  private paintInside(context: CanvasRenderingContext2D, item: Placed): void {
    context.font = this.labelFont;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineWidth = 3;
    context.lineJoin = "round";
    item.block.columns.forEach((choice, column) => {
      const box = this.boxOf(item, 0, column);
      const text = cut(context, shortName(choice), box.width - 4);
      context.globalAlpha = 0.85;
      context.strokeStyle = this.colours.panel;
      context.strokeText(text, box.x + box.width / 2, box.y + box.height / 2);
      context.globalAlpha = 1;
      context.fillStyle = this.colours.ink;
      context.fillText(text, box.x + box.width / 2, box.y + box.height / 2);
    });
  }

  /** An outline inside a cell. */
  protected outline(context: CanvasRenderingContext2D, box: Box, colour: string, wide: number): void {
    roundBox(context, box.x + wide / 2, box.y + wide / 2, Math.max(box.width - wide, 1), Math.max(box.height - wide, 1), Math.min(3, box.width / 4, box.height / 4));
    context.strokeStyle = colour;
    context.lineWidth = wide;
    context.stroke();
  }

  protected isHovered(cell: Cell): boolean {
    return this.hovered !== null && cell.decision === this.hovered.decision && cell.choice === this.hovered.choice;
  }
}

/** Labels of rows in little room: as `fit` makes them, and where two would read alike, the rows' numbers instead. */
export function rowLabels(rows: readonly string[], fit: (label: string) => string): string[] {
  const short = rows.map(fit);
  return new Set(short).size === new Set(rows).size ? short : rows.map((_, row) => String(row + 1));
}

/** A text that fits into `width` pixels, its middle left out: what tells labels apart stands at their ends as often as at their beginnings. */
export function cutMiddle(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let kept = text.length - 1;
  const shortened = () => `${text.slice(0, Math.ceil(kept / 2))}…${text.slice(text.length - Math.floor(kept / 2))}`;
  while (kept > 2 && context.measureText(shortened()).width > width) kept--;
  return shortened();
}

/** A text that fits into `width` pixels. */
export function cut(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text;
  let end = text.length - 1;
  while (end > 1 && context.measureText(`${text.slice(0, end)}…`).width > width) end--;
  return `${text.slice(0, end)}…`;
}
