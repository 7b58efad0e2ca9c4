/**
 * A space's decisions as blocks to draw: decisions that ask the same question become rows of one table of choices, decisions that have a
 * place in a matrix (layer x earlier layer) its cells. Where all decisions have the same choices that is one heat map.
 */
import type { DecisionInfo } from "../types/events.gen";

export interface Block {
  title: string;
  shape: "strips" | "matrix";
  /** Places of its decisions in the space's order. */
  decisions: number[];
  rows: string[];
  columns: string[];
  /** Of a matrix: row and column of each decision; of strips the row is the place in `decisions`. */
  cells: { row: number; column: number }[];
}

/** Where each decision's vector begins in a frame; one more entry than decisions, the last is the length. */
export function offsetsOf(decisions: readonly DecisionInfo[]): number[] {
  const offsets = [0];
  for (const decision of decisions) offsets.push((offsets.at(-1) ?? 0) + decision.choices.length);
  return offsets;
}

/** The words that all titles end with, from a ": " on: said once above the rows instead of in each. */
export function commonEnd(titles: readonly string[]): string {
  const end = /: .*$/.exec(titles[0] ?? "")?.[0] ?? "";
  return titles.length > 1 && end !== "" && titles.every((title) => title.endsWith(end)) ? end : "";
}

const inWords = (kind: string) => kind.replaceAll("_", " ").replace(/^./, (letter) => letter.toUpperCase());

export function blocksOf(decisions: readonly DecisionInfo[]): Block[] {
  const groups = new Map<string, number[]>();
  decisions.forEach((decision, place) => {
    const matrix = decision.row !== null && decision.column !== null;
    const key = matrix ? `matrix ${decision.kind}` : `${decision.kind}\n${decision.choices.join("\n")}`;
    groups.set(key, [...(groups.get(key) ?? []), place]);
  });
  return [...groups].map(([key, places]) => {
    const own = places.map((place) => decisions[place]!);
    const first = own[0]!;
    if (key.startsWith("matrix ")) return matrixBlock(first.kind, own, places);
    const end = commonEnd(own.map((item) => item.title));
    return {
      title: own.length > 1 ? (end ? inWords(end.slice(2)) : inWords(first.kind)) : "",
      shape: "strips",
      decisions: places,
      rows: own.map((item) => (end ? item.title.slice(0, -end.length) : item.title)),
      columns: first.choices,
      cells: places.map((_, row) => ({ row, column: 0 })),
    };
  });
}

function matrixBlock(kind: string, own: readonly DecisionInfo[], places: number[]): Block {
  const rows = [...new Set(own.map((item) => item.row ?? 0))].sort((a, b) => a - b);
  const columns = [...new Set(own.map((item) => item.column ?? 0))].sort((a, b) => a - b);
  return {
    title: `${inWords(kind)} connections: to a layer (row) from an earlier one (column)`,
    shape: "matrix",
    decisions: places,
    rows: rows.map((row) => `layer ${row + 1}`),
    columns: columns.map((column) => String(column + 1)),
    cells: own.map((item) => ({ row: rows.indexOf(item.row ?? 0), column: columns.indexOf(item.column ?? 0) })),
  };
}

export interface Placed {
  block: Block;
  x: number;
  /** Top of the title. */
  y: number;
  labels: number;
  head: number;
  cellWidth: number;
  cellHeight: number;
}

const GAP = { x: 26, y: 14 };
const TITLE = 20;
const LARGEST = { width: 84, height: 36 };
/** Below this a cell can no longer be told from its neighbour. */
const SMALLEST = 5;

export interface Measure {
  /** Width of a text in pixels. */
  (text: string): number;
}

/** A strip of its own: its choices are written into it. */
export const isLone = (block: Block): boolean => block.shape === "strips" && block.rows.length === 1;

/** Height of the column labels: lying where they fit, slanted where they do not. */
function headOf(block: Block, cellWidth: number, measure: Measure): number {
  if (isLone(block)) return 0;
  const widest = Math.max(0, ...block.columns.map(measure));
  return widest <= cellWidth - 2 ? 16 : Math.min(16 + widest * 0.62, 66);
}

/** One way to lay the blocks out in `columns` columns with cells of one height; `height` is what it needs. */
function flow(blocks: readonly Block[], columns: number, width: number, cellHeight: number, measure: Measure): { placed: Placed[]; height: number } {
  const columnWidth = (width - GAP.x * (columns - 1)) / columns;
  const heights = new Array<number>(columns).fill(0);
  // Lone strips stand in one line, whatever their names' lengths.
  const common = Math.max(0, ...blocks.filter(isLone).flatMap((block) => block.rows.map(measure)));
  const placed = blocks.map((block): Placed => {
    const column = heights.indexOf(Math.min(...heights));
    const single = isLone(block);
    const labels = Math.min((single ? common : Math.max(0, ...block.rows.map(measure))) + 10, columnWidth * 0.42);
    const free = (columnWidth - labels) / Math.max(block.columns.length, 1);
    const cellWidth = Math.max(Math.min(free, block.shape === "matrix" ? Math.max(cellHeight * 1.5, 14) : single ? 140 : LARGEST.width), 1);
    const head = headOf(block, cellWidth, measure);
    const title = block.title ? TITLE : 0;
    const y = heights[column] ?? 0;
    heights[column] = y + title + head + block.rows.length * cellHeight + (single ? 6 : GAP.y);
    return { block, x: column * (columnWidth + GAP.x), y, labels, head: head + title, cellWidth, cellHeight };
  });
  return { placed, height: Math.max(0, ...heights) - GAP.y };
}

/** Blocks on a canvas: the number of columns and the height of cells that make the smallest cell largest. */
export function placeBlocks(blocks: readonly Block[], width: number, height: number, measure: Measure): Placed[] {
  let best: { placed: Placed[]; size: number } = { placed: [], size: -1 };
  for (let columns = 1; columns <= Math.min(4, blocks.length || 1); columns++) {
    let cellHeight = LARGEST.height;
    while (cellHeight > SMALLEST && flow(blocks, columns, width, cellHeight, measure).height > height) cellHeight--;
    const { placed } = flow(blocks, columns, width, cellHeight, measure);
    const size = Math.min(...placed.map((item) => Math.min(item.cellHeight, item.cellWidth * 1.3)));
    if (size > best.size + 1) best = { placed, size };
  }
  return best.placed;
}
