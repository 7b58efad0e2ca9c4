/** The atlas in words: names of entries, cells, what is beside what. */
import type { AtlasEntry, AtlasEntryInfo, AtlasEstimate, AtlasRow, AtlasScale, AtlasSource } from "../api/types";
import { plural } from "../ui/format";

/** "Figure 4", "Table 1". */
export const nameOf = ({ kind, number }: Pick<AtlasEntryInfo, "kind" | "number">): string => `${kind === "table" ? "Table" : "Figure"} ${number}`;

/** "M. R. Nikulenkov, master's thesis, Moscow State University, ..., 2022". */
export const sourceText = (source: AtlasSource): string => [source.authors, source.kind, source.where, source.year].join(", ");

/** What stands in a table, in words: "published, measured here once, and yours". */
export const tableTitle = (table: NonNullable<AtlasEntry["table"]>): string =>
  table.columns.some((column) => column.recorded) ? "published, measured here once, and yours" : "published, and yours";

/** Whether the source prints anything of a row. */
export const isPrinted = (row: AtlasRow): boolean => row.cells.some((cell) => cell.published !== null);

/** A cell as it is printed. */
export const printed = (row: Pick<AtlasRow, "decimals" | "unit">, value: number): string => {
  // What is published with fewer decimals keeps its form.
  const text = String(value);
  return (text.split(".")[1]?.length ?? 0) <= row.decimals ? text : value.toFixed(row.decimals);
};

/** A quantity of ours with as many decimals as the published one has at most, and what it is of. */
export function oursText(row: Pick<AtlasRow, "decimals">, ours: AtlasEstimate): { value: string; of: string } {
  const show = (value: number) => value.toFixed(row.decimals);
  const interval = ours.low !== null && ours.high !== null ? `95 %: ${show(ours.low)} to ${show(ours.high)}` : "";
  const of = ours.pairs > 0 ? `n = ${plural(ours.pairs, "pair")} of equal seeds` : `n = ${plural(ours.runs, "run")}`;
  return { value: show(ours.value), of: [interval, of].filter(Boolean).join(", ") };
}

/** "recomputed 2.320": what follows from the other tables, with a digit more than is printed; null where it is the printed one. */
export function recomputedText(row: Pick<AtlasRow, "decimals">, cell: { recomputed: number | null; agrees: boolean | null }): string | null {
  return cell.recomputed === null || cell.agrees !== false ? null : `recomputed ${cell.recomputed.toFixed(row.decimals + 1)}`;
}

/** Of a setting: how ours was beside the published. */
export function scaleText(scale: AtlasScale): { published: string; ours: string; differs: boolean | null } {
  const published = scale.published === null ? scale.stated || "not stated" : String(scale.published);
  const ours = scale.ours.length === 0 ? "–" : scale.ours.join(", ");
  const differs = scale.published === null || scale.ours.length === 0 ? null : scale.ours.some((value) => value !== scale.published);
  return { published, ours, differs };
}

/** "not in this installation: algorithm morphnet, picture morphisms". */
export const lackingText = (lacking: readonly string[]): string => `not in this installation: ${lacking.join(", ")}`;
