import { act, cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { Profiler } from "react";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Model } from "../../src/api/types";
import { populationFigures, rankingNote } from "../../src/charts/individualPoints";
import { derivedEdges, skipConnections } from "../../src/run/derivedFacts";
import { EventLog } from "../../src/run/EventLog";
import { ProgressPanel } from "../../src/run/ProgressPanel";
import { Inspector } from "../../src/run/Inspector";
import { Matrices } from "../../src/run/MatrixTable";
import { Outcome } from "../../src/run/Outcome";
import { RunHeader, stateText } from "../../src/run/RunHeader";
import { architecturesText, stateWord } from "../../src/views/experimentText";
import { clockText, connectionChip } from "../../src/run/TimeBar";
import { TrialTable } from "../../src/run/TrialTable";
import { viewsOf } from "../../src/pictures/views";
import { waitingText } from "../../src/run/waiting";
import { TriedPanel } from "../../src/run/TriedPanel";
import { visibleRange } from "../../src/run/VirtualRows";
import { RunStore } from "../../src/stream/store";
import type { FamilyGroup } from "../../src/types/events.gen";
import { algorithm, born, event, family, run, scored, structure, told } from "./events";
import { propsOf } from "./fixtures";

const group = family.groups[0] as unknown as FamilyGroup;
let flushes: (() => void)[];
let store: RunStore;
const flush = () => act(() => flushes.splice(0).forEach((call) => call()));

beforeAll(() => {
  // happy-dom draws nothing: pictures get a context that takes every call.
  HTMLCanvasElement.prototype.getContext = (() =>
    new Proxy({}, { get: (_, name) => (name === "measureText" ? () => ({ width: 10 }) : () => undefined), set: () => true })) as never;
});
beforeEach(() => {
  flushes = [];
  store = new RunStore((call) => flushes.push(call));
  store.setRun(run());
});
afterEach(cleanup);

function manyTrials(count: number) {
  for (let number = 0; number < count; number++) store.applyRange(2 * number + 1, 2 * number + 2, [born(2 * number + 1, number), told(2 * number + 2, number, number / count)]);
  flush();
}

describe("long lists", () => {
  it("draws only the rows in sight", () => {
    expect(visibleRange(0, 300, 20, 10_000)).toEqual([0, 21]);
    expect(visibleRange(100_000, 300, 20, 10_000)).toEqual([4994, 5021]);
    expect(visibleRange(0, 300, 20, 3)).toEqual([0, 3]);
  });

  it("shows 10,000 trials with a few dozen rows, the newest first", () => {
    manyTrials(10_000);
    const select = vi.fn();
    const { container } = render(<TrialTable store={store} selected={9998} onSelect={select} />);
    const rows = container.querySelectorAll("button.trial-row");
    expect(rows.length).toBeLessThan(60);
    expect(rows[0]?.textContent).toContain("9999");
    expect(container.querySelector(".trial-selected")?.textContent).toContain("9998");
    fireEvent.click(rows[3] as Element);
    expect(select).toHaveBeenCalledWith(9996);
  });

  it("is not rendered again by structure frames", () => {
    manyTrials(5);
    const renders = vi.fn();
    render(
      <Profiler id="tried" onRender={renders}>
        <TriedPanel {...propsOf(store)} />
      </Profiler>,
    );
    store.applyRange(11, 11, [event(11, family as never)]);
    flush();
    const before = renders.mock.calls.length;
    for (let seq = 12; seq < 312; seq++) {
      store.applyRange(seq, seq, [structure(seq, Array<number>(12).fill(0.25))]);
      flush();
    }
    expect(renders.mock.calls.length).toBe(before);
  });

  it("shows beside the curves what makes the figures say less than they seem to", () => {
    const notice = (seq: number, name: string, message: string) => event(seq, { kind: "notice", name, message, step: 0, values: {} });
    store.applyRange(1, 3, [notice(1, "data", "97 % of the examples are of one class."), notice(2, "doubt", "Search, step 3: Training loss 60 nats is absurd."), notice(3, "warm_up", "The warm-up is over.")]);
    flush();
    render(<ProgressPanel store={store} />);
    const told = screen.getByRole("list", { name: "Read this beside the scores" });
    expect(within(told).getAllByRole("listitem").map((line) => line.textContent)).toEqual(["97 % of the examples are of one class.", "Search, step 3: Training loss 60 nats is absurd."]);
  });

  it("folds a row of derived changes into one line of the log", () => {
    const derived = (seq: number) => event(seq, { kind: "derived", step: seq, genome: {}, genome_hash: "h", string: "", changed_edges: 2 });
    store.applyRange(1, 3, [derived(1), derived(2), derived(3)]);
    store.applyRange(4, 4, [event(4, { kind: "notice", name: "skip_counter", message: "two skip connections", step: 4, values: {} })]);
    flush();
    render(<EventLog store={store} />);
    const lines = screen.getAllByRole("button").map((line) => line.textContent);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain("3 changes in a row");
    fireEvent.click(screen.getAllByRole("button")[0] as Element);
    expect(store.cursor).toBe(3);
  });
});

