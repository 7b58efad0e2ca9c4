import { describe, expect, it } from "vitest";
import fixtures from "./fixtures/schemas.json";
import type { Algorithm, Architecture, Compatible, Dataset, DomainsInfo, Estimate, Model, Run, RunSchema, SearchSpace } from "../src/api/types";
import type { JsonSchema } from "../src/schema/jsonSchema";
import { choiceNote, domainNames, shapeNote } from "../src/views/datasetText";
import { algorithmClosed, budgetsFor, clash, datasetClosed, placeClosed, spaceClosed, wrongCount, type Catalogue } from "../src/views/new/compatibility";
import { moved } from "../src/views/new/DatasetList";
import { bodyOf, draftFromBody, draftFromRun, draftOfArchitecture, formsOf, newDraft, readBudget, readSeeds, withAlgorithms, withDataset, withOnly, withSpace, type Draft } from "../src/views/new/draft";
import { nameOfPath } from "../src/views/new/pathNames";
import { adviceOf, byPath, localProblems } from "../src/views/new/useChecks";

const schema = (name: string) => (fixtures as unknown as Record<string, { schema: JsonSchema }>)[name]!.schema;
const schemas: RunSchema = { training: schema("training"), finale: schema("finale"), run: schema("run") };

const ONE: DomainsInfo = { least: 1, most: 1, default: [] };
const HALVES: DomainsInfo = {
  least: 2,
  most: 3,
  default: [{ dataset: "digits", options: { labels: [0, 1, 2, 3, 4] } }, { dataset: "digits", options: { labels: [5, 6, 7, 8, 9] } }],
};
const algorithm = (id: string, needs: string[], spaces: string[], domains = ONE) =>
  ({ id, title: id.toUpperCase(), needs, needs_budget: needs.includes("trials"), spaces, no_space_for: {}, domains, summary: "", source: "", schema: schema(`algorithm:${id}`) }) as unknown as Algorithm;
const space = (id: string, inputs = ["image"]) => ({ id, title: id, inputs, description: "", source: "", schema: schema(`space:${id}`) }) as unknown as SearchSpace;
const dataset = (id: string, more: Partial<Dataset> = {}) =>
  ({ id, title: id, provides: "samples", input_kind: "image", spaces: null, sizes: {}, available: true, missing_files: [], schema: schema(`dataset:${id}`), ...more }) as unknown as Dataset;
const row = (algorithm: string, space: string, dataset: string, budgets = ["samples", "seconds", "trials"]) => ({ algorithm, space, dataset, budgets }) as Compatible;

const catalogue: Catalogue = {
  algorithms: [
    algorithm("random", ["trials"], ["cell", "nb201", "modular", "sequence"]),
    algorithm("darts", ["gradients"], ["cell", "nb201"]),
    algorithm("wann", ["weights"], ["neuron_graph"]),
    algorithm("pathnet", ["weights"], ["modular"], HALVES),
  ],
  spaces: [space("cell"), space("nb201"), space("neuron_graph", ["image", "vector"]), space("modular", ["image", "vector"]), space("sequence", ["none"])],
  datasets: [
    dataset("digits", { shape: { input: [1, 8, 8], classes: 10 }, sizes: { "train and validation": 1348, test: 449 } }),
    dataset("nb201_cifar10", { provides: "table", spaces: ["nb201"], shape: { input: [3, 32, 32], classes: 10 } }),
    dataset("mnist", { available: false, missing_files: ["mnist/train.gz"] }),
    dataset("learn_to_count", { provides: "objective", input_kind: "none", spaces: ["sequence"], shape: { input: [], classes: 0 } }),
  ],
  compatibility: [
    row("random", "cell", "digits"),
    row("random", "nb201", "digits"),
    row("random", "nb201", "nb201_cifar10", ["samples", "trials"]),
    row("random", "cell", "mnist"),
    row("darts", "cell", "digits", ["samples", "seconds"]),
    row("darts", "nb201", "digits", ["samples", "seconds"]),
    row("wann", "neuron_graph", "digits", ["samples", "seconds"]),
    row("random", "modular", "digits"),
    row("random", "sequence", "learn_to_count", ["trials"]),
    row("pathnet", "modular", "digits", ["samples", "seconds"]),
    row("pathnet", "modular", "mnist", ["samples", "seconds"]),
  ],
};
const forms = formsOf(catalogue, schemas);
const draft = newDraft(catalogue);
const [digits, table, mnist, counting] = catalogue.datasets as [Dataset, Dataset, Dataset, Dataset];
const [cell, nb201, neurons, modular, sequence] = catalogue.spaces as [SearchSpace, SearchSpace, SearchSpace, SearchSpace, SearchSpace];
const [random, darts, wann, pathnet] = catalogue.algorithms as [Algorithm, Algorithm, Algorithm, Algorithm];
/** PathNet on the two halves of digits. */
const halves = withOnly(catalogue, draft, "pathnet", "modular");

