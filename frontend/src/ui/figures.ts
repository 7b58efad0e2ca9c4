/** Figures of a picture as a table: what its twin on the page shows and what is saved as CSV. */
import { exact, metric } from "./format";

/** A number, and how it reads. */
export interface Figure {
  value: number;
  text: string;
}

export type Cell = string | Figure;

export interface Figures {
  title: string;
  head: readonly string[];
  rows: readonly (readonly Cell[])[];
}

export const figure = (value: number, text: string): Figure => ({ value, text });

/** A measured number as the page writes such. */
export const measured = (value: number | null | undefined): Figure => figure(value ?? NaN, metric(value));

/** A whole number. */
export const whole = (value: number): Figure => figure(value, exact(value));

export const cellText = (cell: Cell): string => (typeof cell === "string" ? cell : cell.text);

/** A field of a CSV file (RFC 4180). A text that a spreadsheet would take for a formula is quoted with an apostrophe. */
function field(cell: Cell): string {
  if (typeof cell !== "string") return Number.isFinite(cell.value) ? String(cell.value) : "";
  const text = /^[=+@\t\r-]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Tables below each other with an empty line between them; where there are several each begins with its title. Numbers in full. */
export function csvOf(tables: readonly Figures[]): string {
  return tables
    .map(({ title, head, rows }) => [...(tables.length > 1 ? [[title]] : []), head, ...rows].map((row) => row.map(field).join(",") + "\r\n").join(""))
    .join("\r\n");
}
