/** What the person has chosen so far, and how it becomes the body of POST experiments and comes back from an earlier one. */
import { BUDGET_KINDS, type Algorithm, type Architecture, type BudgetKind, type ExperimentBody, type Model, type Options, type Run, type RunSchema, type RuntimeOptions } from "../../api/types";
import type { JsonSchema } from "../../schema/jsonSchema";
import { readNumber } from "../../schema/inputs";
import { changedOnly, equal, fieldsOf, textOf, type Field } from "../../schema/model";
import { budgetsFor, clash, countOf, fits, fittingSpace, needBudget, type Catalogue } from "./compatibility";

/** A data set or an algorithm with its own options. */
export interface Chosen {
  id: string;
  options: Options;
}

export interface Draft {
  name: string;
  /** In the order in which they are searched; one for most algorithms. */
  datasets: Chosen[];
  space: string;
  spaceOptions: Options;
  algorithms: Chosen[];
  /** Id of the finished model that every run begins with. */
  model: string | null;
  /** Id of the run with whose initial population every run begins. */
  population: string | null;
  /** Texts of architectures with which every run's first population begins. */
  start: string[];
  /** As typed: "0, 1, 2" or "0-4". */
  seeds: string;
  budgetKind: BudgetKind | "none";
  /** As typed. */
  budget: string;
  /** Whether repeated trials count as trials of the budget. */
  countRepeats: boolean;
  training: Options;
  finale: Options;
  /** How a candidate is scored: fields of the experiment itself. */
  evaluation: Options;
  runtime: Options;
}

/** The fields of every part of the form, made once from the schemas. */
export interface Forms {
  algorithms: Map<string, Field[]>;
  spaces: Map<string, Field[]>;
  datasets: Map<string, Field[]>;
  training: Field[];
  finale: Field[];
  evaluation: Field[];
  evaluationSchema: JsonSchema;
  runtime: Field[];
  runtimeSchema: JsonSchema;
}

/** What a kind of budget starts with. */
export const BUDGET_EXAMPLE: Record<BudgetKind, string> = { trials: "20", samples: "900 k", flops: "1 T", seconds: "120" };

const EVALUATION = ["objective", "folds"] as const;
const RUNTIME = ["threads", "together", "device", "amp", "structure_every", "max_failures"] as const;

export function formsOf(catalogue: Catalogue, schemas: RunSchema): Forms {
  const only = (names: readonly string[]): JsonSchema => {
    const properties = Object.fromEntries(names.flatMap((name) => (schemas.run.properties?.[name] ? [[name, schemas.run.properties[name]]] : [])));
    return { ...schemas.run, properties, required: [], additionalProperties: false };
  };
  const [evaluationSchema, runtimeSchema] = [only(EVALUATION), only(RUNTIME)];
  const by = (items: { id: string; schema: JsonSchema }[]) => new Map(items.map((item) => [item.id, fieldsOf(item.schema)]));
  return {
    algorithms: by(catalogue.algorithms),
    spaces: by(catalogue.spaces),
    datasets: by(catalogue.datasets),
    training: fieldsOf(schemas.training),
    finale: fieldsOf(schemas.finale),
    evaluation: fieldsOf(evaluationSchema),
    evaluationSchema,
    runtime: fieldsOf(runtimeSchema),
    runtimeSchema,
  };
}

export interface Wanted {
  dataset?: string | null;
  algorithm?: string | null;
  /** One of these algorithms. */
  algorithms?: readonly string[];
  space?: string;
  model?: Model | null;
}

