import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, describe, expect, it } from "vitest";
import fixtures from "./fixtures/schemas.json";
import { check } from "../src/schema/check";
import type { JsonSchema } from "../src/schema/jsonSchema";
import { fieldsOf, type Values } from "../src/schema/model";
import { SchemaForm } from "../src/schema/SchemaForm";

afterEach(cleanup);

function Harness({ schema, start = {}, onValues, eager = false }: { schema: JsonSchema; start?: Values; onValues: (values: Values) => void; eager?: boolean }) {
  const [values, setValues] = useState(start);
  const problems = new Map(check(schema, values, schema, "options").map((problem) => [problem.path, problem.message]));
  return (
    <SchemaForm
      fields={fieldsOf(schema)}
      values={values}
      path="options"
      problems={problems}
      eager={eager}
      onChange={(next) => {
        setValues(next);
        onValues(next);
      }}
    />
  );
}

const schemaOf = (name: string) => (fixtures as unknown as Record<string, { schema: JsonSchema }>)[name]!.schema;

function setup(name: string, options: { eager?: boolean; start?: Values } = {}) {
  let latest: Values = options.start ?? {};
  render(<Harness schema={schemaOf(name)} onValues={(values) => (latest = values)} {...options} />);
  return () => latest;
}

describe("SchemaForm", () => {
  it("shows name, meaning, range and default of every hyper-parameter", () => {
    setup("algorithm:regularized_evolution");
    const input = screen.getByLabelText("Tournament");
    expect(input).toHaveProperty("value", "5");
    const row = input.closest(".option")!;
    expect(row.textContent).toContain("the best of them is the parent (S)");
    expect(row.textContent).toContain("1 to 10,000");
    expect(row.textContent).toContain("default 5");
  });

  it("hands back numbers, keeps what is half typed, and says what is wrong", () => {
    const values = setup("training");
    const input = screen.getByLabelText("Learning rate") as HTMLInputElement;
    fireEvent.change(input, { target: { value: "1e-" } });
    expect(input.value).toBe("1e-");
    expect(values()).toEqual({ learning_rate: "1e-" });
    expect(screen.getByText("Use a number.")).toBeTruthy();
    expect(input.getAttribute("aria-invalid")).toBe("true");
    fireEvent.change(input, { target: { value: "1e-2" } });
    expect(input.value).toBe("1e-2");
    expect(values()).toEqual({ learning_rate: 0.01 });
    expect(screen.queryByText("Use a number.")).toBeNull();
    fireEvent.blur(input);
    expect(input.value).toBe("0.01");
  });

  it("goes back to the default by reset and by emptying the field", () => {
    const values = setup("training", { start: { epochs: 7 } });
    fireEvent.click(screen.getByRole("button", { name: "Reset Epochs" }));
    expect(values()).toEqual({});
    expect(screen.getByLabelText("Epochs")).toHaveProperty("value", "3");
  });

  it("offers the choices of an enumeration and hands back its value", () => {
    const values = setup("training");
    const select = screen.getByLabelText("Optimizer") as HTMLSelectElement;
    expect([...select.options].map((option) => option.text)).toEqual(["sgd", "adam", "adagrad"]);
    fireEvent.change(select, { target: { value: "1" } });
    expect(values()).toEqual({ optimizer: "adam" });
  });

  it("writes lists with commas, empties an optional number to null, switches a flag", () => {
    const values = setup("everything", { start: { required: 2, maybe_number: 4 } });
    fireEvent.change(screen.getByLabelText("Many"), { target: { value: "3, 5, x" } });
    expect(values()["many"]).toEqual([3, 5, "x"]);
    expect(screen.getByText("Use a whole number.")).toBeTruthy();
    fireEvent.change(screen.getByLabelText("Many"), { target: { value: "3,5" } });
    fireEvent.change(screen.getByLabelText("Stop below"), { target: { value: "" } });
    fireEvent.click(screen.getByLabelText("Flag"));
    fireEvent.click(screen.getByLabelText("z"));
    expect(values()).toEqual({ required: 2, many: [3, 5], flag: false, several: ["x", "z"] });
  });

  it("changes a value inside a group and sends the group whole", () => {
    const values = setup("finale");
    const group = screen.getByRole("group", { name: "Training" });
    const epochs = group.querySelector<HTMLInputElement>("#field-options-training-epochs")!;
    expect(epochs.value).toBe("");
    fireEvent.change(epochs, { target: { value: "20" } });
    expect(values()["training"]).toMatchObject({ epochs: 20, learning_rate: null });
  });

  it("shows what is missing only after an attempt to start", () => {
    setup("everything");
    expect(screen.queryByText("This is needed.")).toBeNull();
    cleanup();
    setup("everything", { eager: true });
    expect(screen.getByText("This is needed.")).toBeTruthy();
  });
});
