/** Numbers that a schema wants on a slider. */
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, describe, expect, it } from "vitest";
import type { JsonSchema } from "../src/schema/jsonSchema";
import { fieldsOf, type Values } from "../src/schema/model";
import { SchemaForm } from "../src/schema/SchemaForm";
import { placeOf, SLIDER_STEPS, sliderOf, valueAt } from "../src/schema/slider";

afterEach(cleanup);

const share: JsonSchema = { type: "number", minimum: 0, maximum: 1, slider: true, default: 0.4, title: "Budget" };
const depth: JsonSchema = { type: "integer", minimum: 1, maximum: 6, slider: true, default: 3, title: "Depth" };
const warm: JsonSchema = { anyOf: [{ type: "number", exclusiveMinimum: 0, maximum: 1 }, { type: "null" }], slider: true, default: null, title: "Warm" };

function Harness({ onValues }: { onValues: (values: Values) => void }) {
  const [values, setValues] = useState<Values>({});
  const fields = fieldsOf({ type: "object", properties: { share, depth, warm } });
  return (
    <SchemaForm
      fields={fields}
      values={values}
      path="options"
      problems={new Map()}
      onChange={(next) => {
        setValues(next);
        onValues(next);
      }}
    />
  );
}

describe("a slider", () => {
  it("is only where the schema asks for it and says both ends", () => {
    expect(sliderOf(share)).toMatchObject({ low: 0, high: 1, log: false });
    expect(sliderOf({ ...share, slider: false })).toBeNull();
    expect(sliderOf({ type: "number", minimum: 0, slider: true })).toBeNull();
    expect(sliderOf({ type: "number", minimum: 0.001, maximum: 10, slider: true })?.log).toBe(true);
  });

  it("goes from place to value and back, by factors over a wide range", () => {
    const range = sliderOf({ type: "number", minimum: 0.01, maximum: 100, slider: true })!;
    expect(valueAt(SLIDER_STEPS / 2, range)).toBeCloseTo(1);
    expect(placeOf(1, range)).toBeCloseTo(SLIDER_STEPS / 2);
    expect(valueAt(0, range)).toBe(0.01);
    expect(valueAt(SLIDER_STEPS, range)).toBe(100);
    expect(placeOf(1e9, range)).toBe(SLIDER_STEPS);
  });

  it("never gives an end that is not allowed", () => {
    const open = sliderOf({ type: "number", exclusiveMinimum: 0, exclusiveMaximum: 1, slider: true })!;
    expect(valueAt(0, open)).toBeGreaterThan(0);
    expect(valueAt(SLIDER_STEPS, open)).toBeLessThan(1);
    const whole = sliderOf({ type: "integer", exclusiveMinimum: 0, maximum: 4, slider: true })!;
    expect([0, SLIDER_STEPS].map((place) => valueAt(place, whole))).toEqual([1, 4]);
  });

  it("moves by hand and by keys, with the exact number beside it", () => {
    let values: Values = {};
    render(<Harness onValues={(next) => (values = next)} />);
    const slider = screen.getByRole("slider", { name: "Budget, slider" }) as HTMLInputElement;
    expect(Number(slider.value)).toBeCloseTo(0.4 * SLIDER_STEPS);
    fireEvent.change(slider, { target: { value: String(SLIDER_STEPS / 4) } });
    expect(values).toEqual({ share: 0.25 });
    expect(slider.getAttribute("aria-valuetext")).toBe("0.25");
    const exact = screen.getByLabelText("Budget") as HTMLInputElement;
    expect(exact.value).toBe("0.25");
    fireEvent.change(exact, { target: { value: "0.123456" } });
    expect(values).toEqual({ share: 0.123456 });
    const whole = screen.getByRole("slider", { name: "Depth, slider" });
    fireEvent.keyDown(whole, { key: "ArrowRight" });
    expect(values["depth"]).toBe(4);
    for (let press = 0; press < 5; press++) fireEvent.keyDown(whole, { key: "ArrowUp" });
    expect(values["depth"]).toBe(6);
  });

  it("may stand for a number that may also be none", () => {
    let values: Values = {};
    render(<Harness onValues={(next) => (values = next)} />);
    const slider = screen.getByRole("slider", { name: "Warm, slider" });
    expect(slider.getAttribute("aria-valuetext")).toBe("none");
    fireEvent.change(slider, { target: { value: String(SLIDER_STEPS) } });
    expect(values).toEqual({ warm: 1 });
    fireEvent.change(screen.getByLabelText("Warm"), { target: { value: "" } });
    expect(values["warm"] ?? null).toBeNull();
  });
});