describe("what goes together", () => {
  it("says why a choice is closed", () => {
    expect(datasetClosed(catalogue, digits)).toBeNull();
    expect(datasetClosed(catalogue, mnist)).toBe("Missing: mnist/train.gz");
    expect(spaceClosed(catalogue, nb201, table)).toBeNull();
    expect(spaceClosed(catalogue, cell, table)).toEqual({ reason: "nb201_cifar10 only answers for nb201.", dataset: digits });
    expect(algorithmClosed(catalogue, darts, nb201, [table])).toEqual({
      reason: "Needs training examples; nb201_cifar10 only answers from a table.",
      space: null,
      alone: false,
    });
    expect(algorithmClosed(catalogue, wann, cell, [digits])).toEqual({ reason: "Searches neuron_graph, not cell.", space: neurons, alone: false });
    const blind = { ...wann, no_space_for: { image: "It is blind." } };
    expect(algorithmClosed(catalogue, blind, cell, [digits])?.reason).toBe("Searches nothing on image data. It is blind.");
  });
  it("allows only budgets that all chosen algorithms can spend", () => {
    expect(budgetsFor(catalogue, ["random"], "cell", ["digits"])).toEqual(["trials", "samples", "seconds"]);
    expect(budgetsFor(catalogue, ["random", "darts"], "cell", ["digits"])).toEqual(["samples", "seconds"]);
  });
  it("keeps what still fits when data or space change", () => {
    const both = { ...draft, algorithms: [{ id: "random", options: { window: 2 } }, { id: "darts", options: {} }] };
    const moved = withDataset(catalogue, both, "nb201_cifar10");
    expect([moved.space, moved.algorithms]).toEqual(["nb201", [{ id: "random", options: { window: 2 } }]]);
    expect(withSpace(catalogue, both, "neuron_graph").algorithms).toEqual([{ id: "wann", options: {} }]);
  });
  it("starts with data that are there", () => {
    expect(draft).toMatchObject({ datasets: [{ id: "digits" }], space: "cell", algorithms: [{ id: "random" }], budgetKind: "trials" });
    expect(newDraft(catalogue, { algorithm: "wann" })).toMatchObject({ space: "neuron_graph", algorithms: [{ id: "wann" }] });
    expect(newDraft(catalogue, { dataset: "mnist" })).toMatchObject({ datasets: [{ id: "mnist" }] });
  });
});

describe("data without samples", () => {
  it("says so, and opens only the space, the algorithms and the budget that need none", () => {
    expect([choiceNote(counting), choiceNote(table), choiceNote(digits)]).toEqual([
      "no samples: a formula scores each genome",
      "3 × 32 × 32, 10 classes, answers from a table",
      "1 × 8 × 8, 10 classes, by default 1,348 for train and validation",
    ]);
    expect(choiceNote({ ...table, input_kind: "none", shape: null })).toBe("no samples: a table answers for each genome");
    expect(spaceClosed(catalogue, sequence, digits)).toEqual({ reason: "Takes no data: a formula scores each genome. digits is data to train on.", dataset: counting });
    expect(spaceClosed(catalogue, cell, counting)?.reason).toBe("learn_to_count only answers for sequence.");
    const moving = withDataset(catalogue, { ...draft, budgetKind: "samples", budget: "900 k" }, "learn_to_count");
    expect(moving).toMatchObject({ space: "sequence", algorithms: [{ id: "random" }], budgetKind: "trials", budget: "20" });
    expect(budgetsFor(catalogue, ["random"], "sequence", ["learn_to_count"])).toEqual(["trials"]);
  });
  it("leaves a typed budget alone and says what is wrong with it", () => {
    const moving = withDataset(catalogue, { ...draft, budgetKind: "samples", budget: "5000" }, "learn_to_count");
    expect([moving.budgetKind, moving.budget]).toEqual(["samples", "5000"]);
    expect(localProblems(moving, catalogue, schemas, forms).get("budget")).toBe("This choice cannot spend a budget in samples.");
  });
});

