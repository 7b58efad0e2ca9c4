/** What stands beside Start before a search is begun: what it costs, and what there is to know of the data. */
import { cleanup, render, screen, within } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import type { Estimate } from "../src/api/types";
import { StartBox } from "../src/views/new/StartBox";

afterEach(cleanup);

const UNEQUAL = "The classes are unequal: 98 % of the examples are '0', 2 % are '1'.";
const estimate = (data: string[] | undefined, seed = 5): Estimate => ({
  id: "e", state: "done", reason: "",
  result: { runs: [{ algorithm: "random", seed, samples: 10, seconds: 2, steps: null, trials: 3, note: "", advice: [] }], ...(data ? { data } : {}), total_seconds: 2 },
});

function show(of: Estimate, more: Partial<Parameters<typeof StartBox>[0]> = {}) {
  const nothing = { nameOf: (path: string) => path, serverError: null, advice: [], busy: false, onStart: () => undefined };
  render(<StartBox runs={1} algorithms={1} seeds={1} problems={[]} checking={false} estimate={{ estimate: of, error: null }} {...nothing} {...more} />);
}

describe("before the start", () => {
  it("the data's warnings stand beside Start, with their figures", () => {
    show(estimate([UNEQUAL]));
    expect(within(screen.getByRole("list", { name: "About the data" })).getAllByRole("listitem").map((item) => item.textContent)).toEqual([UNEQUAL]);
    expect(screen.queryByText(/As seed/)).toBeNull();
  });

  it("of several seeds it is said whose split they are of", () => {
    show(estimate([UNEQUAL]), { runs: 3, seeds: 3 });
    expect(screen.getByText(/^As seed 5 divides training and validation data/)).toBeTruthy();
  });

  it.each([["sound data", estimate([]), {}], ["an estimate of an earlier version", estimate(undefined), {}], ["another choice that is being checked", estimate([UNEQUAL]), { checking: true }], ["a form with problems", estimate([UNEQUAL]), { problems: [["seeds", "Wrong."]] as [string, string][] }]])("nothing is said of %s", (_, of, more) => {
    show(of, more);
    expect(screen.queryByRole("list", { name: "About the data" })).toBeNull();
  });
});
