import { cleanup, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Dataset, OwnDataset } from "../src/api/types";
import { DataPage } from "../src/views/data/DataPage";

const { getDatasets, getOwnDatasets, getDataRoom } = vi.hoisted(() => ({ getDatasets: vi.fn(), getOwnDatasets: vi.fn(), getDataRoom: vi.fn() }));
vi.mock("../src/api/resources", async (original) => ({ ...(await original<object>()), getDatasets, getOwnDatasets, getDataRoom }));
beforeEach(() => {
  getOwnDatasets.mockResolvedValue({ results: [], next: null });
  getDataRoom.mockResolvedValue({ taken: 2_000_000, most: 10_000_000_000, most_of_a_file: 2_000_000_000 });
});
afterEach(cleanup);

const dataset = (id: string, more: Partial<Dataset>) =>
  ({
    id, title: id.toUpperCase(), description: "Pictures.", source: "somewhere", licence: "none", provides: "samples", input_kind: "image", task: "classification",
    shape: { input: [3, 32, 32], classes: 10 }, budgets: [], spaces: null, sizes: { test: 10 }, notice: "", metric: "val_accuracy", own: null, available: true, missing_files: [], schema: {}, ...more,
  }) as Dataset;

it("says what would be misread of a data set, and which files are missing", async () => {
  getDatasets.mockResolvedValue([
    dataset("plain", {}),
    dataset("copy", { notice: "JPEG copy: not the official pixels." }),
    dataset("absent", { available: false, missing_files: ["absent/a.bin", "absent/b.bin"] }),
  ]);
  render(<DataPage />);
  const copy = (await screen.findByText("COPY")).closest("article")!;
  expect(within(copy).getByText("JPEG copy: not the official pixels.")).toBeTruthy();
  const plain = screen.getByText("PLAIN").closest("article")!;
  expect(within(plain).queryByRole("list", { name: "Read this beside the scores" })).toBeNull();
  const absent = screen.getByText("ABSENT").closest("article")!;
  expect(absent.textContent).toContain("absent/a.bin\nabsent/b.bin");
  expect(within(absent).queryByText("available")).toBeNull();
});

const own = (state: OwnDataset["state"], more: Partial<OwnDataset> = {}) =>
  ({
    id: `id-${state}`, title: `a set ${state}`, file_name: "a.csv", size: 2000, received: 500, stored: 0, state, reason: "", progress: null, dataset: "", version: 1, previous: null,
    created: new Date().toISOString(), touched: new Date().toISOString(), kind: "", task: "", rows: null, choices: null, findings: null, ...more,
  }) as OwnDataset;

it("shows what was brought, in every state, with the next step", async () => {
  getDatasets.mockResolvedValue([]);
  getOwnDatasets.mockResolvedValue({
    results: [
      own("uploading"), own("examining", { progress: { done: 0.4, text: "reading rows" } }), own("examined", { kind: "vector", task: "classification", rows: 150 }),
      own("ready", { dataset: "own-1", kind: "image", task: "classification", rows: 9, version: 2 }), own("failed", { reason: "file: one class only" }),
    ],
    next: null,
  });
  render(<DataPage />);
  const table = await screen.findByRole("table", { name: "Your data sets" });
  const rows = within(table).getAllByRole("row").slice(1).map((row) => row.textContent);
  expect(rows[0]).toContain("upload unfinished");
  expect(rows[1]).toContain("reading rows");
  expect(rows[2]).toContain("a table, 150 rows, classification");
  expect(rows[3]).toContain("version 2, pictures, 9 examples, classification");
  expect(rows[4]).toContain("file: one class only");
  expect(within(table).getByRole("link", { name: "Search on it" }).getAttribute("href")).toBe("/new?dataset=own-1");
  expect(screen.getByText(/2 MB of 10 GB/)).toBeTruthy();
});
