/** What differs between the runs of an experiment, and whether it spans a grid. */
import type { Run } from "../api/types";
import { equal, textOf } from "../schema/model";
import { metricName } from "../ui/format";

/** An option that has several values among the runs. */
export interface Factor {
  name: string;
  /** The value of each run, in the order of the runs. */
  values: unknown[];
}

const valueText = (value: unknown): string => (value === undefined ? "default" : value === null ? "none" : typeof value === "boolean" ? (value ? "on" : "off") : textOf(value));

/** Options (and algorithm, and seed) that are not the same for all runs. The seed comes last. */
export function differences(runs: readonly Run[]): Factor[] {
  const names = [...new Set(runs.flatMap((run) => Object.keys(run.options)))];
  const all: Factor[] = [
    { name: "algorithm", values: runs.map((run) => run.algorithm.title) },
    ...names.map((name) => ({ name, values: runs.map((run) => run.options[name]) })),
    { name: "seed", values: runs.map((run) => run.seed) },
  ];
  return all.filter(({ values }) => values.some((value) => !equal(value, values[0])));
}

/** "λ_temp 0.2, seed 1": what sets a run apart from the others. */
export function labelOf(factors: readonly Factor[], run: number): string {
  return factors.map((factor) => levelText(factor, run)).join(", ");
}

/** "DARTS" for the algorithm, "λ_temp 0.2" for everything else. */
function levelText(factor: Factor, run: number): string {
  const value = valueText(factor.values[run]);
  return factor.name === "algorithm" ? value : `${metricName(factor.name)} ${value}`;
}

export interface Grid {
  rows: string[];
  columns: string[];
  /** Runs of each cell by row and column, as places in the list of runs. */
  cells: number[][][];
}

/** Values in their natural order: numbers by size, everything else as it comes. */
function levels(factors: readonly Factor[], count: number): { texts: string[]; of: number[] } {
  const first = new Map<string, number>();
  const keys = Array.from({ length: count }, (_, run) => factors.map((factor) => levelText(factor, run)).join(", "));
  keys.forEach((key, run) => {
    if (!first.has(key)) first.set(key, run);
  });
  const order = [...first].sort(([, a], [, b]) => {
    for (const { values } of factors) {
      const [left, right] = [values[a], values[b]];
      if (typeof left === "number" && typeof right === "number" && left !== right) return left - right;
    }
    return a - b;
  });
  const texts = order.map(([key]) => key);
  return { texts, of: keys.map((key) => texts.indexOf(key)) };
}

/** Runs laid out by one factor across and all others (but the seed) down. */
export function gridBy(factors: readonly Factor[], column: string, count: number): Grid | null {
  const across = factors.find((factor) => factor.name === column);
  if (!across) return null;
  const down = factors.filter((factor) => factor !== across && factor.name !== "seed");
  const columns = levels([across], count);
  const rows = levels(down, count);
  const cells = rows.texts.map(() => columns.texts.map((): number[] => []));
  for (let run = 0; run < count; run++) cells[rows.of[run] ?? 0]?.[columns.of[run] ?? 0]?.push(run);
  return { rows: rows.texts, columns: columns.texts, cells };
}

/**
 * The factor whose columns, against everything else, fill a grid without a hole; null where there is none. Two settings that were varied
 * against each other span such a grid; with several, the one that does, those with numbers first.
 */
export function fullGrid(factors: readonly Factor[], count: number): string | null {
  const own = factors.filter((factor) => factor.name !== "seed");
  if (own.length < 2) return null;
  const numeric = (factor: Factor) => factor.values.every((value) => typeof value === "number");
  const ordered = [...own].sort((a, b) => Number(numeric(b)) - Number(numeric(a)));
  for (const { name } of ordered) {
    const grid = gridBy(factors, name, count);
    if (grid && grid.rows.length > 1 && grid.columns.length > 1 && grid.cells.every((row) => row.every((cell) => cell.length > 0))) return name;
  }
  return null;
}
