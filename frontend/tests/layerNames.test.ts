/** Names of layers beside their histograms: told apart in whatever room there is. */
import { describe, expect, it } from "vitest";
import { layerNames } from "../src/structures/widths";

describe("names of layers", () => {
  it("stay whole where they have room", () => {
    expect(layerNames(["features.0.0", "hidden.0.0"], 14)).toEqual(["features.0.0", "hidden.0.0"]);
    expect(layerNames(["2.2", "3.2"], 8)).toEqual(["2.2", "3.2"]);
  });

  it("lose what they have in common where one has none, and stay apart", () => {
    const names = [1, 3, 8, 15].map((node) => `nodes.${node}.weights`);
    expect(layerNames(names, 7)).toEqual(["1", "3", "8", "15"]);
    expect(layerNames(["nodes.1.weights", "nodes.1.norm"], 8)).toEqual(["weights", "norm"]);
  });

  it("keep their ends where that is still too long", () => {
    expect(layerNames(["cells.0.reduction.left", "cells.1.normal.right"], 8)).toEqual(["…on.left", "…l.right"]);
    expect(layerNames(["nodes.1.weights"], 8)).toEqual(["…weights"]);
  });
});
