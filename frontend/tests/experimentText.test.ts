import { describe, expect, it } from "vitest";
import type { Run } from "../src/api/types";
import { alsoChargedText, budgetText, chargedText, unitText } from "../src/views/experimentText";

const charged = { samples: 412_000, trials: 83, flops: 3.1e12, seconds: 75 };
const run = (budget: Run["budget"], changes: Partial<Run["charged"]> = {}) => ({ budget, charged: { ...charged, ...changes } }) as Run;

describe("what was spent", () => {
  it("stands in the budget's kind, and beside it in all others", () => {
    const trials = run({ kind: "trials", limit: 100, count_repeats: true });
    expect(chargedText(trials)).toBe("83 of 100 trials");
    expect(alsoChargedText(trials)).toBe("412 k samples · 3.1 TFLOPs · 1 min 15 s of device time");
    const flops = run({ kind: "flops", limit: 4e12, count_repeats: true });
    expect(chargedText(flops)).toBe("3.1 T of 4 TFLOPs");
    expect(alsoChargedText(flops)).toBe("83 trials · 412 k samples · 1 min 15 s of device time");
    expect(chargedText(run({ kind: "seconds", limit: 120, count_repeats: true }))).toBe("1 min 15 s of 2 min of device time");
  });
  it("names no kind of which nothing was spent", () => {
    expect(alsoChargedText(run(null, { trials: 0, flops: 0 }))).toBe("1 min 15 s of device time");
    expect(chargedText(run(null))).toBe("412 k samples");
  });
  it("says of a budget what counts", () => {
    expect(budgetText({ kind: "trials", limit: 1000, count_repeats: true })).toBe("1,000 trials");
    expect(budgetText({ kind: "trials", limit: 1000, count_repeats: false })).toBe("1,000 trials, repeats not counted");
    expect(budgetText({ kind: "flops", limit: 2.5e12, count_repeats: true })).toBe("2.5 TFLOPs");
    expect(unitText("flops", 12)).toBe("12 FLOPs");
    expect(budgetText(null)).toBe("as configured");
  });
});