/** A first suggestion: the default data set with the first algorithm that fits, or what the address asked for. */
export function newDraft(catalogue: Catalogue, wanted: Wanted = {}): Draft {
  const { model = null } = wanted;
  const able = new Set(catalogue.algorithms.filter((item) => (!model || item.begins_with_model) && (!wanted.algorithms || wanted.algorithms.includes(item.id))).map((item) => item.id));
  const data = model?.datasets[0] ?? wanted.dataset;
  const rows = catalogue.compatibility.filter(
    (row) => able.has(row.algorithm) && (!wanted.algorithm || row.algorithm === wanted.algorithm) && (!data || row.dataset === data) && (!wanted.space || row.space === wanted.space),
  );
  const usable = rows.filter((row) => catalogue.datasets.find((item) => item.id === row.dataset)?.available);
  const byDataset = catalogue.datasets.map((item) => usable.find((row) => row.dataset === item.id)).find(Boolean);
  const row = usable.find((item) => item.space === model?.space) ?? byDataset ?? rows[0] ?? catalogue.compatibility[0];
  const draft: Draft = {
    name: "",
    datasets: row ? [{ id: row.dataset, options: {} }] : [],
    space: row?.space ?? "",
    spaceOptions: {},
    algorithms: [],
    model: model?.id ?? null,
    population: null,
    start: [],
    seeds: "0",
    budgetKind: row?.budgets.includes("trials") ? "trials" : "none",
    budget: BUDGET_EXAMPLE.trials,
    countRepeats: true,
    training: {},
    finale: {},
    evaluation: {},
    runtime: {},
  };
  return row ? withAlgorithms(catalogue, draft, [{ id: row.algorithm, options: {} }]) : draft;
}

function budgetOf(budget: ExperimentBody["budget"] | undefined): Pick<Draft, "budgetKind" | "budget"> {
  for (const kind of BUDGET_KINDS) {
    const limit = budget?.[kind];
    if (limit !== null && limit !== undefined) return { budgetKind: kind, budget: textOf(limit) };
  }
  return { budgetKind: "none", budget: "" };
}

/** The draft that gives an experiment's body again. */
export function draftFromBody(body: Partial<ExperimentBody>, forms: Forms, catalogue: Catalogue): Draft {
  const ids = body.datasets ?? [];
  const first = ids[0] ?? newDraft(catalogue, { algorithm: body.algorithms?.[0]?.id ?? null }).datasets[0]?.id ?? "";
  const space = body.space || fittingSpace(catalogue, first, "");
  return {
    name: body.name ?? "",
    datasets: (ids.length > 0 ? ids : [first]).map((id, place) => ({ id, options: changedOnly(forms.datasets.get(id) ?? [], body.dataset_options?.[place] ?? {}) })),
    space,
    spaceOptions: changedOnly(forms.spaces.get(space) ?? [], body.space_options ?? {}),
    algorithms: (body.algorithms ?? []).map(({ id, options }) => ({ id, options: changedOnly(forms.algorithms.get(id) ?? [], options ?? {}) })),
    model: body.model ?? null,
    population: body.population ?? null,
    start: body.start ?? [],
    seeds: (body.seeds ?? [0]).join(", "),
    ...budgetOf(body.budget),
    countRepeats: body.count_repeats ?? true,
    training: changedOnly(forms.training, body.training ?? {}),
    finale: changedOnly(forms.finale, body.finale ?? {}),
    evaluation: changedOnly(forms.evaluation, Object.fromEntries(EVALUATION.flatMap((name) => (body[name] === undefined ? [] : [[name, body[name]]])))),
    runtime: changedOnly(forms.runtime, (body.runtime ?? {}) as Options),
  };
}

/** The draft that repeats a run: its config is the engine's RunConfig. `given`: what it began with, which its experiment names. */
export function draftFromRun(run: Run, forms: Forms, catalogue: Catalogue, given: { model?: string | null | undefined; population?: string | null | undefined; start?: string[] | undefined } = {}): Draft {
  const config = (run.config ?? {}) as Record<string, unknown>;
  const runtime = Object.fromEntries(RUNTIME.filter((name) => name in config).map((name) => [name, config[name]]));
  // The run names its whole recipe; what is the algorithm's own stays open, for another algorithm has another one.
  const changed = Object.entries(run.finish?.other_recipe?.fields ?? {}).map(([name, field]) => [name, field.used]);
  const finale = { ...(config["finale"] as Options | undefined), training: Object.fromEntries(changed) as Options };
  return draftFromBody(
    {
      ...(config as Partial<ExperimentBody>),
      name: "",
      finale: finale as ExperimentBody["finale"],
      algorithms: [{ id: run.algorithm.id, options: run.options }],
      space: run.space,
      datasets: run.datasets,
      seeds: [run.seed],
      model: given.model ?? null,
      population: given.population ?? null,
      start: given.start ?? [],
      runtime: runtime as RuntimeOptions,
    },
    forms,
    catalogue,
  );
}

