/** What the triangle draws where: the map's cells, draws, marks, and an edge of a run above them all. */
import { describe, expect, it } from "vitest";
import { gridPoints, type Weights } from "../src/explore/distributions";
import { TrianglePicture, type TriangleData } from "../src/explore/trianglePicture";
import { scoreColour } from "../src/graph/scoreColour";

interface Call {
  name: string;
  values: unknown[];
  fill: unknown;
}

/** The calls of one painting of 460 x 398 points: a triangle of side 400 whose top corner is at (230, 26). */
function painted(data: TriangleData): Call[] {
  const calls: Call[] = [];
  const state: Record<string, unknown> = {};
  const context = new Proxy(state, {
    get: (_, name: string) => (name === "measureText" ? () => ({ width: 120 }) : name in state ? state[name] : (...values: unknown[]) => void calls.push({ name, values, fill: state["fillStyle"] })),
    set: (_, name: string, value) => ((state[name] = value), true),
  });
  class Painted extends TrianglePicture {
    run(): void {
      this.width = 460;
      this.height = 398.4;
      this.paint(context as unknown as CanvasRenderingContext2D);
    }
  }
  const canvas = document.createElement("canvas");
  canvas.getContext = (() => context) as never;
  const picture = new Painted(canvas);
  picture.setData(data);
  picture.run();
  picture.dispose();
  return calls;
}

const arcs = (calls: Call[]) => calls.filter((call) => call.name === "arc").map(({ values }) => values.slice(0, 3).map((value) => Math.round(Number(value) * 10) / 10));
const TOP: Weights = [1, 0, 0];
const LEFT: Weights = [0, 1, 0];

describe("the triangle", () => {
  it("colours each cell by its value", () => {
    const grid = gridPoints(4);
    const cells = painted({ labels: ["a", "b", "c"], map: { parts: 4, grid, values: [1, 2, 3], span: [1, 3] } }).filter((call) => call.name === "fillRect");
    expect(cells.map((cell) => cell.fill)).toEqual([1, 2, 3].map((value) => scoreColour(value, [1, 3])));
  });

  it("puts draws, marks and the edge of a run at their places, the mean last", () => {
    const calls = painted({ labels: ["a", "b", "c"], map: null, dots: [LEFT], marks: [TOP], edge: { mean: TOP, draws: [LEFT, TOP] } });
    expect(arcs(calls)).toEqual([[30, 372.4, 1.5], [230, 26, 7], [230, 26, 7], [30, 372.4, 3], [230, 26, 3], [230, 26, 6.5]]);
    expect(calls.some((call) => call.name === "fillRect")).toBe(false);
    expect(arcs(painted({ labels: ["a", "b", "c"], map: null, edge: null }))).toEqual([]);
  });

  it("keeps long names on the canvas", () => {
    const texts = painted({ labels: ["γ₁ one", "γ₂ two", "γ₃ three"], map: null }).filter((call) => call.name === "fillText");
    expect(texts.map(({ values }) => values[0])).toEqual(["γ₁ one", "γ₂ two", "γ₃ three"]);
    for (const { values } of texts) {
      expect(Number(values[1]) - 60).toBeGreaterThanOrEqual(0);
      expect(Number(values[1]) + 60).toBeLessThanOrEqual(460);
    }
  });
});
