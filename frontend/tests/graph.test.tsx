import { fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { GenomeGraph, describeNode } from "../src/graph/GenomeGraph";
import { LaneLayout, leastGaps } from "../src/graph/layout/incremental";
import { operationMark, shortName } from "../src/graph/palette";
import { HoverCard } from "../src/graph/HoverCard";
import { strandOpacity } from "../src/graph/supernet";
import type { GraphData } from "../src/types/events.gen";

const node = (id: string, kind = "hidden") => ({ id, label: id, kind, aggregation: null, attributes: {} });
const edge = (source: string, target: string, operation: string | null) => ({ source, target, key: operation ?? "fixed", operation, attributes: {} });
const cell: GraphData = {
  nodes: [node("c_{k-2}", "input"), node("0"), node("out", "output")],
  edges: [edge("c_{k-2}", "0", "sep_conv_3x3"), edge("0", "out", null)],
  attributes: {},
};

afterEach(() => vi.restoreAllMocks());

describe("operations", () => {
  it("carry a mark beside their colour, one for each kind", () => {
    expect(["sep_conv_3x3", "nor_conv_1x1", "dil_conv_5x5", "avg_pool_3x3", "skip_connect", "none"].map(operationMark)).toEqual(
      ["plain", "plain", "holes", "hollow", "dashes", "dashes"],
    );
  });

  it("have short names", () => {
    expect(["sep_conv_3x3", "nor_conv_1x1", "max_pool_3x3", "skip_connect", "gauss"].map(shortName)).toEqual(["sep 3×3", "conv 1×1", "max pool 3×3", "skip", "gauss"]);
  });
});

describe("opacity of strands", () => {
  it.each([2, 3, 5, 8])("of %i operations: equal ones are alike and pale, a clear leader is opaque", (count) => {
    expect(strandOpacity(1 / count, 1 / count, count)).toBeCloseTo(0.4);
    const leader = Math.max(0.3, 1.5 / count);
    expect(strandOpacity(leader, leader, count)).toBeCloseTo(1);
    expect(strandOpacity(0.01, leader, count)).toBeLessThan(0.2);
  });
});

describe("room in the columns of a growing graph", () => {
  it("is the least distance of two lanes of one rank", () => {
    const gaps = leastGaps([{ rank: 0, lane: 0.9 }, { rank: 0, lane: 0.1 }, { rank: 0, lane: 0.3 }, { rank: 1, lane: 0.3 }]);
    expect(gaps.get(0)).toBeCloseTo(0.2);
    expect(gaps.has(1)).toBe(false);
  });

  it("is never gone, however many nodes a column has", () => {
    const nodes = Array.from({ length: 150 }, (_, index) => `n${index}`);
    expect(leastGaps(new LaneLayout().place(nodes, [], () => undefined).values()).get(0)).toBeGreaterThan(0.004);
  });
});

describe("hover cards", () => {
  it("open to the side where there is room", () => {
    const canvas = document.createElement("canvas");
    vi.spyOn(canvas, "clientWidth", "get").mockReturnValue(600);
    vi.spyOn(canvas, "clientHeight", "get").mockReturnValue(400);
    const side = (x: number, y: number) => render(<HoverCard at={{ x, y }} canvas={{ current: canvas }}>words</HoverCard>).container.firstElementChild?.className;
    expect(side(50, 50)).toBe("hover-card");
    expect(side(590, 390)).toBe("hover-card hover-left hover-up");
  });
});

describe("the drawing of a genome", () => {
  it("says of every node what goes in and out", () => {
    expect(describeNode(cell, "0")).toBe("0: from c{k−2} by sep_conv_3x3; to out");
    expect(describeNode({ ...cell, edges: [] }, "0")).toBe("0: connected to nothing");
  });

  it("can be walked with the keyboard; edges away from the node in focus fade", () => {
    vi.spyOn(HTMLElement.prototype, "clientWidth", "get").mockReturnValue(600);
    vi.spyOn(HTMLElement.prototype, "clientHeight", "get").mockReturnValue(300);
    const { container } = render(<GenomeGraph drawings={{ normal: cell }} />);
    const input = screen.getByRole("img", { name: /^c\{k−2\}: to 0/ });
    expect(input.getAttribute("tabindex")).toBe("0");
    expect(container.querySelectorAll(".genome-away")).toHaveLength(0);
    fireEvent.focus(input);
    expect(container.querySelectorAll(".genome-edge.genome-away")).toHaveLength(1);
    fireEvent.blur(input);
    expect(container.querySelectorAll(".genome-away")).toHaveLength(0);
    // Labels lie above all edges, nodes above the labels.
    const kinds = [...(container.querySelector("svg")?.children ?? [])].map((child) => child.getAttribute("class")?.split(" ")[0]);
    expect(kinds).toEqual(["genome-edge", "genome-edge", "genome-label", "genome-node", "genome-node", "genome-node"]);
  });
});
