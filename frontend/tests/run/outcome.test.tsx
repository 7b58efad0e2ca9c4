import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Model, Run } from "../../src/api/types";
import { figureName, figureText, figures } from "../../src/run/ControlTable";
import { Outcome } from "../../src/run/Outcome";
import { RunHeader } from "../../src/run/RunHeader";
import { TrialTable } from "../../src/run/TrialTable";
import { RunStore } from "../../src/stream/store";
import { Toasts } from "../../src/ui/toast";
import { testScores } from "../../src/views/experimentText";
import { algorithm, event, run, score, scored } from "./events";

let flushes: (() => void)[];
let store: RunStore;
const flush = () => act(() => flushes.splice(0).forEach((call) => call()));

beforeEach(() => {
  flushes = [];
  store = new RunStore((call) => flushes.push(call));
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const HALVES = { datasets: ["digits", "digits"], config: { dataset_options: [{ labels: [0, 1, 2] }, { labels: [3, 4, 5] }] } };

const model = (index: number, role: Model["role"], metrics: Record<string, number>, changes: Partial<Model> = {}): Model => ({
  id: `m${index}`, run: "r1", experiment: { id: "e1", name: "" }, algorithm: algorithm("PathNet"), space: "modular", datasets: ["digits", "digits"], seed: 3, index, role,
  title: "", genome_hash: "h", metrics, ...scored(metrics), parameters: 100, flops: 200, begins: [], bundle: role === "finalist" ? { size: 1000, sha256: "", checked: null, damage: "", repair: "", rebuild: "no" } : null, reason: "", created: "", ...changes,
});
const finalist = (seq: number, index: number, title: string, domains: number[], role = "finalist") =>
  event(seq, { kind: "finalist", index, role, title, genome: {}, genome_hash: "h", string: "", graph: {}, finish: "as_is", domains } as never);
const control = (seq: number, values: Record<string, number>, title = "Control: task B from scratch") =>
  event(seq, { kind: "control", name: "from_scratch", title, message: "Task B from scratch: 0.9 after 7 tournaments.", values } as never);

function show(changed: Partial<Run>, events: ReturnType<typeof event>[]) {
  store.setRun(run({ state: "completed", ...changed }));
  store.applyRange(1, events.length, events);
  flush();
  render(<Outcome run={store.run!} store={store} />);
}

describe("several networks at the end", () => {
  it("each have their data set's name, their test and their download", () => {
    show({ ...HALVES, models: [model(1, "finalist", { test_accuracy: 0.91 }), model(0, "finalist", { test_accuracy: 0.97 })] }, [
      finalist(1, 0, "path of task A", [0]),
      finalist(2, 1, "path of task B", [1]),
    ]);
    expect(screen.getAllByRole("heading", { level: 4 }).map((item) => item.textContent)).toEqual([
      "Path of task Aon digits, labels 0–2",
      "Path of task Bon digits, labels 3–5",
    ]);
    expect(screen.getAllByTestId("test-accuracy").map((item) => item.textContent)).toEqual(["0.9700", "0.9100"]);
    expect(screen.getAllByRole("link", { name: "Download" }).map((item) => item.getAttribute("href"))).toEqual(["/api/v1/models/m0/download", "/api/v1/models/m1/download"]);
  });

  it("keep their data sets' names when a shorter answer about the run follows", () => {
    show({ ...HALVES, models: [model(0, "finalist", { test_accuracy: 0.97 }), model(1, "finalist", { test_accuracy: 0.9 })] }, [finalist(1, 0, "a", [0]), finalist(2, 1, "b", [1])]);
    const { config: _config, ...short } = store.run!;
    store.setRun(short);
    expect(store.run?.config).toEqual(HALVES.config);
  });

  it("are one network for all data sets with a test for each", () => {
    const metrics = { test_accuracy: 0.9, test_accuracy_1: 0.95, test_accuracy_2: 0.85, val_accuracy: 0.92 };
    show({ datasets: ["digits", "mnist"], models: [model(0, "finalist", metrics), model(1, "baseline", { test_accuracy: 0.8, test_accuracy_1: 0.7, test_accuracy_2: 0.9 })] }, [
      finalist(1, 0, "best paths", [0, 1]),
      finalist(2, 1, "random architecture, finished in the same way", [0, 1], "baseline"),
    ]);
    const terms = screen.getAllByRole("term").map((item) => item.textContent);
    expect(terms).toEqual([
      "test accuracy, mean of 2 data sets, once", "random architecture", "test, digits", "test, mnist", "validation accuracy, mean of 2 data sets, finished", "parameters",
      "FLOPs (2×MACs)",
    ]);
    expect(screen.getByTestId("test-accuracy").textContent).toBe("0.9000");
    expect(screen.getByTestId("baseline-accuracy").textContent).toBe("0.8000");
    expect(screen.getByText(/^1 random architecture finished in the same way: mean 0\.8000\. The best architecture is 10\.0 points above that mean and above 1 of 1; one run with one seed \(n = 1\): an observation/)).toBeTruthy();
  });

  it("stand beside several random ones with their spread and their sizes", () => {
    const random = (index: number, accuracy: number, parameters: number) => model(index, "baseline", { test_accuracy: accuracy }, { parameters });
    show({ datasets: ["fashion_mnist"], models: [model(0, "finalist", { test_accuracy: 0.9 }), random(1, 0.88, 95), random(2, 0.91, 108), random(3, 0.85, 100)] }, [
      finalist(1, 0, "best path", [0]),
      ...[1, 2, 3].map((index) => finalist(index + 1, index, "random architecture, finished in the same way", [0], "baseline")),
    ]);
    expect(screen.getByText("mean of 3 random ones")).toBeTruthy();
    expect(screen.getByTestId("baseline-accuracy").textContent).toBe("0.8800");
    expect(screen.getByText(/3 random architectures .* from 0\.8500 to 0\.9100.* 2\.0 points above that mean and above 2 of 3; .* They have 0\.95 to 1\.08 times its parameters\./)).toBeTruthy();
  });

  it("are compared with a baseline under its own title", () => {
    show({ datasets: ["fashion_mnist"], models: [model(0, "finalist", { test_accuracy: 0.9 }), model(1, "baseline", { test_accuracy: 0.88 })] }, [
      finalist(1, 0, "best path", [0]),
      finalist(2, 1, "best of 10 random paths", [0], "baseline"),
    ]);
    expect(screen.getByText("best of 10 random paths")).toBeTruthy();
    expect(screen.getByText("The best architecture is 2.0 points above the best of 10 random paths; one run with one seed (n = 1): an observation, no verdict on the method.")).toBeTruthy();
    cleanup();
    store = new RunStore((call) => flushes.push(call));
    show({ ...HALVES, models: [model(0, "finalist", { test_accuracy: 0.9 }), model(1, "finalist", { test_accuracy: 0.9 }), model(2, "baseline", { test_accuracy: 0.8 })] }, [
      finalist(1, 0, "a", [0]), finalist(2, 1, "b", [1]), finalist(3, 2, "an untrained path", [1], "baseline"),
    ]);
    expect(screen.getByRole("heading", { name: /For comparison: an untrained path/ })).toBeTruthy();
    expect(screen.getByTestId("baseline-accuracy").textContent).toBe("0.8000");
  });
});

describe("what can be removed", () => {
  const hint = () => screen.queryByText(/^What can be removed from the network is being measured/);
  const models = [model(0, "finalist", { test_accuracy: 0.9 })];
  const found = event(2, { kind: "report", name: "redundancy", title: "Redundancy and robustness", charts: [], values: {}, message: "" });
  it("is measured after the download is offered, and said so until it is there", () => {
    show({ state: "running", models }, [finalist(1, 0, "a", [0])]);
    expect(screen.getByRole("link", { name: "Download" })).toBeTruthy();
    expect(hint()).toBeTruthy();
    cleanup();
    store = new RunStore((call) => flushes.push(call));
    show({ state: "running", models }, [finalist(1, 0, "a", [0]), found]);
    expect(hint()).toBeNull();
  });

  it("is not promised where it will not come", () => {
    const none: [Partial<Run>, number[]][] = [
      [{ state: "cancelled", models }, [0]],
      [{ state: "running", models, config: { finale: { redundancy: false } } }, [0]],
      [{ ...HALVES, state: "running", models }, [0, 1]],
      [{ state: "running", models: [model(0, "finalist", { test_accuracy: 0.9 }, { parameters: null, bundle: null })] }, [0]],
    ];
    for (const [changed, domains] of none) {
      show(changed, [finalist(1, 0, "a", domains)]);
      expect(hint()).toBeNull();
      cleanup();
      store = new RunStore((call) => flushes.push(call));
    }
  });
});

describe("controls", () => {
  it("stand beside the search's own figures, shares in per cent", () => {
    show({ ...HALVES, models: [model(0, "finalist", { test_accuracy: 0.9 })] }, [
      finalist(1, 0, "a", [0]),
      control(2, { task: 1, tournaments: 7, fitness: 0.9, reached: 0, transfer_tournaments: 4, transfer_fitness: 0.985, transfer_reached: 1 }),
    ]);
    const part = within(screen.getByRole("region", { name: "Compared with" }));
    expect(part.getByText("Task B from scratch: 0.9 after 7 tournaments.")).toBeTruthy();
    expect(part.getAllByRole("row").map((row) => [...row.children].map((cell) => cell.textContent))).toEqual([
      ["", "control", "search"],
      ["tournaments", "7", "4"],
      ["accuracy of the best path", "90.0 %", "98.5 %"],
      ["threshold reached", "no", "yes"],
    ]);
  });

  it("are shown before the networks are finished, and without a second column where the search has no figure", () => {
    show({ models: [] }, [control(1, { policy_max: 0.875, random_max: 0.5, samples: 10 }, "Random paths")]);
    expect(screen.getByRole("region", { name: "Controls" })).toBeTruthy();
    expect(screen.getAllByRole("cell").map((cell) => cell.textContent)).toEqual(["87.5 %", "50.0 %", "10"]);
    expect(screen.queryByRole("columnheader")).toBeNull();
  });

  it("name and write their figures", () => {
    expect(figureName("accuracy_2")).toBe("accuracy, data set 2");
    expect([figureText("accuracy_2", 0.5), figureText("shared_modules", 3), figureText("loss", 0.25), figureText("fitness", undefined)]).toEqual(["50.0 %", "3", "0.2500", "–"]);
    expect(figures({ accuracy_1: 0.5, search_accuracy_1: 0.6, search_shared_modules: 2 })).toEqual([
      ["accuracy_1", 0.5, 0.6],
      ["shared_modules", undefined, 2],
    ]);
  });
});

describe("what a value is", () => {
  const shared = score("search", "val_accuracy", 0.4, { fidelity: { text: "shared weights", epochs: null, samples: null }, selected_from: 80 });
  const wann = { algorithm: algorithm("WANN", [], "shared weights"), best: { candidate: null, genome_hash: "h" }, search_score: shared };
  it("tells WANN's value with shared weights from the one after training", () => {
    const metrics = { test_accuracy: 0.58, val_accuracy: 0.6, test_random_mean: 0.4, test_random_sd: 0.1, test_ensemble: 0.5, test_tuned: 0.5, tuned_weight: -2 };
    show({ ...wann, models: [model(0, "finalist", metrics)] }, [finalist(1, 0, "a", [0])]);
    expect(screen.getByText("validation accuracy, finished").nextElementSibling?.textContent).toBe("0.6000");
    render(<RunHeader run={store.run!} store={store} />);
    expect(screen.getByText("search, validation accuracy, shared weights, best of 80").nextElementSibling?.textContent).toBe("0.4000");
  });

  it("is named by its metric in the table of trials", () => {
    store.setRun(run({ search_measure: { kind: "search", metric: "reward", name: "reward", unit: "points", direction: "maximise" } }));
    store.applyRange(1, 1, [event(1, { kind: "candidate_born", number: 0, parents: [], operator: "sample", genome: {}, genome_hash: "h", string: "s", fidelity: {} })]);
    flush();
    const { container } = render(<TrialTable store={store} selected={null} onSelect={() => undefined} />);
    expect(container.querySelector(".trial-head")?.textContent).toContain("reward");
  });

  it("is that of every data set where each has a network of its own, and the first one's otherwise", () => {
    const models = [model(1, "finalist", { test_accuracy: 0.8 }), model(0, "finalist", { test_accuracy: 0.9 }), model(2, "baseline", { test_accuracy: 0.1 })];
    expect(testScores(run({ ...HALVES, models })).map((item) => item.value)).toEqual([0.9, 0.8]);
    expect(testScores(run({ models })).map((item) => item.value)).toEqual([0.9]);
    expect(testScores(run())).toEqual([]);
  });
});

describe("the header", () => {
  it("says where trials are trained together", () => {
    store.setRun(run({ config: { together: 16 } }));
    const { unmount } = render(<RunHeader run={store.run!} store={store} />);
    expect(screen.getByText("trained together").nextElementSibling?.textContent).toBe("up to 16");
    unmount();
    render(<RunHeader run={run({ config: { together: 1 } })} store={store} />);
    expect(screen.queryByText("trained together")).toBeNull();
  });

  it("leads to several downloads, and says with which seed a run was cloned", async () => {
    const models = [model(0, "finalist", { test_accuracy: 0.97 }), model(1, "finalist", { test_accuracy: 0.91 })];
    store.setRun(run({ ...HALVES, state: "completed", models }));
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(JSON.stringify({ ...run(), id: "r2", seed: 77 }), { status: 201 })));
    render(
      <>
        <RunHeader run={store.run!} store={store} />
        <Toasts />
      </>,
    );
    expect(screen.getByText("tests, once each").nextElementSibling?.textContent).toBe("0.9700 · 0.9100");
    expect(screen.getByText(/digits, labels 0–2 then digits, labels 3–5/)).toBeTruthy();
    expect(screen.getByRole("button", { name: "2 downloads" })).toBeTruthy();
    expect(screen.queryByRole("link", { name: "Download best" })).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: "Clone" }));
    expect(await screen.findByText(/Cloned with seed 77/)).toBeTruthy();
  });
});
