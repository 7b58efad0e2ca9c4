import { describe, expect, it } from "vitest";
import fixtures from "./fixtures/schemas.json";
import type { Algorithm, Compatible, Dataset, Run, RunSchema, SearchSpace } from "../src/api/types";
import type { JsonSchema } from "../src/schema/jsonSchema";
import { algorithmClosed, budgetsFor, datasetClosed, spaceClosed, type Catalogue } from "../src/views/new/compatibility";
import { bodyOf, draftFromBody, draftFromRun, formsOf, newDraft, readBudget, readSeeds, withDataset, withSpace } from "../src/views/new/draft";
import { nameOfPath } from "../src/views/new/pathNames";
import { byPath, localProblems } from "../src/views/new/useChecks";

const schema = (name: string) => (fixtures as unknown as Record<string, { schema: JsonSchema }>)[name]!.schema;
const schemas: RunSchema = { training: schema("training"), finale: schema("finale"), run: schema("run") };

const algorithm = (id: string, needs: string[], spaces: string[]) =>
  ({ id, title: id.toUpperCase(), needs, spaces, summary: "", source: "", schema: schema(`algorithm:${id}`) }) as unknown as Algorithm;
const space = (id: string, inputs = ["image"]) => ({ id, title: id, inputs, description: "", source: "", schema: schema(`space:${id}`) }) as unknown as SearchSpace;
const dataset = (id: string, more: Partial<Dataset> = {}) =>
  ({ id, title: id, provides: "samples", input_kind: "image", spaces: null, sizes: {}, available: true, missing_files: [], schema: schema(`dataset:${id}`), ...more }) as unknown as Dataset;
const row = (algorithm: string, space: string, dataset: string, budgets = ["samples", "seconds", "trials"]) => ({ algorithm, space, dataset, budgets }) as Compatible;

const catalogue: Catalogue = {
  algorithms: [algorithm("random", ["trials"], ["cell", "nb201"]), algorithm("darts", ["gradients"], ["cell", "nb201"]), algorithm("wann", ["weights"], ["neuron_graph"])],
  spaces: [space("cell"), space("nb201"), space("neuron_graph", ["image", "vector"])],
  datasets: [dataset("digits"), dataset("nb201_cifar10", { provides: "table", spaces: ["nb201"] }), dataset("mnist", { available: false, missing_files: ["mnist/train.gz"] })],
  compatibility: [
    row("random", "cell", "digits"),
    row("random", "nb201", "digits"),
    row("random", "nb201", "nb201_cifar10", ["samples", "trials"]),
    row("random", "cell", "mnist"),
    row("darts", "cell", "digits", ["samples", "seconds"]),
    row("darts", "nb201", "digits", ["samples", "seconds"]),
    row("wann", "neuron_graph", "digits", ["samples", "seconds"]),
  ],
};
const forms = formsOf(catalogue, schemas);
const draft = newDraft(catalogue);
const [digits, table, mnist] = catalogue.datasets as [Dataset, Dataset, Dataset];
const [cell, nb201, neurons] = catalogue.spaces as [SearchSpace, SearchSpace, SearchSpace];

describe("what goes together", () => {
  it("says why a choice is closed", () => {
    expect(datasetClosed(catalogue, digits)).toBeNull();
    expect(datasetClosed(catalogue, mnist)).toBe("Missing: mnist/train.gz");
    expect(spaceClosed(catalogue, nb201, table)).toBeNull();
    expect(spaceClosed(catalogue, cell, table)).toBe("nb201_cifar10 only answers for nb201.");
    expect(algorithmClosed(catalogue, catalogue.algorithms[1]!, nb201, table)).toEqual({
      reason: "Needs training examples; nb201_cifar10 only answers from a table.",
      space: null,
    });
    expect(algorithmClosed(catalogue, catalogue.algorithms[2]!, cell, digits)).toEqual({ reason: "Searches neuron_graph, not cell.", space: neurons });
  });
  it("allows only budgets that all chosen algorithms can spend", () => {
    expect(budgetsFor(catalogue, ["random"], "cell", "digits")).toEqual(["samples", "trials", "seconds"]);
    expect(budgetsFor(catalogue, ["random", "darts"], "cell", "digits")).toEqual(["samples", "seconds"]);
  });
  it("keeps what still fits when data or space change", () => {
    const both = { ...draft, algorithms: [{ id: "random", options: { window: 2 } }, { id: "darts", options: {} }] };
    const moved = withDataset(catalogue, both, "nb201_cifar10");
    expect([moved.space, moved.algorithms]).toEqual(["nb201", [{ id: "random", options: { window: 2 } }]]);
    expect(withSpace(catalogue, both, "neuron_graph").algorithms).toEqual([{ id: "wann", options: {} }]);
  });
  it("starts with data that are there", () => {
    expect(draft).toMatchObject({ dataset: "digits", space: "cell", algorithms: [{ id: "random" }], budgetKind: "trials" });
    expect(newDraft(catalogue, { algorithm: "wann" })).toMatchObject({ space: "neuron_graph", algorithms: [{ id: "wann" }] });
    expect(newDraft(catalogue, { dataset: "mnist" })).toMatchObject({ dataset: "mnist" });
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
      seeds: [0, 1, 2],
      budget: { trials: 20 },
      training: {},
      finale: {},
      runtime: {},
    });
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
        max_failures: 5,
        device: "auto",
      },
    } as unknown as Run;
    const copy = draftFromRun(run, forms, catalogue);
    expect(copy).toMatchObject({
      algorithms: [{ id: "random", options: { window: 4 } }],
      datasetOptions: { validation_share: 0.5 },
      spaceOptions: {},
      seeds: "7",
      budgetKind: "samples",
      budget: "5000",
      training: { momentum: 0.5 },
      runtime: { threads: 2 },
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
  it("names paths in the form's words", () => {
    const name = (path: string) => nameOfPath(path, forms, draft, (id) => id.toUpperCase());
    expect(name("algorithms.0.options.window")).toBe("RANDOM: Window of open trials");
    expect(name("finale.training.epochs")).toBe("Finale: Training, Epochs");
    expect(name("algorithms.0.options.nothing")).toBe("RANDOM: nothing");
    expect(name("seeds")).toBe("Seeds");
  });
});