describe("weights as a table", () => {
  it("gives every weight and pins an edge by keyboard or click", () => {
    const values = [0.1, 0.2, 0.6, 0.1, 0.7, 0.1, 0.1, 0.1, 0.25, 0.25, 0.25, 0.25];
    store.applyRange(1, 2, [event(1, family as never), structure(2, values)]);
    flush();
    const pin = vi.fn();
    render(<Matrices store={store} pin={null} onPin={pin} />);
    const rows = screen.getAllByRole("row");
    expect(within(rows[1] as HTMLElement).getAllByRole("cell").map((cell) => cell.textContent)).toEqual(["0.10", "0.20", "0.60", "0.10"]);
    fireEvent.click(screen.getByRole("button", { name: "a → c" }));
    expect(pin).toHaveBeenCalledWith({ group: "normal", edge: 1 });
  });
});

describe("a doubtful trial", () => {
  const sentence = "Validation loss 115,875 nats is absurd: giving all classes the same probability has 2.30.";
  const doubted = () => {
    const tell = told(2, 0, 0.1);
    store.applyRange(1, 4, [born(1, 0), { ...tell, data: { ...tell.data, warnings: [sentence] } as never }, born(3, 1), told(4, 1, 0.9)]);
  };

  it("is told at its candidate, in its row and in the log; the others are not", () => {
    doubted();
    vi.stubGlobal("fetch", () => new Promise(() => undefined));
    const inspect = (candidate: number) => {
      cleanup();
      render(<Inspector run={run()} store={store} pin={null} onPin={() => undefined} candidate={candidate} onCandidate={() => undefined} />);
      return screen.queryByRole("list", { name: "Read this beside the scores" })?.textContent;
    };
    expect([inspect(0), inspect(1)]).toEqual([sentence, undefined]);
    expect(store.log.filter(({ tone }) => tone === "warn").map(({ text }) => text)).toEqual([`trial 0: ${sentence}`]);
    cleanup();
    render(<TrialTable store={store} selected={null} onSelect={() => undefined} />);
    const [newer, older] = screen.getAllByRole("button");
    expect([newer?.textContent, older?.textContent]).toEqual([expect.stringContaining("completed"), expect.stringContaining("doubtful")]);
    expect(older?.title).toContain(sentence);
  });

  it("names what a population in memory ranks by, and which end is better", () => {
    const block = { kind: "population", generation: 1, size: 2, block: "eJxVzMEKwzAIBuB38WxLGuhlrxJykFY2IdGSpWMw9u6zOxR68/9+9QOVSeGWwjhjGOOcESq9r7CYKi9dTJ9eRIxuD1lX/h9i8LhRY+0ehwmHycE2btStOYGodKECeE6+8KKy8/EvZUzZ4c5q9RDdS/n+AIklL3o=", best: -2, mean: -2 } as const;
    store.applyRange(1, 1, [event(1, { ...block, metric: "train_log_likelihood", direction: "maximise" })]);
    expect([rankingNote(store), populationFigures(store)[0]?.head[1]]).toEqual(["generation × training log likelihood, by which it ranks, higher is better", "training log likelihood"]);
    store.applyRange(2, 2, [event(2, { ...block, metric: "train_loss", direction: "minimise" })]);
    expect(rankingNote(store)).toBe("generation × training loss, by which it ranks, lower is better");
    store.applyRange(3, 3, [event(3, { ...block } as never)]);
    expect(rankingNote(store)).toBe("generation × fitness, by which it ranks");
  });

  it("says so in the saved figures", () => {
    doubted();
    expect(populationFigures(store)[0]?.rows.map((row) => row.at(-1))).toEqual([sentence, ""]);
  });
});

