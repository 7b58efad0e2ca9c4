import { cleanup, render, screen, within } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import type { Imported, RunImport } from "../src/api/types";
import { ImportedNote } from "../src/views/ImportedNote";
import { OpenRunPage } from "../src/views/data/OpenRunPage";

const { getRunImports } = vi.hoisted(() => ({ getRunImports: vi.fn() }));
vi.mock("../src/api/resources", async (original) => ({ ...(await original<object>()), getRunImports }));
afterEach(cleanup);

const brought = (state: RunImport["state"], more: Partial<RunImport> = {}): RunImport => ({
  id: `id-${state}`, file_name: `${state}.zip`, size: 2000, received: 2000, state, reason: "", progress: null, experiment: null, runs: 0, created: new Date().toISOString(), ...more,
});

it("shows what was brought, in every state, with the next step", async () => {
  getRunImports.mockResolvedValue({
    results: [
      brought("uploaded"),
      brought("examining", { progress: { done: 0.4, text: "reading the events of run 1 of 2: 500" } }),
      brought("ready", { experiment: "e1", runs: 2 }),
      brought("failed", { reason: "runs/0/events.jsonl: line 3 has the number 4 where 3 should come" }),
    ],
    next: null,
  });
  render(<OpenRunPage />);
  const list = await screen.findByRole("list", { name: "Runs that were brought" });
  const rows = within(list).getAllByRole("listitem");
  expect(rows[0]!.textContent).toContain("waits for a worker");
  expect(within(rows[0]!).getByRole("button", { name: "Cancel" })).toBeTruthy();
  expect(within(rows[1]!).getByRole("progressbar").getAttribute("aria-valuenow")).toBe("40");
  expect(rows[1]!.textContent).toContain("reading the events of run 1 of 2: 500");
  expect(rows[2]!.textContent).toContain("2 runs");
  expect(within(rows[2]!).getByRole("link", { name: "Look at it" }).getAttribute("href")).toBe("/experiments/e1");
  expect(within(rows[3]!).getByRole("alert").textContent).toContain("line 3 has the number 4");
  expect(within(rows[3]!).queryByRole("button", { name: "Cancel" })).toBeNull();
});

it("says what to do where nothing was brought yet", async () => {
  getRunImports.mockResolvedValue({ results: [], next: null });
  render(<OpenRunPage />);
  expect(await screen.findByText("Nothing yet")).toBeTruthy();
  expect(screen.getByText(/Drop a run here/)).toBeTruthy();
});

const from: Imported = { at: "2026-11-30T10:00:00Z", file: "run.nascope.zip", origin: "archive", version: "0.1.0", versions: {}, machine: "AVX512, torch 2.13.0", made: "2026-11-29T10:00:00Z", digest: "ab".repeat(32) };

it("says that a digest is no signature, and that a folder has none", () => {
  const { rerender } = render(<ImportedNote from={from} />);
  expect(screen.getByRole("note").textContent).toContain("computed by NAScope 0.1.0 (AVX512, torch 2.13.0)");
  expect(screen.getByRole("note").textContent).toContain("That is no signature");
  rerender(<ImportedNote from={{ ...from, origin: "folder", digest: "", made: null, version: "" }} />);
  expect(screen.getByRole("note").textContent).toContain("It has no digest");
  expect(screen.getByRole("note").textContent).toContain("a version of NAScope that was not recorded");
  expect(screen.getByRole("note").textContent).not.toContain("exported");
  rerender(<ImportedNote from={{ ...from, origin: "folder", digest: "" }} elsewhere="/home/ada/out" />);
  expect(screen.getByRole("note").textContent).toBe(
    "Shown, not made here: another process of this machine searches it in /home/ada/out. When it has ended, it is all here, downloads included.",
  );
});
