/** Scores of every task by their own name. */
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import type { Experiment, Model, Run } from "../src/api/types";
import { figures } from "../src/run/ControlTable";
import { FinalModel } from "../src/run/FinalModel";
import { Outcome } from "../src/run/Outcome";
import { bestName } from "../src/run/valueNames";
import { RunStore } from "../src/stream/store";
import { metricName } from "../src/ui/format";
import { commonKey, isShare, scoreKey, scoreOf } from "../src/ui/score";
import { RunTable } from "../src/views/RunTable";
import { AlgorithmComparison } from "../src/views/AlgorithmComparison";
import { ExperimentTable } from "../src/views/ExperimentTable";
import { leadingScore, testScores, visitsText } from "../src/views/experimentText";
import { ahead, axes, axisOf, inFull } from "../src/ui/scoreKinds";
import { algorithm, event, run, score, scored } from "./run/events";

afterEach(cleanup);

const model = (metrics: Record<string, number>, role: "finalist" | "baseline" = "finalist"): Model => ({
  id: role, run: "r1", experiment: { id: "e1", name: "" }, algorithm: algorithm("A"), space: "s", datasets: ["wine"], seed: 0, index: role === "finalist" ? 0 : 1, role,
  title: "", genome_hash: "h", metrics, ...scored(metrics), parameters: null, flops: null, begins: [], bundle: null, reason: "", created: "",
});

describe("a control", () => {
  it("stands beside the search's own figures, whatever the search is called", () => {
    expect(figures({ val_accuracy: 0.9, parameters: 10, adanet_val_accuracy: 0.8, adanet_parameters: 12 })).toEqual([["val_accuracy", 0.9, 0.8], ["parameters", 10, 12]]);
    expect(figures({ loss: 1, val_loss: 2 })).toEqual([["loss", 1, undefined], ["val_loss", 2, undefined]]);
    expect(figures({ samples: 5 })[0]?.[0]).toBe("samples");
    expect(figures({ samples: 5, random_max: 1 })[0]?.[0]).toBe("random_paths");
  });
});

describe("the score of a network", () => {
  it("is the first that its task has", () => {
    expect(scoreKey({ test_loss: 1, test_r2: 0.5 }, "test")).toBe("test_r2");
    expect(scoreKey({ val_accuracy: 1, val_elbo: -3 }, "val")).toBe("val_accuracy");
    expect(scoreKey({ test_loss: 1 }, "test")).toBeNull();
    expect(scoreOf({ test_elbo: -3 }, "test")).toBe(-3);
    expect(commonKey(["test_r2", null, "test_r2"])).toBe("test_r2");
    expect(commonKey(["test_r2", "test_accuracy"])).toBeNull();
    expect(isShare("test_accuracy")).toBe(true);
    expect(isShare("test_r2")).toBe(false);
  });

  it("has a name in words", () => {
    expect(["val_accuracy", "test_r2", "val_elbo", "kl_weights", "lambda_temp", "structure_max"].map(metricName)).toEqual([
      "validation accuracy", "test R²", "validation ELBO", "KL(q(w) ‖ p(w|Γ))", "λ_temp", "largest γ",
    ]);
  });

  it("stands first at the end of a run, whatever it is", () => {
    render(<FinalModel model={model({ test_elbo: -12.5, val_elbo: -13 })} domains={["wine"]} />);
    expect(screen.getByText("test ELBO, once").nextElementSibling?.textContent).toBe("-12.5");
    expect(screen.getByText("validation ELBO, finished").nextElementSibling?.textContent).toBe("-13");
  });

  it("is compared with chance in its own unit", () => {
    const both = run({ state: "completed", datasets: ["wine"], models: [model({ test_r2: 0.9 }), model({ test_r2: 0.7 }, "baseline")] });
    render(<Outcome run={both} store={new RunStore(() => undefined)} />);
    expect(screen.getByText(/0\.2000 of test R² above that mean and above 1 of 1/)).toBeTruthy();
    expect(screen.getByTestId("baseline-accuracy").textContent).toBe("0.7000");
  });

  it("heads a column of its own in the table of runs, with its unit", () => {
    const fitted = withModel(run({ id: "r1", search_score: score("search", "val_r2", 0.9, { selected_from: 600 }) }), { test_r2: 0.8 });
    expect(testScores(fitted).map((item) => item.value)).toEqual([0.8]);
    render(<RunTable runs={[fitted]} algorithms={[]} />);
    expect(screen.getByRole("button", { name: /Search score: validation R²/ }).textContent).toContain("share of variance");
    expect(screen.getByText("best of 600")).toBeTruthy();
    expect(bestName(fitted)).toBe("validation accuracy");
  });

  it("is in the log when a network was tested", () => {
    const store = new RunStore(() => undefined);
    store.applyRange(1, 1, [event(1, { kind: "model", index: 0, role: "finalist", genome_hash: "h", metrics: { test_r2: 0.5 }, parameters: null, flops: null, bundle: false, reason: "" } as never)]);
    expect(store.log[0]?.text).toBe("best architecture tested: test R² 0.5000");
  });
});