describe("derived facts", () => {
  it("reads cells by edges and table spaces by operations", () => {
    expect(derivedEdges({ normal: { edges: [["a", "b", "skip_connect"], ["a", 3, "x"]] } }, group)).toEqual([["a", "b", "skip_connect"]]);
    // What a genome keeps it may name by blocks, or by the functions of its one edge.
    expect(derivedEdges({ blocks: [["a", "b", "skip_connect"]] }, group)).toEqual([["a", "b", "skip_connect"]]);
    expect(derivedEdges({ functions: ["constant", "tanh"] }, { ...group, edges: [["x", "y"]] })).toEqual([["x", "y", "constant"], ["x", "y", "tanh"]]);
    expect(derivedEdges({ kept: [1] }, { ...group, operations: ["latent"] })).toEqual([["a", "c", "latent"]]);
    // Where it says so in other words, nothing is said of an edge.
    expect(derivedEdges({ layers: [1, 2] }, group)).toBeNull();
    expect(derivedEdges({ operations: ["none", "skip_connect", "none"] }, group)?.[1]).toEqual(["a", "c", "skip_connect"]);
    expect(derivedEdges(undefined, group)).toBeNull();
  });

  it("counts skip connections at the shown moment", () => {
    const derived = (seq: number, operation: string) =>
      event(seq, { kind: "derived", step: seq, genome: { content: { normal: { edges: [["a", "b", operation], ["a", "c", "none"]] } } }, genome_hash: "h", string: "", changed_edges: 1 });
    store.applyRange(1, 3, [event(1, family as never), derived(2, "none"), derived(3, "skip_connect")]);
    expect(skipConnections(store)).toEqual({ count: 1, total: 2 });
    store.setCursor(2);
    expect(skipConnections(store)).toEqual({ count: 0, total: 2 });
  });
});

describe("what was tried", () => {
  it("says how many architectures were distinct and what share of the trials were repeats", () => {
    const counts = { candidates: 1388, trials: 1388, failed: 0, repeated: 1000, architectures: 388 };
    expect(architecturesText({ counts })).toBe("388 distinct, 72 % repeats");
    expect(architecturesText({ counts: { ...counts, repeated: 1 } })).toBe("388 distinct, under 1 % repeats");
    expect(architecturesText({ counts: { ...counts, repeated: 0 } })).toBe("388 distinct");
  });
});

