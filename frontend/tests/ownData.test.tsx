import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { DataFindings } from "../src/api/types";
import { ChoicesForm, kindOf, withKind } from "../src/views/data/ChoicesForm";
import { Preview } from "../src/views/data/OwnDatasetPage";
import { sparkline } from "../src/views/data/Samples";
import { secondsLeft, shapeWords } from "../src/views/data/dataText";
import { uploadProblem, worthRetrying } from "../src/views/data/uploads";

afterEach(cleanup);

const column = (name: string, kind: DataFindings["columns"][number]["kind"], more: Partial<DataFindings["columns"][number]> = {}) => ({
  name, kind, inferred: kind, why: "", missing: 0, distinct: 2, least: null, largest: null, mean: null, categories: [], gives_away: null, ...more,
});
const findings: DataFindings = {
  kind: "vector", task: "classification", format: "CSV", rows: 150, target: "kind", class_names: ["a", "b"], shape: [2],
  columns: [column("width", "number", { least: 1, largest: 3, mean: 2 }), column("kind", "target"), column("code", "category", { gives_away: 0.99 })],
  balance: [{ name: "a", count: 100, test: 20 }, { name: "b", count: 50, test: 10 }],
  split: { kind: "stratified", column: null, test_share: 0.2, validation_share: 0.2, seed: 0, train: 0, validation: 0, pool: 120, test: 30, words: "drawn with seed 0" },
  samples: [{ label: "a", part: "search", row: ["1", "x"], picture: null, series: null }],
  notices: [{ code: "leak", message: "'code' gives the target away.", count: 1 }],
  source: { name: "a.csv", bytes: 2000, sha256: "0".repeat(64) },
};

describe("choices", () => {
  it("another target takes the place of the first", () => {
    const changed = withKind({ types: { width: "dropped" } }, findings, "code", "target");
    expect(changed).toEqual({ types: { width: "dropped" }, target: "code" });
    expect(findings.columns.map((item) => kindOf(changed, item))).toEqual(["dropped", "category", "target"]);
    expect(withKind(changed, findings, "code", "dropped").target).toBeNull();
  });
  it("what is as proposed is not said", () => {
    const changed = withKind({}, findings, "width", "category");
    expect(changed.types).toEqual({ width: "category" });
    expect(withKind(changed, findings, "width", "number").types).toEqual({});
  });
  it("are sent as they were changed, and say when the preview is another", () => {
    const onExamine = vi.fn();
    const onDirty = vi.fn();
    render(<ChoicesForm title="a" findings={findings} choices={{}} busy={false} onExamine={onExamine} onDirty={onDirty} />);
    fireEvent.change(screen.getByLabelText("Test part"), { target: { value: "0.5" } });
    fireEvent.change(screen.getByLabelText("What becomes of code"), { target: { value: "dropped" } });
    expect(onDirty).toHaveBeenLastCalledWith(true);
    fireEvent.click(screen.getByRole("button", { name: "Examine again" }));
    expect(onExamine).toHaveBeenCalledWith({ test_share: 0.5, types: { code: "dropped" }, target: null, title: null });
  });
  it("of which one cannot be are not sent", () => {
    const onExamine = vi.fn();
    render(<ChoicesForm title="a" findings={findings} choices={{}} busy={false} onExamine={onExamine} onDirty={() => undefined} />);
    fireEvent.change(screen.getByLabelText("Test part"), { target: { value: "2" } });
    expect(screen.getByRole("button", { name: "Examine again" })).toHaveProperty("disabled", true);
  });
});

it("a preview says what was found", () => {
  render(<Preview findings={findings} />);
  expect(screen.getByRole("list", { name: "What was found" }).textContent).toContain("gives the target away");
  expect(screen.getByText(/120 to train and to validate, 30 for the test: drawn with seed 0/)).toBeTruthy();
  expect(screen.getByRole("row", { name: /^a 100 20/ })).toBeTruthy();
});

describe("uploads", () => {
  it("tell the server's own refusal", () => {
    const answer = (body: string) => ({ originalResponse: { getBody: () => body, getStatus: () => 413 } }) as unknown as Error;
    expect(uploadProblem(answer('{"detail": "too large"}'))).toBe("too large");
    expect(uploadProblem(answer("<html>"))).toBe("The server answered 413.");
    expect(uploadProblem(new Error("x"))).toContain("What has come is kept");
    expect([0, 409, 423, 429, 503].every(worthRetrying)).toBe(true);
    expect([400, 401, 404, 410, 413, 507].some(worthRetrying)).toBe(false);
  });
  it("say what is left only while that is known", () => {
    const info = { pace: 1000, sent: 0, size: 20_000, state: "running" as const };
    expect(secondsLeft(info)).toBe("about 20 s left");
    expect(secondsLeft({ ...info, state: "paused" })).toBe("");
    expect(secondsLeft({ ...info, pace: null })).toBe("");
  });
});

it("words and lines", () => {
  expect(shapeWords("image", [3, 24, 32])).toBe("32 × 24 pixels, 3 channels");
  expect(shapeWords("series", [1, 24])).toBe("1 channel of 24 moments");
  expect(sparkline([0, 1, Number.NaN], 0, 1)).toBe("0.0,54.0 80.0,2.0");
});
