/** Presets of a space's options: which one the values are, and what choosing one leaves of the others. */
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { SearchSpace } from "../src/api/types";
import type { Field } from "../src/schema/model";
import { presetOf, SpacePresets } from "../src/views/new/SpacePresets";

const presets = [
  { id: "small", title: "Small", sentence: "For small pictures.", options: { filters: 68, kernels: [1, 3] } },
  { id: "large", title: "Large", sentence: "For large ones.", options: { filters: 128, kernels: [2, 4] } },
];
const space = { id: "blueprint", title: "Blueprints", presets } as unknown as SearchSpace;
const fields = [
  { name: "filters", default: 68 }, { name: "kernels", default: [1, 3] }, { name: "side", default: 0 },
].map((field) => ({ ...field, control: { kind: "text" } })) as unknown as Field[];

afterEach(cleanup);

describe("the presets of a space", () => {
  it("are known by their options, defaults among them, whatever the others are", () => {
    expect(presetOf(space, fields, {})).toBe("small");
    expect(presetOf(space, fields, { side: 7 })).toBe("small");
    expect(presetOf(space, fields, { filters: 128, kernels: [2, 4] })).toBe("large");
    expect(presetOf(space, fields, { filters: 128 })).toBeNull();
  });

  it("replace their own options and leave the others", () => {
    const changed = vi.fn();
    render(<SpacePresets space={space} fields={fields} values={{ side: 7, filters: 90 }} onChange={changed} />);
    expect(screen.getByRole<HTMLInputElement>("radio", { name: "Options of your own" }).checked).toBe(true);
    fireEvent.click(screen.getByRole("radio", { name: "Large" }));
    expect(changed).toHaveBeenLastCalledWith({ side: 7, filters: 128, kernels: [2, 4] });
    fireEvent.click(screen.getByRole("radio", { name: "Small" }));
    // What is a default is left out.
    expect(changed).toHaveBeenLastCalledWith({ side: 7 });
  });

  it("are not there where a space has none", () => {
    const { container } = render(<SpacePresets space={{ ...space, presets: [] }} fields={fields} values={{}} onChange={vi.fn()} />);
    expect(container.innerHTML).toBe("");
  });
});
