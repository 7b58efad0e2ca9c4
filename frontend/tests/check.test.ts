import { describe, expect, it } from "vitest";
import fixtures from "./fixtures/schemas.json";
import { check } from "../src/schema/check";
import type { JsonSchema } from "../src/schema/jsonSchema";
import { defaultsOf, fieldsOf } from "../src/schema/model";

interface Fixture {
  schema: JsonSchema;
  tries: { value: unknown; valid: boolean }[];
}
const all = fixtures as unknown as Record<string, Fixture>;
const everything = all["everything"]!.schema;
const messages = (value: unknown) => check(everything, value).map((problem) => [problem.path, problem.message]);

describe("check against pydantic", () => {
  for (const [name, { schema, tries }] of Object.entries(all)) {
    it.each(tries)(`${name}: $value`, ({ value, valid }) => {
      expect(check(schema, value).length === 0).toBe(valid);
    });
    it(`${name}: its own defaults fit`, () => {
      const defaults = defaultsOf(fieldsOf(schema));
      const problems = check(schema, defaults).filter((problem) => problem.message !== "This is needed.");
      expect(problems).toEqual([]);
    });
  }
});

describe("check's messages", () => {
  it("names the path inside a referenced class", () => {
    expect(messages({ required: 2, inner: { rate: 0 } })).toEqual([["inner.rate", "This must be more than 0, at most 1."]]);
  });
  it("speaks of the branch that was meant, not of null", () => {
    expect(messages({ required: 2, maybe_number: -1 })).toEqual([["maybe_number", "This must be at least 0."]]);
    expect(messages({ required: 2, maybe_inner: { rate: 0.1, kind: "c" } })).toEqual([["maybe_inner.kind", "Choose one of: a, b."]]);
  });
  it("says what is missing and what does not exist", () => {
    expect(messages({ surprise: 1 })).toEqual([
      ["required", "This is needed."],
      ["surprise", "There is no such option."],
    ]);
  });
  it("takes a text where a number was wanted as not a number", () => {
    expect(messages({ required: "1e-" })).toEqual([["required", "Use a whole number."]]);
  });
  it("puts the start path before every path", () => {
    expect(check(everything, { required: 2, many: [1, "two"] }, everything, "algorithms.0.options")[0]!.path).toBe("algorithms.0.options.many.1");
  });
});