describe("several data sets", () => {
  it("start from what the algorithm suggests, and leave with it", () => {
    expect(halves).toMatchObject({ space: "modular", algorithms: [{ id: "pathnet", options: {} }], datasets: HALVES.default.map(({ dataset, options }) => ({ id: dataset, options })), budgetKind: "none" });
    expect(withSpace(catalogue, halves, "cell")).toMatchObject({ datasets: [{ id: "digits", options: {} }], algorithms: [{ id: "random" }], budgetKind: "trials" });
    const own: Draft = { ...halves, datasets: [{ id: "digits", options: { validation_share: 0.5 } }, { id: "digits", options: {} }] };
    expect(withOnly(catalogue, own, "random", "modular").datasets).toEqual([{ id: "digits", options: { validation_share: 0.5 } }]);
    expect(newDraft(catalogue, { algorithm: "pathnet" }).datasets).toEqual(halves.datasets);
  });
  it("keep every data set with its options in the body and in a copy", () => {
    const body = bodyOf(halves);
    expect([body.datasets, body.dataset_options]).toEqual([["digits", "digits"], [{ labels: [0, 1, 2, 3, 4] }, { labels: [5, 6, 7, 8, 9] }]]);
    expect(draftFromBody(body, forms, catalogue)).toEqual({ ...halves, budget: "" });
    const run = { algorithm: { id: "pathnet" }, options: {}, seed: 0, space: "modular", datasets: body.datasets, config: { ...body, budget: null } } as unknown as Run;
    expect(draftFromRun(run, forms, catalogue).datasets).toEqual(halves.datasets);
  });
  it("must be as many as the algorithms search", () => {
    const problems = (count: number) => localProblems({ ...halves, datasets: Array.from({ length: count }, () => ({ id: "digits", options: {} })) }, catalogue, schemas, forms);
    expect([...problems(1)]).toEqual([["datasets", "PATHNET searches 2 to 3 data sets in order, not 1. Add 1 more."]]);
    expect([...problems(3)]).toEqual([]);
    expect([...problems(5)]).toEqual([["datasets", "PATHNET searches 2 to 3 data sets in order, not 5. Remove 2."]]);
    expect(wrongCount([random], 2)).toBe("RANDOM searches one data set, not 2. Remove 1.");
  });
  it("cannot be one and several in one experiment", () => {
    expect(clash([random, pathnet])).toBe("One experiment has one list of data sets: RANDOM searches one data set, PATHNET 2 to 3 data sets in order.");
    expect(clash([pathnet, pathnet])).toBeNull();
    const closed = algorithmClosed(catalogue, random, modular, [digits, digits], [pathnet]);
    expect(closed).toEqual({ reason: "Searches one data set, PATHNET 2 to 3 data sets in order; one experiment has one list of data sets.", space: null, alone: true });
    expect(algorithmClosed(catalogue, pathnet, modular, [digits], [random])?.alone).toBe(true);
    expect(algorithmClosed(catalogue, pathnet, modular, [digits], [])).toBeNull();
    const both = { ...halves, algorithms: [...halves.algorithms, { id: "random", options: {} }], budgetKind: "samples" as const, budget: "900 k" };
    expect([...localProblems(both, catalogue, schemas, forms).keys()]).toEqual(["algorithms"]);
    // What disagrees changes nothing: the form says so and the person decides.
    expect(withAlgorithms(catalogue, halves, both.algorithms).datasets).toEqual(halves.datasets);
  });
  it("are checked one by one, each at its own place", () => {
    const wrong: Draft = { ...halves, datasets: [{ id: "digits", options: { labels: [0, 12] } }, { id: "nb201_cifar10", options: {} }, { id: "mnist", options: {} }] };
    const problems = localProblems(wrong, catalogue, schemas, forms);
    expect([...problems.keys()]).toEqual(["dataset_options.0.labels.1", "datasets.1", "datasets.2"]);
    expect(problems.get("datasets.1")).toBe("PATHNET cannot search modular on nb201_cifar10.");
    expect(placeClosed(catalogue, mnist, "modular", [pathnet])).toBe("Missing: mnist/train.gz");
    const name = (path: string) => nameOfPath(path, forms, wrong, (id) => id);
    expect([name("dataset_options.0.labels.1"), name("datasets.1"), name("datasets")]).toEqual(["Data set 1: Classes", "Data set 2", "Data"]);
  });
  it("are told apart by what differs", () => {
    expect(domainNames(["digits"], [{ labels: [1, 2] }])).toEqual(["digits"]);
    expect(domainNames(["digits", "digits", "mnist"], [{ labels: [0, 1, 2, 5] }, { labels: [3, 4], validation_share: 0.25 }])).toEqual([
      "digits, labels 0–2, 5",
      "digits, labels 3, 4, validation_share 0.25",
      "mnist",
    ]);
    expect(domainNames(["digits", "digits"])).toEqual(["digits (1)", "digits (2)"]);
    expect(shapeNote(digits, { labels: [0, 1, 2] })).toBe("1 × 8 × 8, 3 of 10 classes");
    expect(moved(["a", "b", "c"], 2, 0)).toEqual(["c", "a", "b"]);
    expect(moved(["a", "b", "c"], 0, 1)).toEqual(["b", "a", "c"]);
  });
});

