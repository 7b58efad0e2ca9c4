/** Failed trials are told where a run is shown: in its bar and in the table of runs. */
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { RunHeader } from "../src/run/RunHeader";
import { RunStore } from "../src/stream/store";
import { RunTable } from "../src/views/RunTable";
import { run } from "./run/events";

afterEach(cleanup);

const shown = (failed: number) => {
  const one = run({ state: "completed", counts: { candidates: 40, trials: 40, failed, repeated: 0, architectures: 0 } });
  render(
    <>
      <RunHeader run={one} store={new RunStore(() => undefined)} />
      <RunTable runs={[one]} algorithms={[]} />
    </>,
  );
};

it("says how many of a run's trials failed", () => {
  shown(3);
  expect(screen.getByText("failed trials").nextElementSibling?.textContent).toBe("3 of 40");
  expect(screen.getByText("3 of 40 trials failed")).toBeTruthy();
});

it("says nothing where none did", () => {
  shown(0);
  expect(screen.queryByText(/failed/)).toBeNull();
});
