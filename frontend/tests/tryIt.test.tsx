import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { ApiError } from "../src/api/problem";
import type { Answered, InputForm, ModelInput, Prediction } from "../src/api/types";
import { percent } from "../src/views/model/Answer";
import { curvePlots } from "../src/views/model/curves";
import { cellsOf, firstExample, rowText } from "../src/views/model/rowText";
import { TryIt } from "../src/views/model/TryIt";

const api = vi.hoisted(() => ({ getModelInput: vi.fn(), askModel: vi.fn(), getPrediction: vi.fn(), deletePrediction: vi.fn() }));
vi.mock("../src/api/resources", async (original) => ({ ...(await original<object>()), ...api }));
beforeEach(() => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  Object.values(api).forEach((call) => call.mockReset());
  api.deletePrediction.mockResolvedValue(null);
  URL.createObjectURL = () => "blob:given";
  URL.revokeObjectURL = () => undefined;
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const ROW: InputForm = {
  kind: "row", task: "classification", shape: [3], targets: ["low", "high"],
  columns: [
    { name: "age", kind: "number", categories: [], may_miss: true },
    { name: "job, at night", kind: "category", categories: ["cook", "smith"], may_miss: true },
  ],
  sample: { file: "sample.csv", text: 'age,"job, at night"\n31,cook\n7,\n', picture: "", labels: ["low", "high"] },
};
const PICTURE: InputForm = { kind: "picture", task: "classification", shape: [1, 8, 8], columns: [], targets: [], sample: { file: "sample.png", text: "", picture: "aGk=", labels: ["7"] } };
const input = (form: InputForm | null, reason = ""): ModelInput => ({ form, reason, most_bytes: 1000, most_examples: 10, seconds: 30 });
const prediction = (state: Prediction["state"], more: Partial<Prediction> = {}): Prediction => ({ id: "p1", model: "m1", state, waiting: "", reason: "", result: null, created: "", ...more });
const answered = (more: Partial<Answered> = {}): Answered => ({
  examples: [{ classes: ["a", "b", "c", "d", "e", "f", "g"].map((name, place) => ({ name, probability: place ? 0.01 : 0.94 })), values: [] }],
  notes: [], picture: null, seconds: 0.25, model_seconds: 0.02, ...more,
});
const text = async (blob: Blob) => new Response(await new Promise<string>((resolve) => Object.assign(new FileReader(), { onload: (event: ProgressEvent<FileReader>) => resolve(String(event.target?.result)) }).readAsText(blob))).text();
const later = () => act(() => vi.advanceTimersByTimeAsync(320));

async function shown(form: InputForm | null, reason = "") {
  api.getModelInput.mockResolvedValue(input(form, reason));
  render(<TryIt model="m1" />);
  await later();
}

it("writes a row as text and reads a sample's lines, whatever stands in the cells", () => {
  expect(rowText(["a", 'b "c"'], ["1,5", ""])).toBe('a,"b ""c"""\n"1,5",\n');
  expect(cellsOf('a,"b ""c"""\r\n"1,5",\n')).toEqual([["a", 'b "c"'], ["1,5", ""]]);
  expect(cellsOf("x,y")).toEqual([["x", "y"]]);
  expect(firstExample('age,"job, at night"\n31,cook\n7,\n')).toBe('age,"job, at night"\n31,cook\n');
  expect(firstExample("")).toBe("");
});

it("does not show as certain what is not", () => {
  expect([0.99999, 1, 0.7234, 0.00001, 0].map(percent)).toEqual(["over 99.9 %", "100.0 %", "72.3 %", "under 0.1 %", "0.0 %"]);
});

it("has a field for each column, prefilled from the sample, and sends them as one row", async () => {
  await shown(ROW);
  expect((screen.getByLabelText(/^age/) as HTMLInputElement).value).toBe("31");
  const job = screen.getByLabelText(/^job, at night/) as HTMLSelectElement;
  expect([job.value, [...job.options].map((option) => option.value)]).toEqual(["cook", ["", "cook", "smith"]]);
  fireEvent.change(screen.getByLabelText(/^age/), { target: { value: "40" } });
  fireEvent.change(job, { target: { value: "" } });
  api.askModel.mockResolvedValue(prediction("queued", { waiting: "no worker is there: it is answered when one starts" }));
  api.getPrediction.mockResolvedValueOnce(prediction("running")).mockResolvedValueOnce(prediction("done", { result: answered({ notes: ["not used by the model: x"] }) }));
  fireEvent.click(screen.getByRole("button", { name: "Ask the model" }));
  await act(async () => undefined);
  const [model, file, name] = api.askModel.mock.calls[0] as [string, Blob, string];
  expect([model, name, await text(file)]).toEqual(["m1", "row.csv", 'age,"job, at night"\n40,\n']);
  expect(screen.getByRole("status").textContent).toContain("no worker is there");
  expect((screen.getByRole("button", { name: "Ask the model" }) as HTMLButtonElement).disabled).toBe(true);
  await later();
  expect(screen.getByRole("status").textContent).toContain("A worker answers");
  await later();
  const first = screen.getByRole("list", { name: "The likeliest classes and their probabilities" });
  expect(within(first).getAllByRole("listitem").map((item) => item.textContent)).toEqual(["a94.0 %", "b1.0 %", "c1.0 %", "d1.0 %", "e1.0 %"]);
  expect(screen.getByText("2 more classes")).toBeTruthy();
  expect(document.body.textContent).toContain("A worker needed 250 ms, 20 ms of them");
  expect(screen.getByText("not used by the model: x")).toBeTruthy();
});

it("takes a pasted line, and says that there is none", async () => {
  await shown(ROW);
  fireEvent.click(screen.getByRole("radio", { name: "Paste a line" }));
  const box = screen.getByRole("textbox") as HTMLTextAreaElement;
  expect(box.value).toBe('age,"job, at night"\n31,cook\n');
  fireEvent.change(box, { target: { value: " " } });
  fireEvent.click(screen.getByRole("button", { name: "Ask the model" }));
  expect(screen.getByRole("alert").textContent).toContain("There is nothing to answer");
  fireEvent.change(box, { target: { value: "9".repeat(1001) } });
  fireEvent.click(screen.getByRole("button", { name: "Ask the model" }));
  expect(screen.getByRole("alert").textContent).toContain("at most 1 kB");
  expect(api.askModel).not.toHaveBeenCalled();
});

it("sends a dropped picture, says that it was resized, and refuses a large one before it is sent", async () => {
  await shown(PICTURE);
  const zone = screen.getByRole("button", { name: "Choose a picture" }).closest(".drop")!;
  fireEvent.drop(zone, { dataTransfer: { files: [new File(["x".repeat(1001)], "large.png")] } });
  expect(screen.getByRole("alert").textContent).toContain("large.png has 1 kB; at most 1 kB are taken here: make it smaller");
  api.askModel.mockResolvedValue(prediction("queued"));
  api.getPrediction.mockResolvedValue(prediction("done", { result: answered({ picture: { width: 40, height: 30, format: "JPEG", taken: [1, 8, 8] } }) }));
  const file = new File(["photo"], "photo.jpg");
  fireEvent.drop(zone, { dataTransfer: { files: [file] } });
  await later();
  expect(api.askModel).toHaveBeenCalledWith("m1", file, "photo.jpg", false);
  expect(screen.getByRole("img").getAttribute("alt")).toBe("given: photo.jpg");
  expect(document.body.textContent).toMatch(/40 × 30 points \(JPEG\), was scaled.*to 8 × 8 points, grey/);
});

it("asks about the sample, and says what is true of it", async () => {
  await shown(PICTURE);
  api.askModel.mockResolvedValue(prediction("queued"));
  api.getPrediction.mockResolvedValue(prediction("done", { result: answered() }));
  fireEvent.click(screen.getByRole("button", { name: "Use a sample" }));
  await later();
  expect(api.askModel).toHaveBeenCalledWith("m1", null, "", false);
  expect(screen.getByRole("heading", { name: "true: 7" })).toBeTruthy();
  expect(screen.getByRole("img").getAttribute("src")).toBe("data:image/png;base64,aGk=");
});

it("gives values in the target's units", async () => {
  await shown({ ...ROW, task: "regression", targets: ["rent"] });
  api.askModel.mockResolvedValue(prediction("queued"));
  api.getPrediction.mockResolvedValue(prediction("done", { result: answered({ examples: [{ classes: [], values: [{ name: "rent", value: 712.31234 }] }] }) }));
  fireEvent.click(screen.getByRole("button", { name: "Ask the model" }));
  await later();
  expect(screen.getByText("712.3").closest("div")!.textContent).toBe("rent712.3");
});

it("cancels, and what comes afterwards is not shown", async () => {
  await shown(ROW);
  api.askModel.mockResolvedValue(prediction("queued"));
  api.getPrediction.mockResolvedValue(prediction("done", { result: answered() }));
  fireEvent.click(screen.getByRole("button", { name: "Ask the model" }));
  await act(async () => undefined);
  fireEvent.click(screen.getByRole("button", { name: "Cancel" }));
  await later();
  expect(api.deletePrediction).toHaveBeenCalledWith("p1");
  expect(screen.queryByText("a")).toBeNull();
  expect(screen.getByText(/The answer comes here/)).toBeTruthy();
});

it("says what is wrong with the input, in the server's words, and when a question is gone", async () => {
  await shown(ROW);
  api.askModel.mockResolvedValue(prediction("queued"));
  api.getPrediction.mockResolvedValueOnce(prediction("failed", { reason: "line 2, column 'age': 'x' is no number" })).mockRejectedValueOnce(new ApiError(404, {}));
  fireEvent.click(screen.getByRole("button", { name: "Ask the model" }));
  await later();
  expect(screen.getByRole("alert").textContent).toBe("Line 2, column 'age': 'x' is no number.");
  fireEvent.click(screen.getByRole("button", { name: "Ask the model" }));
  await later();
  expect(screen.getByRole("alert").textContent).toContain("It was taken back");
});

it("says why nothing can be asked", async () => {
  await shown(null, "it rebuilds its inputs");
  expect(screen.getByText("It cannot be tried here: it rebuilds its inputs.")).toBeTruthy();
});

it("draws one chart for each measure, with a line for each part", () => {
  const plots = curvePlots({ points: [{ step: 1, values: { train_loss: 2, val_loss: 3, val_accuracy: 0.5 } }, { step: 2, values: { train_loss: 1, val_accuracy: 0.75 } }] });
  expect(plots.map(({ title, series }) => [title, series.map(({ name, look, x, y }) => [name, look, [...x], [...y]])])).toEqual([
    ["Accuracy", [["validation part", "solid", [1, 2], [0.5, 0.75]]]],
    ["Loss", [["training part", "solid", [1, 2], [2, 1]], ["validation part", "points", [1], [3]]]],
  ]);
  expect(curvePlots({ points: [] })).toEqual([]);
});