describe("states", () => {
  it("says in plain words what the run does", () => {
    expect(stateText(run())).toBe("running, step 38 of 72");
    expect(stateText(run({ state: "queued", worker: null }))).toBe("waiting for a worker");
    expect(stateText(run({ state: "paused", reason: "paused by its owner" }))).toBe("paused by its owner");
    expect(stateText(run({ state: "completed", reason: "finished: the budget is used up" }))).toBe("completed: the budget is used up");
    expect(waitingText(run({ state: "failed", reason: "the data file is missing" })).text).toBe("the data file is missing");
    expect(viewsOf(store, "structure")).toEqual([]);
  });

  it("says how the connection is", () => {
    expect(connectionChip("live", 0, "running").text).toBe("LIVE");
    expect(connectionChip("live", 0, "completed").text).toBe("ended");
    expect(connectionChip("catching-up", 1200, "running").text).toContain("1,200 events behind");
    expect(connectionChip("reconnecting", 0, "running").tone).toBe("warn");
    expect(clockText(86.4)).toBe("01:26");
    expect(clockText(3725)).toBe("1:02:05");
  });

  it("offers what is possible in each state and asks before what cannot be undone", () => {
    const buttons = (state: "running" | "paused" | "completed", resumes_itself = false) => {
      cleanup();
      render(<RunHeader run={run({ state, resumes_itself })} store={store} />);
      return screen.getAllByRole("button").map((button) => button.textContent);
    };
    expect(buttons("running")).toEqual(["Pause", "Cancel", "Clone"]);
    expect(buttons("paused")).toEqual(["Resume", "Cancel", "Clone"]);
    expect(buttons("paused", true)).toEqual(["Stay paused", "Resume", "Cancel", "Clone"]);
    expect(buttons("completed")).toEqual(["More budget…", "Clone", "Delete"]);
    const request = vi.spyOn(globalThis, "fetch");
    fireEvent.click(screen.getByRole("button", { name: "Delete" }));
    expect(request).not.toHaveBeenCalled();
    expect(screen.getByText("Its events, genomes, trials and model will be gone.")).toBeTruthy();
  });

  it("leaves a search of another process to where it was started", () => {
    const reason = "interrupted: go on with it where it was started, with --resume --live";
    const shown = (state: "running" | "paused") => {
      cleanup();
      render(<RunHeader run={run({ state, started: "2026-01-01T00:00:00Z", elsewhere: "/home/ada/out", reason: state === "paused" ? reason : "" })} store={store} />);
      return [document.querySelector(".run-bar .chip")!.textContent, ...screen.getAllByRole("button").map((button) => button.textContent)];
    };
    expect(shown("running")).toEqual(["running in its own process, step 38 of 72", "Train the best so far", "Clone"]);
    expect(screen.getByText("Stop it, and go on with it, where it was started.").title).toBe("Its folder: /home/ada/out");
    expect(shown("paused")).toEqual(["interrupted", "Train the best so far", "Clone", "Delete"]);
    expect(screen.getByText("Go on with it where it was started, with --resume --live")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Delete" }));
    expect(screen.getByText("Only what is shown here will be gone: its folder stays as it is, and the search can go on there.")).toBeTruthy();
    expect([stateWord({ state: "running", elsewhere: "/out" }), stateWord({ state: "paused", elsewhere: "/out" }), stateWord({ state: "paused", elsewhere: "" })]).toEqual([
      "running, own process", "interrupted", "paused",
    ]);
  });
});

describe("the end", () => {
  const model = (role: "finalist" | "baseline", accuracy: number): Model => ({
    id: role, run: "r1", experiment: { id: "e1", name: "" }, algorithm: algorithm("DARTS"), space: "cell", datasets: ["digits"], seed: 3, index: role === "finalist" ? 0 : 1,
    role, title: role === "finalist" ? "best architecture found" : "random architecture, finished in the same way", genome_hash: "h", metrics: { test_accuracy: accuracy, val_accuracy: 0.97 }, ...scored({ test_accuracy: accuracy, val_accuracy: 0.97 }), parameters: 54_700, flops: 2.2e6,
    begins: [], bundle: role === "finalist" ? { size: 551_000, sha256: "abcdef0123456789abcdef", checked: null, damage: "", repair: "", rebuild: "no" } : null, reason: "", created: "",
  });

  it("puts the test accuracy beside chance and says what digits cannot tell", () => {
    render(<Outcome run={run({ state: "completed", models: [model("finalist", 0.9822), model("baseline", 0.98)] })} store={store} />);
    expect(screen.getByTestId("test-accuracy").textContent).toBe("0.9822");
    expect(screen.getByTestId("baseline-accuracy").textContent).toBe("0.9800");
    expect(screen.getByText(/cannot tell a good search from a bad one/)).toBeTruthy();
    const link = screen.getByRole("link", { name: "Download" });
    expect(link.getAttribute("href")).toBe("/api/v1/models/finalist/download");
    expect(screen.getByText(/551 kB/).textContent).toContain("sha256 abcdef0123456789");
  });

  it("does not say it of other data, and says why there is no model", () => {
    const without = { ...model("finalist", 0.94), bundle: null, reason: "nothing was trained here" };
    render(<Outcome run={run({ state: "completed", datasets: ["nb201_cifar10"], models: [without, model("baseline", 0.9)] })} store={store} />);
    expect(screen.queryByText(/cannot tell/)).toBeNull();
    expect(screen.getByText("No download: nothing was trained here.")).toBeTruthy();
  });

  it("offers to make a damaged download again in place of the link", async () => {
    const whole = model("finalist", 0.94);
    const bundle = { ...whole.bundle!, checked: "2026-01-02T03:04:05Z", damage: "its file is not there", repair: "it can be made again", rebuild: "possible" as const };
    const answer = { ...whole, bundle: { ...bundle, repair: "the network is made again", rebuild: "waiting" } };
    const json = { "Content-Type": "application/json" };
    const request = vi.spyOn(globalThis, "fetch").mockImplementation((_, options) =>
      Promise.resolve(new Response(JSON.stringify(options?.method === "POST" ? answer : { parts: [], warnings: [] }), { status: options?.method === "POST" ? 202 : 200, headers: json })),
    );
    render(<Outcome run={run({ state: "completed", models: [{ ...whole, bundle }] })} store={store} />);
    expect(screen.queryByRole("link", { name: "Download" })).toBeNull();
    expect(screen.getByRole("status").textContent).toContain("This download is damaged: its file is not there");
    fireEvent.click(screen.getByRole("button", { name: "Make it again" }));
    await waitFor(() => expect(screen.getByRole("status").textContent).toContain("the network is made again"));
    expect(request.mock.calls.filter(([, options]) => options?.method === "POST").map(([asked]) => asked)).toEqual(["/api/v1/models/finalist/rebuild"]);
    request.mockRestore();
    expect(screen.queryByRole("button", { name: "Make it again" })).toBeNull();
  });

  it("has WANN's four numbers", () => {
    const wann = { ...model("finalist", 0.5768), metrics: { test_accuracy: 0.5768, test_random_mean: 0.3964, test_random_sd: 0.1146, test_ensemble: 0.4878, test_tuned: 0.5011, tuned_weight: -2 } };
    render(<Outcome run={run({ state: "completed", models: [wann] })} store={store} />);
    const cells = screen.getAllByRole("cell").map((cell) => cell.textContent);
    expect(cells).toEqual(["0.3964 ± 0.1146", "0.4878", "0.5011", "0.5768"]);
  });
});
