/** The two-layer model: its operations against hand-made values, and that it is a model for every γ. */
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { TwoLayer } from "../src/explore/TwoLayer";
import { CLASSIFIER, convolution, INPUTS, KERNEL, mixture, model, pooling, SIDE, wordsOf } from "../src/explore/twoLayer";

afterEach(cleanup);

/** A picture of zeros but for some points. */
const points = (...at: [row: number, column: number, value: number][]) => {
  const values = new Array<number>(SIDE * SIDE).fill(0);
  for (const [row, column, value] of at) values[row * SIDE + column] = value;
  return values;
};
const at = (values: readonly number[], row: number, column: number) => values[row * SIDE + column];

describe("the operations", () => {
  it("convolve without turning the kernel, with zeros outside", () => {
    const kernel = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    const answer = convolution(points([3, 3, 1], [0, 7, 2]), kernel);
    // Cross-correlation: the point below right of the stroke sees it with the kernel's first weight.
    expect(at(answer, 4, 4)).toBe(1);
    expect(at(answer, 2, 2)).toBe(9);
    expect(at(answer, 3, 4)).toBe(4);
    expect(at(answer, 0, 7)).toBe(10);
    expect(at(answer, 1, 6)).toBe(6);
    expect(at(answer, 0, 0)).toBe(0);
  });

  it("answer to an upright stroke and not to a plane", () => {
    const stroke = points(...[0, 1, 2, 3, 4, 5, 6, 7].map((row): [number, number, number] => [row, 4, 1]));
    expect(at(convolution(stroke), 4, 4)).toBeCloseTo(2, 12);
    expect(at(convolution(stroke), 4, 3)).toBeCloseTo(-1, 12);
    expect(at(convolution(new Array<number>(64).fill(1)), 4, 4)).toBeCloseTo(0, 12);
    expect(KERNEL.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 12);
  });

  it("pool the largest of the surroundings, also of negative values at the border", () => {
    const answer = pooling(points([3, 3, 1]));
    expect(answer.reduce((sum, value) => sum + value, 0)).toBe(9);
    expect(at(answer, 2, 4)).toBe(1);
    expect(pooling(new Array<number>(64).fill(-1)).every((value) => value === -1)).toBe(true);
  });

  it("mix by their weights", () => {
    expect(mixture([2, 4], [10, 20], [0.5, 0.1])).toEqual([2, 4]);
  });
});

describe("the model", () => {
  it("is a distribution over the classes for every γ of the square, and a uniform one at zero", () => {
    for (const { picture } of INPUTS) {
      expect(picture).toHaveLength(64);
      for (let i = 0; i <= 10; i++) {
        for (let j = 0; j <= 10; j++) {
          const values = model(picture, [i / 10, j / 10]);
          expect(values.every((value) => value > 0 && value < 1)).toBe(true);
          expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 12);
        }
      }
      model(picture, [0, 0]).forEach((value) => expect(value).toBeCloseTo(1 / INPUTS.length, 12));
    }
  });

  it("knows its four pictures by the convolution and by both; the pooling alone takes all for a 0", () => {
    const said = (gamma: readonly [number, number]) => INPUTS.map(({ picture }) => model(picture, gamma)).map((values) => values.indexOf(Math.max(...values)));
    expect(said([1, 0])).toEqual([0, 1, 2, 3]);
    expect(said([1, 1])).toEqual([0, 1, 2, 3]);
    expect(said([0, 1])).toEqual([0, 0, 0, 0]);
    INPUTS.forEach(({ picture }, own) => expect(model(picture, [1, 1])[own]).toBeGreaterThan(model(picture, [0.5, 0.5])[own]!));
    expect(CLASSIFIER).toHaveLength(INPUTS.length);
  });

  it("is said in words", () => {
    expect(wordsOf(points([2, 5, 3], [0, 0, -1]))).toBe("from -1.00 to 3.00, largest in row 3, column 6");
  });
});

describe("the part of the page", () => {
  const now = () => Array.from(screen.getByRole("rowheader", { name: /^now/ }).parentElement!.querySelectorAll("td"), (cell) => Number(cell.textContent));

  it("follows the sliders over the cube and along the simplex", () => {
    render(<TwoLayer />);
    expect(screen.getByText(/^The model says 4 with probability/)).toBeTruthy();
    fireEvent.change(screen.getByLabelText("γ₀ (Conv)"), { target: { value: "0" } });
    fireEvent.change(screen.getByLabelText("γ₁ (Pool)"), { target: { value: "0" } });
    expect(screen.getByText(/^Both weights are zero/)).toBeTruthy();
    expect(now()).toEqual([0.25, 0.25, 0.25, 0.25, 1]);

    fireEvent.click(screen.getByRole("radio", { name: "Simplex" }));
    expect(screen.queryByLabelText("γ₁ (Pool)")).toBeNull();
    expect(screen.getByText("γ₁ = 1 − γ₀ = 1")).toBeTruthy();
    fireEvent.change(screen.getByLabelText("γ₀ (Conv)"), { target: { value: "50" } });
    expect(screen.getByRole("rowheader", { name: "now (0.25, 0.75)" })).toBeTruthy();

    fireEvent.click(screen.getByRole("radio", { name: "7" }));
    expect(screen.getByText(/^The model says 7/)).toBeTruthy();
    const expected = model(INPUTS[3]!.picture, [0.25, 0.75]);
    now().slice(0, 4).forEach((value, place) => expect(value).toBeCloseTo(expected[place]!, 3));
    expect(screen.getByRole("img", { name: /^Probability of 7 over all γ; at the corners of the cube \(0, 0\) 0\.25/ })).toBeTruthy();
    expect(screen.getByRole("img", { name: /^Pool\(x\): from 0\.00 to 1\.00/ })).toBeTruthy();
  });
});
