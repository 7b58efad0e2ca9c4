import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import type { Algorithm, Compatible } from "../src/api/types";
import { lacks } from "../src/schema/idle";
import type { JsonSchema } from "../src/schema/jsonSchema";
import { fieldsOf } from "../src/schema/model";
import { SchemaForm } from "../src/schema/SchemaForm";
import { idleOf } from "../src/views/new/idle";
import type { Catalogue } from "../src/views/new/compatibility";

afterEach(cleanup);

const row = (algorithm: string, idle: Compatible["idle"]): Compatible => ({ algorithm, space: "plain", dataset: "digits", budgets: ["samples"], idle });
const catalogue = {
  algorithms: [{ id: "ticket", title: "Ticket" }, { id: "random", title: "Random" }] as Algorithm[],
  spaces: [],
  datasets: [],
  compatibility: [row("ticket", [{ fields: ["training.epochs", "options.rate"], why: "it trains no candidates" }]), row("random", [])],
} as Catalogue;
const draft = (...ids: string[]) => ({ algorithms: ids.map((id) => ({ id, options: {} })), space: "plain", datasets: [{ id: "digits", options: {} }] });

const schema: JsonSchema = {
  type: "object",
  properties: {
    epochs: { type: "integer", title: "Epochs", default: 3 },
    optimizer: { enum: ["sgd", "adam"], title: "Optimiser", default: "adam" },
    momentum: { type: "number", title: "Momentum", default: 0.9, works_with: { optimizer: { is: ["sgd"] } } },
  },
};
const fields = fieldsOf(schema);
const form = (idle: ReturnType<typeof idleOf>, values = {}) =>
  render(<SchemaForm fields={fields} values={values} onChange={() => undefined} path="training" problems={new Map()} idle={idle} />);

describe("a setting that does nothing", () => {
  it("is known by its path in the body, for each algorithm and for all together", () => {
    const alone = idleOf(catalogue, draft("ticket"));
    expect(alone.get("training.epochs")).toEqual({ why: "it trains no candidates", by: null });
    expect(alone.has("algorithms.0.options.rate")).toBe(true);
    const both = idleOf(catalogue, draft("random", "ticket"));
    expect(both.get("training.epochs")).toEqual({ why: "it trains no candidates", by: "Ticket" });
    expect([both.has("algorithms.0.options.rate"), both.has("algorithms.1.options.rate")]).toEqual([false, true]);
  });

  it("is not offered where nobody uses it, and the reason stands there", () => {
    form(idleOf(catalogue, draft("ticket")));
    expect(screen.queryByLabelText("Epochs")).toBeNull();
    expect(screen.getByText("Not used here: Epochs (it trains no candidates).")).toBeTruthy();
  });

  it("stays while it is set, so that it can be reset", () => {
    form(idleOf(catalogue, draft("ticket")), { epochs: 9 });
    expect(screen.getByLabelText("Epochs")).toBeTruthy();
    expect(screen.getByText("Not used here: it trains no candidates.")).toBeTruthy();
  });

  it("is offered with a word where another algorithm uses it", () => {
    form(idleOf(catalogue, draft("random", "ticket")));
    expect(screen.getByLabelText("Epochs")).toBeTruthy();
    expect(screen.getByText("Not used by Ticket: it trains no candidates.")).toBeTruthy();
  });

  it("says what it needs of the others", () => {
    const momentum = fields.find((item) => item.name === "momentum")!;
    expect(lacks(momentum, fields, {})).toBe("Optimiser = sgd");
    expect(lacks(momentum, fields, { optimizer: "sgd" })).toBeNull();
    form(new Map());
    expect(screen.getByText("No effect as things stand: needs Optimiser = sgd.")).toBeTruthy();
  });
});