/** A run whose first finalist has these metrics, as the API says it. */
function withModel(of: Run, metrics: Record<string, number>): Run {
  const { validation_score, test_score } = scored(metrics);
  return { ...of, state: "completed", models: [model(metrics)], validation_score, test_score };
}

const experiment = (runs: Run[]): Experiment =>
  ({ id: "e1", name: "E", created: "", space: "s", datasets: ["wine"], states: { completed: runs.length }, runs, seeds: [], budget: null, config: {}, test_visits: 0 }) as unknown as Experiment;

describe("only equals share a column or an axis", () => {
  const nats = withModel(run({ id: "a", search_score: score("search", "val_elbo", -30.27) }), { val_elbo: -30, test_elbo: -31 });
  const share = withModel(run({ id: "b", search_score: score("search", "val_accuracy", 0.97) }), { val_accuracy: 0.96, test_accuracy: 0.95 });
  const gradient = withModel(run({ id: "c" }), { val_accuracy: 0.94, test_accuracy: 0.93 });

  it("never -30.27 under the heading of .97", () => {
    render(<RunTable runs={[nats, share, gradient]} algorithms={[]} />);
    const headings = screen.getAllByRole("columnheader").map((item) => item.textContent ?? "");
    for (const row of screen.getAllByRole("row").slice(1))
      [...row.children].forEach((cell, place) => {
        const heading = headings[place] ?? "";
        if (/-3[01]/.test(cell.textContent ?? "")) expect(heading).toMatch(/ELBO.*nats per example/);
        if (/0\.9\d/.test(cell.textContent ?? "")) expect(heading).toMatch(/accuracy.*share of examples/);
      });
    expect(headings.filter((text) => text.startsWith("Search score"))).toHaveLength(2);
  });

  it("nor on one axis of the comparison, and the search's score not on that of the finished network", () => {
    render(<AlgorithmComparison runs={[nats, { ...nats, id: "a2", seed: 4 }, share, gradient]} />);
    const headings = screen.getAllByRole("columnheader").map((item) => item.textContent ?? "").slice(1);
    expect(new Set(headings).size).toBe(headings.length);
    expect(headings.filter((text) => text.startsWith("Validation, finished"))).toHaveLength(2);
    for (const text of headings) expect(text).toMatch(/nats per example|share of examples/);
  });

  it("and a list says what each number is, or that there are several measures", () => {
    render(<ExperimentTable experiments={[experiment([nats]), experiment([share]), experiment([nats, share]), experiment([gradient])]} />);
    const cells = screen.getAllByRole("row").slice(1).map((row) => row.children[3]?.textContent);
    expect(cells).toEqual([
      "-30.27validation ELBO, nats per example", "0.9700validation accuracy, share of examples", "several measures",
      "0.9400validation accuracy, share of examplesfinished network",
    ]);
  });

  it("by kind, measure and unit; a search's also by what its networks had been given", () => {
    const shared = { fidelity: { text: "shared weights", epochs: null, samples: null } };
    const [trained, weights] = [score("search", "val_accuracy", 0.9), score("search", "val_accuracy", 0.9, shared)];
    expect(axisOf(trained)).not.toBe(axisOf(weights));
    const finished = [score("test", "test_accuracy", 0.9), score("test", "test_accuracy", 0.8, shared)];
    expect(axes(finished)).toHaveLength(1);
    expect(axes(finished)[0]?.fidelity).toBeNull();
    expect(ahead(score("search", "loss", 1, { direction: "minimise" }), score("search", "loss", 2, { direction: "minimise" }))).toBe(true);
  });

  it("and each says all that it takes to read it", () => {
    expect(inFull(score("search", "val_accuracy", 0.9, { selected_from: 600 }))).toBe(
      "Search score: validation accuracy, share of examples, higher is better; trained for 12 epochs; best of 600",
    );
    expect(inFull(score("test", "test_r2", 0.9))).toMatch(/scored once, when it was finished; nothing was chosen by it$/);
  });
});

