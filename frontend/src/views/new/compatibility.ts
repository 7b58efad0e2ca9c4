/** Which choices go together, and in words why a choice is closed. Everything follows from the server's list of combinations. */
import { BUDGET_KINDS, type Algorithm, type BudgetKind, type Compatible, type Dataset, type DomainsInfo, type SearchSpace } from "../../api/types";
import { plural } from "../../ui/format";

export interface Catalogue {
  algorithms: Algorithm[];
  spaces: SearchSpace[];
  datasets: Dataset[];
  compatibility: Compatible[];
}

const has = (catalogue: Catalogue, wanted: Partial<Pick<Compatible, "algorithm" | "space" | "dataset">>) =>
  catalogue.compatibility.some((row) => Object.entries(wanted).every(([key, value]) => row[key as keyof typeof wanted] === value));

/** Whether the algorithm can search that space on each of the data sets. */
export function fits(catalogue: Catalogue, algorithm: string, space: string, datasets: readonly string[]): boolean {
  return datasets.every((dataset) => has(catalogue, { algorithm, space, dataset }));
}

// ---- several data sets

type Count = Pick<DomainsInfo, "least" | "most">;

/** How many data sets an experiment with these algorithms has; least > most where they disagree. */
export function countOf(algorithms: readonly Algorithm[]): Count {
  const least = Math.max(1, ...algorithms.map((item) => item.domains.least));
  const most = Math.min(...algorithms.map((item) => item.domains.most));
  return { least, most: Number.isFinite(most) ? most : 1 };
}

/** "one data set", "2 to 8 data sets in order". */
export function countText({ least, most }: Count): string {
  if (most === 1) return "one data set";
  return least === most ? `${least} data sets in order` : `${least} to ${most} data sets in order`;
}

const disagree = (first: Algorithm, second: Algorithm) => {
  const { least, most } = countOf([first, second]);
  return least > most;
};

/** Why these algorithms cannot stand in one experiment, or null. */
export function clash(algorithms: readonly Algorithm[]): string | null {
  for (const [index, first] of algorithms.entries()) {
    const second = algorithms.slice(index + 1).find((item) => disagree(first, item));
    if (second) {
      return `One experiment has one list of data sets: ${first.title} searches ${countText(first.domains)}, ${second.title} ${countText(second.domains)}.`;
    }
  }
  return null;
}

/** What is wrong with the number of data sets, or null. */
export function wrongCount(algorithms: readonly Algorithm[], count: number): string | null {
  if (algorithms.length === 0 || clash(algorithms) !== null) return null;
  const { least, most } = countOf(algorithms);
  if (count >= least && count <= most) return null;
  const strict = algorithms.find((item) => count < item.domains.least || count > item.domains.most);
  const remedy = count < least ? `Add ${least - count} more` : `Remove ${count - most}`;
  return `${strict?.title ?? "This"} searches ${countText({ least, most })}, not ${count}. ${remedy}.`;
}

// ---- why a choice is closed

/** The first file, and how many more: the Data page names all of them. */
function missing(files: readonly string[]): string {
  const [first, ...others] = files;
  return first === undefined ? "its files" : others.length === 0 ? first : `${first} and ${plural(others.length, "more file")}`;
}

/** Why a data set cannot be chosen, or null. */
export function datasetClosed(catalogue: Catalogue, dataset: Dataset): string | null {
  if (!dataset.available) return `Missing: ${missing(dataset.missing_files)}`;
  if (!has(catalogue, { dataset: dataset.id })) return "No installed algorithm can search on it.";
  return null;
}

/** Why a data set cannot stand in the list of an experiment with that space and these algorithms, or null. */
export function placeClosed(catalogue: Catalogue, dataset: Dataset, space: string, algorithms: readonly Algorithm[]): string | null {
  const closed = datasetClosed(catalogue, dataset);
  if (closed !== null) return closed;
  const unable = algorithms.find((item) => !fits(catalogue, item.id, space, [dataset.id]));
  if (!unable) return null;
  const title = catalogue.spaces.find((item) => item.id === space)?.title ?? space;
  return `${unable.title} cannot search ${title} on ${dataset.title}.`;
}