describe("typed seeds and budgets", () => {
  it("reads lists and ranges of seeds", () => {
    expect(readSeeds("0, 1 5-8")).toEqual([0, 1, 5, 6, 7, 8]);
    expect(readSeeds("3")).toEqual([3]);
    for (const text of ["", "a", "-1", "5-2", "1,1", "0-100", "2147483648"]) expect(typeof readSeeds(text), text).toBe("string");
  });
  it("reads amounts with k and M", () => {
    expect(readBudget("samples", "900 k")).toBe(900_000);
    expect(readBudget("samples", "1.5M")).toBe(1_500_000);
    expect(readBudget("trials", "20")).toBe(20);
    for (const text of ["", "2.5", "0", "-3", "many"]) expect(typeof readBudget("trials", text), text).toBe("string");
  });
});

describe("body and draft", () => {
  it("gives the body that POST experiments takes", () => {
    expect(bodyOf({ ...draft, name: " mine ", seeds: "0-2" })).toEqual({
      name: "mine",
      algorithms: [{ id: "random", options: {} }],
      space: "cell",
      space_options: {},
      datasets: ["digits"],
      dataset_options: [{}],
      model: null,
      population: null,
      start: [],
      seeds: [0, 1, 2],
      budget: { trials: 20 },
      count_repeats: true,
      training: {},
      finale: {},
      runtime: {},
    });
  });
  it("begins with a finished model where the address names one: its data, and a search that can", () => {
    const model = { id: "m1", datasets: ["digits"], space: "cell" } as unknown as Model;
    const able = { ...catalogue, algorithms: catalogue.algorithms.map((item) => (item.id === "darts" ? { ...item, begins_with_model: "Grow" } : item)) };
    const begun = newDraft(able, { model });
    expect([begun.model, begun.datasets[0]?.id, begun.algorithms.map((item) => item.id)]).toEqual(["m1", "digits", ["darts"]]);
    expect(draftFromBody(bodyOf(begun), forms, able).model).toBe("m1");
    const closed = algorithmClosed(able, able.algorithms.find((item) => item.id === "random")!, able.spaces[0], able.datasets.slice(0, 1), [], { model: true });
    expect(closed?.reason).toBe("Does not begin with a finished model.");
  });
  it("begins with a given architecture: to train it as it is, or with a search that can start from it", () => {
    const found = { space: "nb201", space_options: {}, text: "|a|", searches: [{ id: "random", title: "RANDOM" }] } as unknown as Architecture;
    const more: Catalogue = {
      ...catalogue,
      algorithms: [...catalogue.algorithms.map((item) => ({ ...item, begins_with_architectures: item.id === "random" })), { ...random, id: "given_architecture", needs_budget: false, needs: [] }],
      compatibility: [...catalogue.compatibility, row("given_architecture", "nb201", "digits")],
    };
    const train = draftOfArchitecture(found, "train", forms, more);
    expect([train.space, train.datasets[0]?.id, train.algorithms]).toEqual(["nb201", "digits", [{ id: "given_architecture", options: { architecture: "|a|" } }]]);
    expect([train.start, bodyOf(train).budget]).toEqual([[], null]);
    const start = draftOfArchitecture(found, "start", forms, more);
    expect([start.space, start.algorithms.map((item) => item.id), start.start]).toEqual(["nb201", ["random"], ["|a|"]]);
    expect(bodyOf(start)).toMatchObject({ start: ["|a|"], budget: { trials: 20 } });
    expect(draftFromBody(bodyOf(start), forms, more).start).toEqual(["|a|"]);
    const closed = (id: string) => algorithmClosed(more, more.algorithms.find((item) => item.id === id)!, nb201, [digits], [], { architectures: true });
    expect(closed("darts")?.reason).toBe("Does not begin with a given architecture.");
    expect(closed("random")).toBeNull();
  });
  it("asks for repeats that do not count only where trials are counted", () => {
    const body = bodyOf({ ...draft, countRepeats: false });
    expect([body.budget, body.count_repeats]).toEqual([{ trials: 20 }, false]);
    expect(draftFromBody(body, forms, catalogue).countRepeats).toBe(false);
    expect(bodyOf({ ...draft, countRepeats: false, budgetKind: "samples", budget: "900 k" }).count_repeats).toBe(true);
  });
  it("reads large amounts by their letter", () => {
    expect([readBudget("flops", "1.5 T"), readBudget("flops", "2G"), readBudget("samples", "900 k"), readBudget("flops", "3 P")]).toEqual([1.5e12, 2e9, 9e5, 3e15]);
    expect(readBudget("flops", "1e25")).toBe("Use at most 1e24.");
  });
  it("repeats a run with only its changed settings", () => {
    const run = {
      algorithm: { id: "random", title: "Random search" },
      options: { window: 4, max_rejections: 1000 },
      seed: 7,
      space: "cell",
      datasets: ["digits"],
      config: {
        algorithm: "random",
        space_options: { nodes: 4 },
        dataset_options: [{ validation_share: 0.5 }],
        budget: { trials: null, samples: 5000, seconds: null },
        training: { epochs: 3, momentum: 0.5 },
        threads: 2,
        together: 8,
        max_failures: 5,
        device: "auto",
      },
    } as unknown as Run;
    const copy = draftFromRun(run, forms, catalogue);
    expect(copy).toMatchObject({
      algorithms: [{ id: "random", options: { window: 4 } }],
      datasets: [{ id: "digits", options: { validation_share: 0.5 } }],
      spaceOptions: {},
      seeds: "7",
      budgetKind: "samples",
      budget: "5000",
      training: { momentum: 0.5 },
      runtime: { threads: 2, together: 8 },
    });
    expect(draftFromBody(bodyOf(copy), forms, catalogue)).toEqual(copy);
  });
});

