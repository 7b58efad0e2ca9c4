import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ExperimentBody, Model, Retraining } from "../src/api/types";
import { bodyOf, choicesOf, lengthProblem, newVisits, takenBack } from "../src/views/retraining";
import { SeedScores } from "../src/views/SeedScores";
import { isOverSeeds, overSeeds } from "../src/views/seedScores";
import { TrainAgain } from "../src/views/TrainAgain";

const api = vi.hoisted(() => ({ getRetraining: vi.fn(), createExperiment: vi.fn(), createEstimate: vi.fn(), getEstimate: vi.fn() }));
vi.mock("../src/api/resources", async (original) => ({ ...(await original<object>()), ...api }));

const body: ExperimentBody = {
  name: "search, trained again", algorithms: [{ id: "given_architecture", options: { architecture: "{}" } }], space: "plain", space_options: {},
  datasets: ["digits"], dataset_options: [{}], seeds: [4], budget: null, training: {},
  finale: { baselines: 0, training: { epochs: 12, steps: 0, early_stop: 3, train_examples: 0 } }, runtime: { threads: 1 } as ExperimentBody["runtime"],
};
const offered: Retraining = {
  body, reason: "", length: { unit: "epochs", count: 12 }, length_note: "", weights_note: "It begins from new weights.", visits: { part: "digits", data: 5 },
};
const model = { id: "m1", role: "finalist", parameters: 100 } as Model;

beforeEach(() => {
  HTMLDialogElement.prototype.showModal = function show(this: HTMLDialogElement) {
    this.open = true;
  };
  HTMLDialogElement.prototype.close = function close(this: HTMLDialogElement) {
    this.open = false;
  };
  api.createEstimate.mockResolvedValue({ id: "e1", state: "done", result: { runs: [], total_seconds: 47 }, reason: "" });
});
afterEach(() => {
  cleanup();
  vi.clearAllMocks();
});

it("writes only what is asked for into the body", () => {
  expect(bodyOf(offered, choicesOf(offered))).toEqual(body);
  const asked = bodyOf(offered, { length: 48, both: true, seeds: 3, ensemble: true });
  expect(asked?.finale).toEqual({
    baselines: 0, training: { epochs: 48, steps: 0, early_stop: 0, train_examples: 0 }, train_on: "train_and_validation", seeds: 3, ensemble: true,
  });
  expect(bodyOf(offered, { length: 12, both: false, seeds: 1, ensemble: true })?.finale, "one network is no ensemble").toEqual(body.finale);
  expect(body.finale.training, "what was offered stays as it is").toMatchObject({ epochs: 12, early_stop: 3 });
  expect(bodyOf({ ...offered, body: null }, choicesOf(offered))).toBeNull();
});

it("says what both parts take back, and how many visits come to the test part", () => {
  expect(takenBack(offered)).toBe("its early stop, which needs a validation score");
  expect(takenBack({ ...offered, body: { ...body, finale: { training: {} } } })).toBeNull();
  expect([newVisits({ length: 1, both: false, seeds: 3, ensemble: false }), newVisits({ length: 1, both: false, seeds: 3, ensemble: true }), newVisits({ length: 1, both: false, seeds: 1, ensemble: true })]).toEqual([3, 4, 1]);
});

it("refuses lengths that are none", () => {
  expect(lengthProblem(24, "epochs")).toBeNull();
  for (const wrong of [0, -1, 2.5, 10_001, "many", undefined, null]) expect(lengthProblem(wrong, "epochs")).toContain("from 1 to 10,000");
  expect(lengthProblem(20_000, "steps")).toBeNull();
});

const metrics = { test_accuracy: 0.9, test_accuracy_seed_1: 0.8, test_accuracy_seed_2: 0.9, test_accuracy_seeds_mean: 0.85, test_accuracy_seeds_se: 0.05, epoch: 2 };
const several = { ...model, metrics, test_score: { metric: "test_accuracy", name: "test accuracy" }, validation_score: null } as unknown as Model;

it("shows every training beside the mean and its standard error, and nothing of one training", () => {
  expect(overSeeds(several)).toEqual([{ name: "test accuracy", values: [0.8, 0.9], mean: 0.85, error: 0.05 }]);
  expect(Object.keys(metrics).filter((name) => !isOverSeeds(name))).toEqual(["test_accuracy", "epoch"]);
  render(<SeedScores model={several} />);
  expect(screen.getByTestId("seeds-mean").textContent).toBe("0.8500 ± 0.0500 (n = 2)");
  cleanup();
  const { container } = render(<SeedScores model={{ ...several, metrics: { test_accuracy: 0.9 } }} />);
  expect(container.innerHTML).toBe("");
});

it("starts what was chosen, with its estimate and visits said before", async () => {
  api.getRetraining.mockResolvedValue(offered);
  api.createExperiment.mockResolvedValue({ id: "x1" });
  render(<TrainAgain model={model} />);
  fireEvent.click(screen.getByRole("button", { name: "Train it again" }));
  fireEvent.click(await screen.findByRole("radio", { name: "× 4" }));
  expect(screen.getByLabelText<HTMLInputElement>("epochs").value).toBe("48");
  const ensemble = screen.getByRole<HTMLInputElement>("checkbox", { name: /as an ensemble/ });
  expect(ensemble.disabled, "one network is no ensemble").toBe(true);
  fireEvent.change(screen.getByRole("combobox"), { target: { value: "3" } });
  fireEvent.click(ensemble);
  expect(document.body.textContent).toContain("5 finished networks of your runs were scored on the test part of digits so far; this adds 4.");
  await waitFor(() => expect(document.body.textContent).toContain("It takes about 45 s on this machine."));
  fireEvent.click(screen.getByRole("button", { name: "Train it" }));
  await waitFor(() => expect(api.createExperiment).toHaveBeenCalledOnce());
  const [sent] = api.createExperiment.mock.calls[0] as [ExperimentBody, string];
  expect(sent.finale).toMatchObject({ seeds: 3, ensemble: true, training: { epochs: 48, early_stop: 3 } });
});

it("says why a model cannot be trained again, that a length is none, and what the server refuses", async () => {
  api.getRetraining.mockResolvedValue({ ...offered, body: null, reason: "its weights are the result" });
  render(<TrainAgain model={model} />);
  fireEvent.click(screen.getByRole("button", { name: "Train it again" }));
  expect(await screen.findByText(/cannot be trained again: its weights are the result/)).toBeTruthy();
  cleanup();
  api.getRetraining.mockResolvedValue(offered);
  api.createExperiment.mockRejectedValue(new Error("there is no space on the disk"));
  render(<TrainAgain model={model} />);
  fireEvent.click(screen.getByRole("button", { name: "Train it again" }));
  const epochs = await screen.findByLabelText("epochs");
  fireEvent.change(epochs, { target: { value: "0" } });
  expect(screen.getByRole<HTMLButtonElement>("button", { name: "Train it" }).disabled).toBe(true);
  expect(document.body.textContent).toContain("Length: give a whole number of epochs from 1 to 10,000.");
  fireEvent.change(epochs, { target: { value: "7" } });
  fireEvent.click(screen.getByRole("button", { name: "Train it" }));
  expect((await screen.findByRole("alert")).textContent).toBe("there is no space on the disk");
});

it("has nothing to offer for what stands beside a model", () => {
  for (const other of [{ ...model, role: "baseline" as const }, { ...model, parameters: null }]) {
    const { container } = render(<TrainAgain model={other} />);
    expect(container.innerHTML).toBe("");
    cleanup();
  }
});
