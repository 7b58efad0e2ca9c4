import { cleanup, render, screen, within } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import type { Calibration, Model, ModelContents as Contents } from "../src/api/types";
import { ModelContents } from "../src/views/ModelContents";
import { reliability } from "../src/views/reliability";

const getModelContents = vi.hoisted(() => vi.fn());
vi.mock("../src/api/resources", async (original) => ({ ...(await original<object>()), getModelContents }));
vi.mock("../src/plots/PlotCard", () => ({ PlotGrid: () => null }));
afterEach(cleanup);

const calibration: Calibration = {
  error: 0.125, examples: 8,
  bins: [
    { low: 0, high: 0.5, examples: 0, confidence: 0, accuracy: 0 },
    { low: 0.5, high: 1, examples: 8, confidence: 0.75, accuracy: 0.625 },
  ],
};

it("draws what was answered, beside what it would be if probabilities were true, without empty bins", () => {
  const { series, note } = reliability(calibration);
  expect([...series[0]!.x, ...series[0]!.y]).toEqual([0.75, 0.625]);
  expect([...series[1]!.x, ...series[1]!.y]).toEqual([0, 1, 0, 1]);
  expect(note).toContain("8 test examples in 2 bins");
});

it("offers each part alone and says how fast the model is, and where that was measured", async () => {
  const found: Contents = {
    parts: [{ part: "onnx", file: "model.onnx", size: 2048 }, { part: "card", file: "MODEL_CARD.md", size: 100 }],
    calibration,
    latency: { one: { seconds: 0.0005, low: 0.0004, high: 0.0007, repeats: 50, examples: 1 }, many: { seconds: 1.5, repeats: 3, examples: 100 }, threads: 1, processor: "a processor", torch: "2" },
  };
  getModelContents.mockResolvedValue(found);
  render(<ModelContents model={{ id: "m1" } as Model} />);
  const list = await screen.findByRole("list", { name: "Files of the download, alone" });
  const links = within(list).getAllByRole("link");
  expect(links.map((link) => link.getAttribute("href"))).toEqual(["/api/v1/models/m1/download?part=onnx", "/api/v1/models/m1/download?part=card"]);
  expect(document.body.textContent).toMatch(/One example took 0\.5\d* ms \(0\.4\d* ms to 0\.7\d* ms\), 100 together 1\.5\d* s: medians and quartiles .*a processor, 1 thread, no GPU/);
  expect(document.body.textContent).toContain("Expected calibration error on the test part: 0.125");
});

it("says what was not measured, of a classifier also its calibration", async () => {
  getModelContents.mockResolvedValue({ parts: [], calibration: null, latency: null } satisfies Contents);
  render(<ModelContents model={{ id: "m2", metrics: { test_accuracy: 0.5 } } as unknown as Model} />);
  await screen.findByText(/How fast it answers was not measured/);
  expect(screen.getByText(/Whether its probabilities are true was not measured/)).toBeTruthy();
  cleanup();
  render(<ModelContents model={{ id: "m3", metrics: { test_r2: 0.5 } } as unknown as Model} />);
  await screen.findByText(/How fast it answers was not measured/);
  expect(screen.queryByText(/Whether its probabilities/)).toBeNull();
});
