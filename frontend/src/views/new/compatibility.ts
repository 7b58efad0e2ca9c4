/** Which choices go together, and in words why a choice is closed. Everything follows from the server's list of combinations. */
import type { Algorithm, BudgetKind, Compatible, Dataset, SearchSpace } from "../../api/types";

export interface Catalogue {
  algorithms: Algorithm[];
  spaces: SearchSpace[];
  datasets: Dataset[];
  compatibility: Compatible[];
}

const has = (catalogue: Catalogue, wanted: Partial<Pick<Compatible, "algorithm" | "space" | "dataset">>) =>
  catalogue.compatibility.some((row) => Object.entries(wanted).every(([key, value]) => row[key as keyof typeof wanted] === value));

/** Why a data set cannot be chosen, or null. */
export function datasetClosed(catalogue: Catalogue, dataset: Dataset): string | null {
  if (!dataset.available) return `Missing: ${dataset.missing_files.join(", ") || "its files"}`;
  if (!has(catalogue, { dataset: dataset.id })) return "No installed algorithm can search on it.";
  return null;
}

/** Why a space cannot be searched on that data set, or null. */
export function spaceClosed(catalogue: Catalogue, space: SearchSpace, dataset: Dataset | undefined): string | null {
  if (!dataset || has(catalogue, { space: space.id, dataset: dataset.id })) return null;
  if (dataset.spaces && !dataset.spaces.includes(space.id)) {
    const titles = dataset.spaces.map((id) => catalogue.spaces.find((item) => item.id === id)?.title ?? id);
    return `${dataset.title} only answers for ${titles.join(", ")}.`;
  }
  if (!space.inputs.includes(dataset.input_kind)) return `Takes ${space.inputs.join(" or ")} data; ${dataset.title} gives ${dataset.input_kind} data.`;
  return `No installed algorithm searches it on ${dataset.title}.`;
}

/** Why an algorithm cannot be chosen for that space and data set, or null. `space` names one that would open it, where there is one. */
export function algorithmClosed(
  catalogue: Catalogue,
  algorithm: Algorithm,
  space: SearchSpace | undefined,
  dataset: Dataset | undefined,
): { reason: string; space: SearchSpace | null } | null {
  if (!space || !dataset || has(catalogue, { algorithm: algorithm.id, space: space.id, dataset: dataset.id })) return null;
  const other = catalogue.spaces.find((item) => has(catalogue, { algorithm: algorithm.id, space: item.id, dataset: dataset.id })) ?? null;
  if (!algorithm.spaces.includes(space.id)) {
    const titles = algorithm.spaces.map((id) => catalogue.spaces.find((item) => item.id === id)?.title ?? id);
    return { reason: `Searches ${titles.join(" or ")}, not ${space.title}.`, space: other };
  }
  if (dataset.provides !== "samples" && !algorithm.needs.includes("trials")) {
    return { reason: `Needs training examples; ${dataset.title} only answers from a ${dataset.provides}.`, space: other };
  }
  return { reason: `Cannot search ${space.title} on ${dataset.title}.`, space: other };
}

/** The kinds of budget that every chosen algorithm can spend there. */
export function budgetsFor(catalogue: Catalogue, algorithms: string[], space: string, dataset: string): BudgetKind[] {
  const all: BudgetKind[] = ["samples", "trials", "seconds"];
  const rows = algorithms.map((id) => catalogue.compatibility.find((row) => row.algorithm === id && row.space === space && row.dataset === dataset));
  return all.filter((kind) => rows.every((row) => row === undefined || row.budgets.includes(kind)));
}

/** Algorithms that only a budget stops. */
export function needBudget(catalogue: Catalogue, algorithms: string[]): Algorithm[] {
  return catalogue.algorithms.filter((item) => algorithms.includes(item.id) && item.needs.includes("trials"));
}

/** The first space that works with the data set, the wanted one if it does. */
export function fittingSpace(catalogue: Catalogue, dataset: string, wanted: string): string {
  if (has(catalogue, { dataset, space: wanted })) return wanted;
  return catalogue.compatibility.find((row) => row.dataset === dataset)?.space ?? wanted;
}

export function fits(catalogue: Catalogue, algorithm: string, space: string, dataset: string): boolean {
  return has(catalogue, { algorithm, space, dataset });
}