/** Trains what is given, and searches nothing. */
const GIVEN = "given_architecture";

/** A suggestion for an architecture that is given: to train it as it is, or a search that starts from it. */
export function draftOfArchitecture(found: Architecture, use: "train" | "start", forms: Forms, catalogue: Catalogue): Draft {
  const train = use === "train";
  const draft = newDraft(catalogue, { space: found.space, algorithms: train ? [GIVEN] : found.searches.map(({ id }) => id) });
  const begun = { ...draft, spaceOptions: changedOnly(forms.spaces.get(found.space) ?? [], found.space_options) };
  if (!train) return { ...begun, start: [found.text] };
  return { ...begun, algorithms: [{ id: GIVEN, options: { architecture: found.text } }], budgetKind: "none", budget: "" };
}

const MAX_SEEDS = 100;

/** "0, 1, 5-8" -> [0, 1, 5, 6, 7, 8]; a text says what is wrong. */
export function readSeeds(text: string): number[] | string {
  const seeds: number[] = [];
  for (const part of text.split(/[\s,;]+/).filter(Boolean)) {
    const match = /^(\d+)(?:[-–](\d+))?$/.exec(part);
    if (!match) return `'${part}' is not a seed. Use whole numbers such as 0, 1, 2 or a range such as 0-4.`;
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    if (last < first) return `The range ${part} runs backwards.`;
    if (last >= 2 ** 31) return "A seed is at most 2147483647.";
    if (last - first >= MAX_SEEDS) return `Use at most ${MAX_SEEDS} seeds.`;
    for (let seed = first; seed <= last; seed++) seeds.push(seed);
  }
  if (seeds.length === 0) return "Give at least one seed.";
  if (seeds.length > MAX_SEEDS) return `Use at most ${MAX_SEEDS} seeds.`;
  const twice = seeds.find((seed, index) => seeds.indexOf(seed) !== index);
  return twice === undefined ? seeds : `Seed ${twice} stands there twice.`;
}

/** The budget's amount as a number; a text says what is wrong. */
export function readBudget(kind: BudgetKind, text: string): number | string {
  const suffix = /^(.*?)\s*([kKmMgGtTpP])$/.exec(text.trim());
  const value = readNumber(suffix ? suffix[1]! : text);
  if (value === null) return text.trim() === "" ? "Give an amount." : "Use a number, for example 5000 or 900 k.";
  const amount = suffix ? value * 10 ** (3 * ("kmgtp".indexOf(suffix[2]!.toLowerCase()) + 1)) : value;
  if (kind === "trials" && (!Number.isInteger(amount) || amount < 1)) return "Use a whole number of trials, at least 1.";
  if (amount <= 0) return "Use more than 0.";
  const most = { trials: 1e7, samples: 1e15, flops: 1e24, seconds: 1e8 }[kind];
  return amount > most ? `Use at most ${textOf(most)}.` : amount;
}

/** The body to send. Seeds and budget that cannot be read are left out; the form shows their own messages. */
export function bodyOf(draft: Draft): ExperimentBody {
  const seeds = readSeeds(draft.seeds);
  const amount = draft.budgetKind === "none" ? null : readBudget(draft.budgetKind, draft.budget);
  return {
    name: draft.name.trim(),
    algorithms: draft.algorithms,
    space: draft.space,
    space_options: draft.spaceOptions,
    datasets: draft.datasets.map((item) => item.id),
    dataset_options: draft.datasets.map((item) => item.options),
    model: draft.model,
    population: draft.population,
    start: draft.start,
    seeds: typeof seeds === "string" ? [] : seeds,
    budget: draft.budgetKind === "none" || typeof amount !== "number" ? null : { [draft.budgetKind]: amount },
    count_repeats: draft.countRepeats || draft.budgetKind !== "trials",
    training: draft.training,
    ...draft.evaluation,
    finale: draft.finale,
    runtime: draft.runtime as RuntimeOptions,
  };
}

