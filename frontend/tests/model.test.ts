import { describe, expect, it } from "vitest";
import fixtures from "./fixtures/schemas.json";
import type { JsonSchema } from "../src/schema/jsonSchema";
import { changedOnly, fieldsOf, rangeOf, setValue, textOf, titleOf, valueOf, type Field } from "../src/schema/model";
import { readNumber } from "../src/schema/inputs";

const schema = (name: string) => (fixtures as unknown as Record<string, { schema: JsonSchema }>)[name]!.schema;
const field = (fields: Field[], name: string) => fields.find((item) => item.name === name)!;

describe("fieldsOf", () => {
  const fields = fieldsOf(schema("everything"));
  it("chooses a control by type", () => {
    expect(Object.fromEntries(fields.map((item) => [item.name, item.control.kind]))).toEqual({
      required: "number",
      inner: "group",
      maybe_inner: "group",
      maybe_number: "number",
      either: "json",
      many: "list",
      several: "choices",
      pair: "json",
      named: "json",
      label: "text",
      flag: "boolean",
      even: "number",
    });
  });
  it("keeps title, meaning, default and whether null may be", () => {
    const stop = field(fields, "maybe_number");
    expect([stop.title, stop.nullable, stop.default, stop.required]).toEqual(["Stop below", true, null, false]);
    expect(field(fields, "required").required).toBe(true);
    expect(field(fields, "required").default).toBeUndefined();
    expect(field(fields, "maybe_inner").default).toBeNull();
  });
  it("does not take a class's name for a field's title", () => {
    expect(field(fields, "maybe_inner").title).toBe("Maybe inner");
    expect(field(fieldsOf(schema("finale")), "training").title).toBe("Training");
  });
  it("covers what the engine has: each setting has a title, a meaning and a default", () => {
    const names = Object.keys(fixtures).filter((name) => name.includes(":") || name === "training" || name === "finale");
    expect(names.filter((name) => name.startsWith("algorithm:")).length).toBeGreaterThanOrEqual(4);
    for (const name of names) {
      for (const item of fieldsOf(schema(name))) {
        expect(item.title, `${name}.${item.name}`).not.toBe("");
        expect(item.description, `${name}.${item.name}`).not.toBe("");
        expect(item.default, `${name}.${item.name}`).not.toBeUndefined();
      }
    }
  });
});

describe("a nested config with defaults of its parent", () => {
  // Of a package: the parent gives the class that stands alone with other defaults.
  const inner = { ...schema("training"), title: "Training" };
  const fields = fieldsOf({ $defs: { Training: inner }, type: "object", properties: { training: { $ref: "#/$defs/Training", default: { epochs: 12 } } } });
  const training = field(fields, "training");
  it("shows the parent's default, not the class's own", () => {
    expect((training.default as Record<string, unknown>)["epochs"]).toBe(12);
    if (training.control.kind !== "group") throw new Error("training is a group");
    expect(field(training.control.fields, "epochs").default).toBe(12);
    expect(field(fieldsOf(schema("training")), "epochs").default).toBe(3);
  });
  it("is sent whole once one value in it has changed", () => {
    const values = setValue(fields, {}, "training", { channels: 16 });
    expect(values["training"]).toMatchObject({ channels: 16, epochs: 12, batch_size: 64 });
    expect(setValue(fields, values, "training", { channels: 0 })).toEqual({});
  });
  it("of the finale is open, field by field", () => {
    const finale = fieldsOf(schema("finale"));
    const recipe = field(finale, "training").default as Record<string, unknown>;
    expect(Object.keys(recipe)).toEqual(fieldsOf(schema("training")).map((item) => item.name));
    expect(new Set(Object.values(recipe))).toEqual(new Set([null]));
  });
});

describe("values", () => {
  const fields = fieldsOf(schema("training"));
  it("keeps only what differs from the defaults", () => {
    expect(setValue(fields, {}, "epochs", 5)).toEqual({ epochs: 5 });
    expect(setValue(fields, { epochs: 5 }, "epochs", 3)).toEqual({});
    expect(setValue(fields, { epochs: 5 }, "epochs", undefined)).toEqual({});
    expect(changedOnly(fields, { epochs: 3, momentum: 0.8, unknown: 1 })).toEqual({ momentum: 0.8, unknown: 1 });
    expect(valueOf(field(fields, "epochs"), {})).toBe(3);
    expect(valueOf(field(fields, "epochs"), { epochs: 4 })).toBe(4);
  });
});

describe("texts", () => {
  it("titles", () => {
    expect(titleOf("batch_size", "Batch Size")).toBe("Batch size");
    expect(titleOf("window", "Window of open trials")).toBe("Window of open trials");
    expect(titleOf("onnx", undefined)).toBe("Onnx");
  });
  it("ranges", () => {
    expect(rangeOf({ minimum: 1, maximum: 1_000_000 })).toBe("1 to 1,000,000");
    expect(rangeOf({ exclusiveMinimum: 0, maximum: 10 })).toBe("more than 0, at most 10");
    expect(rangeOf({ minimum: 0, exclusiveMaximum: 1 })).toBe("at least 0, less than 1");
    expect(rangeOf({})).toBe("");
  });
  it("numbers as they are typed", () => {
    expect(textOf(0.0003)).toBe("0.0003");
    expect(textOf(3e-5)).toBe("3e-5");
    expect(textOf([1, 2])).toBe("1, 2");
    expect([readNumber("3e-4"), readNumber("1 000"), readNumber("1,5"), readNumber("-2."), readNumber(".5")]).toEqual([3e-4, 1000, 1.5, -2, 0.5]);
    expect([readNumber(""), readNumber("1e-"), readNumber("0x10"), readNumber("NaN"), readNumber("1,2,3"), readNumber("1e999")]).toEqual([null, null, null, null, null, null]);
  });
});