/** Why a space cannot be searched on that data set, or null. `dataset` names one that would open it, where there is one. */
export function spaceClosed(catalogue: Catalogue, space: SearchSpace, dataset: Dataset | undefined): { reason: string; dataset: Dataset | null } | null {
  if (!dataset || has(catalogue, { space: space.id, dataset: dataset.id })) return null;
  const other = catalogue.datasets.find((item) => item.available && has(catalogue, { space: space.id, dataset: item.id })) ?? null;
  const closed = (reason: string) => ({ reason, dataset: other });
  if (dataset.spaces && !dataset.spaces.includes(space.id)) {
    const titles = dataset.spaces.map((id) => catalogue.spaces.find((item) => item.id === id)?.title ?? id);
    return closed(`${dataset.title} only answers for ${titles.join(", ")}.`);
  }
  if (!space.inputs.includes(dataset.input_kind)) {
    const kinds = space.inputs.filter((kind) => kind !== "none");
    if (kinds.length === 0) return closed(`Takes no data: a formula scores each genome. ${dataset.title} is data to train on.`);
    return closed(`Takes ${kinds.join(" or ")} data; ${dataset.title} gives ${dataset.input_kind === "none" ? "no" : dataset.input_kind} data.`);
  }
  return closed(`No installed algorithm searches it on ${dataset.title}.`);
}

export interface ClosedAlgorithm {
  reason: string;
  /** A space that would open it, where there is one. */
  space: SearchSpace | null;
  /** Without the other algorithms, and with data sets of its own, it could be chosen. */
  alone: boolean;
}

/** Why an algorithm cannot be chosen beside the `chosen` ones for that space and these data sets, or null. `begins`: what every run begins with. */
export function algorithmClosed(
  catalogue: Catalogue,
  algorithm: Algorithm,
  space: SearchSpace | undefined,
  datasets: readonly Dataset[],
  chosen: readonly Algorithm[] = [],
  begins: { model?: boolean; architectures?: boolean } = {},
): ClosedAlgorithm | null {
  const [first] = datasets;
  if (!space || !first) return null;
  if (begins.model && !algorithm.begins_with_model) return { reason: "Does not begin with a finished model.", space: null, alone: false };
  if (begins.architectures && !algorithm.begins_with_architectures) return { reason: "Does not begin with a given architecture.", space: null, alone: false };
  const ids = datasets.map((item) => item.id);
  const unfit = datasets.find((item) => !fits(catalogue, algorithm.id, space.id, [item.id]));
  if (unfit) {
    const other = catalogue.spaces.find((item) => fits(catalogue, algorithm.id, item.id, ids)) ?? null;
    const closed = (reason: string) => ({ reason, space: other, alone: false });
    const none = algorithm.no_space_for[unfit.input_kind];
    if (none) return closed(`Searches nothing on ${unfit.input_kind} data. ${none}`);
    if (!algorithm.spaces.includes(space.id)) {
      const titles = algorithm.spaces.map((id) => catalogue.spaces.find((item) => item.id === id)?.title ?? id);
      return closed(titles.length > 3 ? `Does not search ${space.title}.` : `Searches ${titles.join(" or ")}, not ${space.title}.`);
    }
    if (unfit.provides !== "samples" && !algorithm.needs.includes("trials")) {
      return closed(`Needs training examples; ${unfit.title} only answers from a ${unfit.provides === "objective" ? "formula" : unfit.provides}.`);
    }
    return closed(`Cannot search ${space.title} on ${unfit.title}.`);
  }
  const other = chosen.find((item) => item.id !== algorithm.id && disagree(algorithm, item));
  if (!other) return null;
  const reason = `Searches ${countText(algorithm.domains)}, ${other.title} ${countText(other.domains)}; one experiment has one list of data sets.`;
  return { reason, space: null, alone: true };
}

// ---- budgets

/** The kinds of budget that every chosen algorithm can spend on each of the data sets. */
export function budgetsFor(catalogue: Catalogue, algorithms: readonly string[], space: string, datasets: readonly string[]): BudgetKind[] {
  const rows = catalogue.compatibility.filter((row) => algorithms.includes(row.algorithm) && row.space === space && datasets.includes(row.dataset));
  return BUDGET_KINDS.filter((kind) => rows.every((row) => row.budgets.includes(kind)));
}

/** Algorithms that only a budget stops. */
export function needBudget(catalogue: Catalogue, algorithms: readonly string[]): Algorithm[] {
  return catalogue.algorithms.filter((item) => algorithms.includes(item.id) && item.needs_budget);
}

/** The first space that works with the data set, the wanted one if it does. */
export function fittingSpace(catalogue: Catalogue, dataset: string, wanted: string): string {
  if (has(catalogue, { dataset, space: wanted })) return wanted;
  return catalogue.compatibility.find((row) => row.dataset === dataset)?.space ?? wanted;
}
