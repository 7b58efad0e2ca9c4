/** What compressing networks takes and saves, live on the run page. */
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { Compression } from "../src/run/Compression";
import { RunStore } from "../src/stream/store";
import { event } from "./run/events";

afterEach(cleanup);

const timing = (predicted: number) => ({
  kind: "ops" as const, what: "timing" as const, message: "Compressing hardly pays here.",
  values: { trials: 4, flops_ratio: 0.11, a: 8.9, c: 2.6e-5, d: 8.1e-7, n: 3, k: 1, predicted, measured: 1.16, break_even: 1.5 },
});

describe("the speed-up", () => {
  it("is absent where nothing is compressed", () => {
    const { container } = render(<Compression store={new RunStore()} />);
    expect(container.innerHTML).toBe("");
  });

  it("shows the model and the clock, and warns where it hardly pays", () => {
    const store = new RunStore();
    store.applyRange(1, 1, [event(1, timing(2.26), "run")]);
    const first = render(<Compression store={store} />);
    expect(screen.getByText("S predicted").nextSibling?.textContent).toBe("2.26");
    expect(screen.getByText("S measured").nextSibling?.textContent).toBe("1.16");
    expect(screen.queryByText(/hardly pays/)).toBeNull();
    first.unmount();
    store.applyRange(2, 3, [event(2, timing(0.9), "run"), event(3, { kind: "control", name: "plain_sample", title: "", message: "", values: { rank_correlation: 0.5 } }, "run")]);
    render(<Compression store={store} />);
    expect(screen.getByText(/hardly pays/)).toBeTruthy();
    expect(screen.getByText("rank correlation").nextSibling?.textContent).toBe("0.5000");
  });
});