describe("the test split", () => {
  it("is no way to choose: no column of it sorts, and no list leads with it", () => {
    const runs = [withModel(run({ id: "a" }), { test_accuracy: 0.9 }), withModel(run({ id: "b" }), { test_accuracy: 0.99 })];
    render(<RunTable runs={runs} algorithms={[]} />);
    expect(screen.queryByRole("button", { name: /test/i })).toBeNull();
    expect(screen.getByRole("columnheader", { name: /^Test, once: test accuracy/ })).toBeTruthy();
    expect(leadingScore(experiment(runs))).toBeNull();
    expect(document.querySelector(".leader")).toBeNull();
  });

  it("has its visits counted over seeds and clones", () => {
    expect(visitsText({ run: 1, experiment: 3, data: 7, part: "digits (labels 3, 8)", further: [] })).toMatch(/^3 finished networks of this experiment, 7 of all your runs, were scored on the test part of digits \(labels 3, 8\), each once/);
    // Of several data sets each one's test part is counted for itself.
    const further = [{ part: "wine", data: 12 }];
    expect(visitsText({ run: 1, experiment: 3, data: 7, part: "digits", further }, 2)).toMatch(/^3 finished networks of this experiment were scored on the test parts of its data sets, once on each that it is for; of all your runs 7 on that of digits, 12 on that of wine\./);
    render(<Outcome run={{ ...withModel(run(), { test_accuracy: 0.9 }), test_visits: { run: 1, experiment: 1, data: 1, part: "wine", further: [] } }} store={new RunStore(() => undefined)} />);
    expect(screen.getByText(/^1 finished network of this experiment was scored on the test part of wine, each once/)).toBeTruthy();
  });
});

describe("an accuracy comes with what unmasks it", () => {
  it("at the end of a run", () => {
    const found = { split: "test" as const, domain: 0, classes: ["no", "yes"], examples: [98, 2], recall: [1, 0], accuracy: 0.98, balanced_accuracy: 0.5, macro_f1: 0.49, majority: "no", majority_share: 0.98 };
    const warned = { ...model({ test_accuracy: 0.98 }), by_class: [found], warnings: ["The classes are unequal: 98 % of the examples are 'no'."] };
    render(<FinalModel model={warned} domains={["wine"]} />);
    expect(screen.getByText(/balanced accuracy 0\.5000, macro F1 0\.4900; always answering 'no' has 0\.9800/)).toBeTruthy();
    expect(screen.getByRole("list", { name: "Read this beside the scores" }).textContent).toMatch(/unequal/);
    expect(screen.getByRole("rowheader", { name: "yes" }).parentElement?.textContent).toBe("yes20.0000");
  });
});