// ---- changes that carry others with them

/** Another data set in the place of all others: keep what still fits, and change what cannot stay. */
export function withDataset(catalogue: Catalogue, draft: Draft, id: string): Draft {
  const kept = draft.datasets.find((item) => item.id === id);
  return withSpace(catalogue, { ...draft, datasets: [kept ?? { id, options: {} }] }, fittingSpace(catalogue, id, draft.space));
}

/** Another space: algorithms that cannot search it go; if none is left, the first that can comes. */
export function withSpace(catalogue: Catalogue, draft: Draft, space: string): Draft {
  const ids = draft.datasets.map((item) => item.id);
  const kept = draft.algorithms.filter(({ id }) => fits(catalogue, id, space, ids));
  const first = catalogue.compatibility.find((row) => row.space === space && row.dataset === ids[0]);
  const moved = { ...draft, space, spaceOptions: space === draft.space ? draft.spaceOptions : {} };
  return withAlgorithms(catalogue, moved, kept.length > 0 || !first ? kept : [{ id: first.algorithm, options: {} }]);
}

/** One algorithm and no other, in that space. */
export function withOnly(catalogue: Catalogue, draft: Draft, algorithm: string, space: string): Draft {
  const kept = draft.algorithms.filter(({ id }) => id === algorithm);
  const moved = { ...draft, space, spaceOptions: space === draft.space ? draft.spaceOptions : {} };
  return withAlgorithms(catalogue, moved, kept.length > 0 ? kept : [{ id: algorithm, options: {} }]);
}

/** Other algorithms: as many data sets as they search, and a budget that they can spend. */
export function withAlgorithms(catalogue: Catalogue, draft: Draft, algorithms: Chosen[]): Draft {
  const entries = (chosen: Chosen[]) => chosen.flatMap(({ id }) => catalogue.algorithms.find((item) => item.id === id) ?? []);
  const datasets = enoughData(entries(draft.algorithms), entries(algorithms), draft.datasets);
  return withSpendable(catalogue, { ...draft, algorithms, datasets });
}

const suggestedBy = (algorithm: Algorithm): Chosen[] => algorithm.domains.default.map(({ dataset, options }) => ({ id: dataset, options: { ...options } }));

/** Too few data sets: those that an algorithm suggests. Too many: the first ones, without options that were only suggested. */
function enoughData(before: Algorithm[], now: Algorithm[], datasets: Chosen[]): Chosen[] {
  if (now.length === 0 || clash(now) !== null) return datasets;
  const { least, most } = countOf(now);
  if (datasets.length < least) {
    const suggested = now.map(suggestedBy).find((list) => list.length >= least && list.length <= most);
    return suggested ?? Array.from({ length: least }, (_, place) => datasets[place] ?? { id: datasets[0]?.id ?? "", options: {} });
  }
  if (datasets.length <= most) return datasets;
  const untouched = before.some((item) => equal(suggestedBy(item), datasets));
  return datasets.slice(0, most).map((item) => (untouched ? { ...item, options: {} } : item));
}

/** A budget that nobody has typed follows the choice; one that somebody has typed stays, and the form says what is wrong with it. */
function withSpendable(catalogue: Catalogue, draft: Draft): Draft {
  const { budgetKind, algorithms } = draft;
  const ids = algorithms.map((item) => item.id);
  const spendable = budgetsFor(catalogue, ids, draft.space, draft.datasets.map((item) => item.id));
  const needed = needBudget(catalogue, ids).length > 0;
  const right = budgetKind === "none" ? !needed : spendable.includes(budgetKind);
  const typed = budgetKind !== "none" && draft.budget !== BUDGET_EXAMPLE[budgetKind];
  if (right || typed || algorithms.length === 0) return draft;
  const kind = needed ? BUDGET_KINDS.find((item) => spendable.includes(item)) : undefined;
  return { ...draft, budgetKind: kind ?? "none", budget: kind ? BUDGET_EXAMPLE[kind] : draft.budget };
}
