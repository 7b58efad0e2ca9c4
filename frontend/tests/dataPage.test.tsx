import { cleanup, render, screen, within } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import type { Dataset } from "../src/api/types";
import { DataPage } from "../src/views/data/DataPage";

const getDatasets = vi.hoisted(() => vi.fn());
vi.mock("../src/api/resources", async (original) => ({ ...(await original<object>()), getDatasets }));
afterEach(cleanup);

const dataset = (id: string, more: Partial<Dataset>) =>
  ({
    id, title: id.toUpperCase(), description: "Pictures.", source: "somewhere", licence: "none", provides: "samples", input_kind: "image", task: "classification",
    shape: { input: [3, 32, 32], classes: 10 }, budgets: [], spaces: null, sizes: { test: 10 }, notice: "", metric: "val_accuracy", available: true, missing_files: [], schema: {}, ...more,
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
