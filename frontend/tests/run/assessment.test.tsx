/** What stands beside a network's scores. */
import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { classBars } from "../../src/run/assessment/classBars";
import { cellShare, ConfusionHeat } from "../../src/run/assessment/ConfusionHeat";
import { bestOf, MetricTable } from "../../src/run/assessment/MetricTable";
import { Mistakes, pixelsOf } from "../../src/run/assessment/Mistakes";
import type { ClassFigures, JudgedFigure, JudgedModel, PartAssessment } from "../../src/types/events.gen";

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

const figure = (metric: string, value: number | null, direction: "maximise" | "minimise" = "maximise", reason = ""): JudgedFigure => ({
  metric, name: metric, unit: "share", direction, value, reason,
});
const model = (name: JudgedModel["name"], figures: JudgedFigure[], note = ""): JudgedModel => ({ name, title: name, note, figures });
const MODELS = [
  model("network", [figure("accuracy", 0.98), figure("auc", null, "maximise", "'no' has no example"), figure("log_loss", 0.2, "minimise")]),
  model("majority", [figure("accuracy", 0.98), figure("auc", null), figure("log_loss", 0.1, "minimise")], "of 100 training examples"),
];

describe("the table of metrics", () => {
  it("marks the best in the direction of the metric, all of equals, and nothing that stands alone", () => {
    expect(bestOf([figure("a", 0.2), figure("a", 0.3)])).toEqual([1]);
    expect(bestOf([figure("a", 0.2, "minimise"), figure("a", 0.3, "minimise")])).toEqual([0]);
    expect(bestOf([figure("a", 0.2), figure("a", 0.2)])).toEqual([0, 1]);
    expect(bestOf([figure("a", 0.2), figure("a", null), undefined])).toEqual([]);
  });

  it("says why a metric is absent, and never 0", () => {
    render(<MetricTable models={MODELS} />);
    const rows = screen.getAllByRole("row").map((row) => within(row).queryAllByRole("cell").map((cell) => cell.textContent));
    expect(rows.filter((cells) => cells.length > 0)).toEqual([["0.9800", "0.9800"], ["–", "–"], ["0.2000", "0.1000"]]);
    expect(screen.getByText("No auc: 'no' has no example.")).toBeTruthy();
    expect(screen.getByText("majority: of 100 training examples.")).toBeTruthy();
    expect(screen.getByText(/share, lower is better/)).toBeTruthy();
  });
});

describe("a closer look", () => {
  it("colours a cell by the share of its row", () => {
    expect(cellShare([97, 1, 2], 1)).toBe(0.01);
    expect(cellShare([0, 0], 1)).toBe(0);
    render(<ConfusionHeat table={{ classes: ["a", "b"], counts: [[9, 1], [0, 0]], left_out: 1 }} />);
    const cells = screen.getAllByRole("cell");
    expect(cells.map((cell) => cell.style.getPropertyValue("--part"))).toEqual(["90%", "10%", "0%", "0%"]);
    expect(cells[1]?.title).toBe("'a' answered as 'b': 1 (10 % of the row)");
    expect(screen.getByText(/1 class with fewer mistakes left out/)).toBeTruthy();
  });

  it("draws what is not defined as a gap, and of many classes those with the lowest F1", () => {
    const own = (name: string, f1: number | null): ClassFigures => ({ name, examples: 1, answers: 0, precision: null, recall: 0, f1 });
    const few = classBars([own("a", 0.5), own("b", null)]);
    expect(few.series.map((series) => [...series.y].map((value) => (Number.isNaN(value) ? null : value)))).toEqual([[null, null], [0, 0], [0.5, null]]);
    const many = classBars(Array.from({ length: 40 }, (_, place) => own(`c${place}`, place / 40)));
    expect(many.categories).toHaveLength(30);
    expect(many.categories[0]).toBe("c0");
    expect(many.note).toContain("10 classes with a higher F1 are left out");
  });

  it("shows pictures channel by channel, and rows with their inputs", () => {
    const grey = { height: 1, width: 2, channels: 1 as const, pixels: btoa(String.fromCharCode(0, 200)) };
    expect([...pixelsOf(grey)]).toEqual([0, 0, 0, 255, 200, 200, 200, 255]);
    const colours = { height: 1, width: 1, channels: 3 as const, pixels: btoa(String.fromCharCode(1, 2, 3)) };
    expect([...pixelsOf(colours)]).toEqual([1, 2, 3, 255]);
    const part: PartAssessment = {
      split: "val", domain: 0, examples: 100, models: [], confusion: null, classes: [], wrong: 3,
      mistakes: [{ index: 7, true: "b", answered: "a", confidence: 0.9, error: 2.3, picture: null, row: [{ name: "age", value: 4 }], more: 2 }],
    };
    render(<Mistakes part={part} />);
    expect(screen.getByText(/3 of 100 answers are wrong/)).toBeTruthy();
    expect(screen.getByText("age 4 and 2 more inputs")).toBeTruthy();
    cleanup();
    render(<Mistakes part={{ ...part, mistakes: [], wrong: 0 }} />);
    expect(screen.getByText("All 100 answers are right.")).toBeTruthy();
  });
});

describe("beside the scores", () => {
  it("asks for what it shows and opens the closer look", async () => {
    const part: PartAssessment = { split: "test", domain: 0, examples: 100, models: MODELS, confusion: { classes: ["a", "b"], counts: [[97, 1], [2, 0]], left_out: 0 }, classes: [], wrong: 3, mistakes: [] };
    vi.stubGlobal("fetch", vi.fn(() => Promise.resolve(new Response(JSON.stringify({ parts: [part, { ...part, split: "val" }], warnings: ["It is the majority's."] }), { headers: { "Content-Type": "application/json" } }))));
    const { ModelAssessment } = await import("../../src/run/assessment/ModelAssessment");
    HTMLDialogElement.prototype.showModal = function () { this.open = true; };
    HTMLDialogElement.prototype.close = function () { this.open = false; };
    render(<ModelAssessment model={{ id: "m0" } as never} domains={["digits"]} />);
    expect(await screen.findByText("It is the majority's.")).toBeTruthy();
    expect(screen.getAllByRole("radio").map((radio) => radio.textContent)).toEqual(["Test, once", "Validation"]);
    fireEvent.click(screen.getByRole("button", { name: "What it gets wrong" }));
    expect(screen.getByRole("region", { name: "Confusion matrix", hidden: true })).toBeTruthy();
    vi.unstubAllGlobals();
  });
});