describe("live problems", () => {
  const problems = (change: Partial<typeof draft>) => localProblems({ ...draft, ...change }, catalogue, schemas, forms);
  it("has none for the first draft", () => {
    expect([...problems({})]).toEqual([]);
  });
  it("puts each message at its field's path", () => {
    expect([...problems({ algorithms: [{ id: "random", options: { window: 0 } }] })]).toEqual([["algorithms.0.options.window", "Use a number from 1 to 64."]]);
    expect([...problems({ algorithms: [] }).keys()]).toEqual(["algorithms"]);
    expect(problems({ budgetKind: "none" }).get("budget")).toBe("RANDOM stops only by a budget.");
    expect(problems({ algorithms: [{ id: "darts", options: {} }] }).get("budget")).toBe("This choice cannot spend a budget in trials.");
    expect([...problems({ seeds: "x", runtime: { threads: 0 } }).keys()]).toEqual(["seeds", "runtime.threads"]);
  });
  it("joins the server's paths with the form's", () => {
    const map = byPath([
      { field: "budget.trials", message: "too many", code: "invalid" },
      { field: "training.epochs", message: "input should be greater", code: "invalid" },
    ]);
    expect([...map]).toEqual([
      ["budget", "Too many"],
      ["training.epochs", "Input should be greater"],
    ]);
  });
  it("says each piece of advice once, and prefers the estimate's", () => {
    const checked = ["GRID: The grid has 324 genomes."];
    const estimate = (advice: string[][]) =>
      ({ id: "x", state: "done", reason: "", result: { total_seconds: 1, runs: advice.map((said, seed) => ({ algorithm: "grid", seed, advice: said })) } }) as unknown as Estimate;
    const cut = "The grid has 324 genomes, the budget allows at most 100.";
    const titleOf = (id: string) => id.toUpperCase();
    expect(adviceOf(checked, null, titleOf)).toEqual(checked);
    expect(adviceOf(checked, estimate([[cut], [cut]]), titleOf)).toEqual([`GRID: ${cut}`]);
    expect(adviceOf(checked, { ...estimate([]), state: "failed", result: null }, titleOf)).toEqual(checked);
  });
  it("names paths in the form's words", () => {
    const name = (path: string) => nameOfPath(path, forms, draft, (id) => id.toUpperCase());
    expect(name("algorithms.0.options.window")).toBe("RANDOM: Window of open trials");
    expect(name("finale.training.epochs")).toBe("Finale: Training, Epochs");
    expect(name("algorithms.0.options.nothing")).toBe("RANDOM: nothing");
    expect(name("seeds")).toBe("Seeds");
  });
});
