/** An edge of a run on the triangle: its figures out of a snapshot, and every state of the part of the page that shows it. */
import { act, cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Run, Snapshot } from "../src/api/types";
import { ExplorePage } from "../src/explore/ExplorePage";
import { centreFor, edgesOf, liveEdge } from "../src/explore/liveEdge";
import { LiveEdgePanel } from "../src/explore/LiveEdgePanel";
import { useLiveEdge } from "../src/explore/useLiveEdge";
import { encodeFloats, event, family, run } from "./run/events";
import { stubCanvas } from "./run/fixtures";

const FRAME = [0.25, 0.25, 0.25, 0.25, 0.1, 0.2, 0.6, 0.1, 0, 0, 0, 1];
/** Two draws of three edges with four operations; the second leaves the last edge's three strongest nothing. */
const DRAWS = [0.25, 0.25, 0.25, 0.25, 0, 0.25, 0.75, 0, 0, 0, 0, 1, 0.25, 0.25, 0.25, 0.25, 0, 0.5, 0.5, 0, 1, 0, 0, 0];

interface Said {
  run?: Run;
  family?: object | null;
  structure?: { step: number; groups: Record<string, string>; samples?: Record<string, string> } | null;
}

function snapshot(changes: Said = {}): Snapshot {
  const said = { family, structure: { step: 40, groups: { normal: encodeFloats(FRAME) }, samples: { normal: encodeFloats(DRAWS) } }, ...changes };
  const events = [said.family && event(1, said.family as never), said.structure && event(9, { kind: "structure", ...said.structure } as never)];
  return { as_of_seq: 9, run: said.run ?? run({ last_seq: 9, state: "completed" }), events: events.filter(Boolean), phases: [] } as unknown as Snapshot;
}

/** Answers by the path's beginning; a number is a status without a body. */
function answer(routes: Record<string, () => unknown>): ReturnType<typeof vi.fn> {
  const mock = vi.fn((path: string) => {
    const found = Object.entries(routes).find(([start]) => path.startsWith(`/api/v1/${start}`))?.[1]();
    return Promise.resolve(typeof found === "number" ? new Response("", { status: found }) : new Response(JSON.stringify(found), { status: 200 }));
  });
  vi.stubGlobal("fetch", mock);
  return mock;
}

/** The part of the page that shows an edge, without the pictures around it: they cost a second each time. */
function Part() {
  return <LiveEdgePanel state={useLiveEdge()} onTake={() => undefined} />;
}

const listed = (...runs: Run[]) => ({ results: runs, next: null });

beforeAll(stubCanvas);
beforeEach(() => window.history.replaceState(null, "", "/explore"));
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the edge of a snapshot", () => {
  it("is one of those with weights and three operations", () => {
    expect(edgesOf(snapshot()).map(({ key, label }) => [key, label])).toEqual([["normal/0", "a → b"], ["normal/1", "a → c"], ["normal/2", "b → c"]]);
    expect(edgesOf(snapshot({ structure: null }))).toEqual([]);
    const few = { ...family, groups: [{ ...family.groups[0], operations: ["none", "skip_connect"] }] };
    expect(edgesOf(snapshot({ family: few }))).toEqual([]);
  });

  it("lies on the triangle of its three strongest operations", () => {
    const found = liveEdge(snapshot(), edgesOf(snapshot())[1]!)!;
    // Operations 2, 1 and then 0 (equal to 3, the first wins) of float32 weights 0.6, 0.2, 0.1.
    expect(found.names).toEqual(["sep 3×3", "skip", "none"]);
    [0.6 / 0.9, 0.2 / 0.9, 0.1 / 0.9].forEach((wanted, place) => expect(found.mean[place as 0]).toBeCloseTo(wanted, 5));
    expect(found.held).toBeCloseTo(0.9, 5);
    expect(found.draws).toEqual([[0.75, 0.25, 0], [0.5, 0.5, 0]]);
    expect(found.rows.map((row) => row.name)).toEqual(["sep_conv_3x3", "skip_connect", "none", "max_pool_3x3"]);
    expect(found.rows[0]).toMatchObject({ drawn: 0.625, strongest: 0.5 });
    expect(found.rows[1]).toMatchObject({ drawn: 0.375, strongest: 0.5 });
  });

  it("leaves out draws that give the three nothing, and knows runs without draws", () => {
    const weights = { step: 1, groups: { normal: encodeFloats([...FRAME.slice(0, 8), 0, 0.2, 0.3, 0.5]) }, samples: { normal: encodeFloats(DRAWS) } };
    const found = liveEdge(snapshot({ structure: weights }), edgesOf(snapshot())[2]!)!;
    expect([found.drawn, found.draws]).toEqual([2, [[1, 0, 0]]]);
    const plain = liveEdge(snapshot({ structure: { step: 1, groups: weights.groups } }), edgesOf(snapshot())[1]!)!;
    expect([plain.drawn, plain.rows[0]?.drawn, plain.rows[0]?.strongest]).toEqual([0, null, null]);
    expect(liveEdge(snapshot({ structure: { step: 1, groups: { normal: encodeFloats(new Array<number>(12).fill(0)) } } }), edgesOf(snapshot())[1]!)).toBeNull();
  });

  it("gives the sliders a centre in its proportion", () => {
    expect(centreFor("gumbel", [0.5, 0.3, 0.2])).toEqual([10, 6, 4]);
    expect(centreFor("dirichlet", [1, 0, 0])).toEqual([10, 0.1, 0.1]);
    const [a, b, c] = centreFor("logit-normal", [0.5, 0.25, 0.25]);
    expect(a - b).toBeCloseTo(Math.log(2), 2);
    expect(b).toBe(c);
  });
});

describe("an edge of a run on the page", () => {
  it("is chosen, drawn and said in figures, and can set the sliders", async () => {
    answer({ "runs/r1/snapshot": () => snapshot(), "runs": () => listed(run({ last_seq: 9, state: "completed" }), run({ id: "r2", last_seq: 0 })) });
    render(<ExplorePage />);
    const choice = await screen.findByRole("combobox", { name: "Run" });
    // The second run has not said anything yet.
    expect(within(choice).getAllByRole("option").map((item) => item.textContent)).toEqual(["none", "DARTS, seed 3 · An experiment"]);
    fireEvent.change(choice, { target: { value: "r1" } });
    const edge = screen.getByRole("combobox", { name: "Edge" });
    await waitFor(() => expect(within(edge).getAllByRole("option")).toHaveLength(3));
    fireEvent.change(edge, { target: { value: "normal/1" } });
    expect(window.location.search).toBe("?run=r1&edge=normal%2F1");
    const table = screen.getByRole("table", { name: /edge a → c at step 40/ });
    expect(within(table).getByRole("row", { name: /sep 3×3/ }).textContent).toBe(" sep 3×30.6000.62550 %");
    expect(screen.getByText("Step 40: 2 draws; the three corners hold 90 % of the weight.")).toBeTruthy();
    expect(screen.getByRole("img", { name: /On top the edge a → c: mean sep 3×3 0.67, skip 0.22, none 0.11; 2 draws/ })).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Set the sliders to its mean" }));
    expect(screen.getByLabelText("s₁").getAttribute("aria-valuetext")).toBe("10");
    expect(screen.getByLabelText("s₂").getAttribute("aria-valuetext")).toBe("3.33");
    fireEvent.change(choice, { target: { value: "" } });
    expect(screen.queryByRole("table", { name: /edge a/ })).toBeNull();
    expect(window.location.search).toBe("");
  });

  it("is asked for again while the run works, and no more after its end", async () => {
    vi.useFakeTimers();
    window.history.replaceState(null, "", "/explore?run=r1");
    let step = 1;
    const state = () => (step < 3 ? "running" : "completed");
    const mock = answer({
      "runs/r1/snapshot": () => snapshot({ run: run({ state: state() }), structure: { step: step++, groups: { normal: encodeFloats(FRAME) } } }),
      "runs": () => listed(run({ last_seq: 9 })),
    });
    const asked = () => mock.mock.calls.filter(([path]) => String(path).includes("snapshot")).length;
    const wait = (time: number) => act(() => vi.advanceTimersByTimeAsync(time));
    render(<Part />);
    await wait(10);
    expect(screen.getByText("Step 1: no draws: its weights are one point; the three corners hold 75 % of the weight.")).toBeTruthy();
    await wait(4000);
    expect(screen.getByText(/^Step 2:/)).toBeTruthy();
    await wait(20_000);
    expect(asked()).toBe(3);
    expect(screen.getByText(/^Step 3:/)).toBeTruthy();
  });

  it("says what is missing", async () => {
    answer({ "runs": () => listed() });
    const { unmount } = render(<Part />);
    expect(await screen.findByText("No run to show")).toBeTruthy();
    unmount();

    answer({ "runs": () => 500 });
    const failed = render(<Part />);
    expect(within(await screen.findByRole("alert")).getByText("The runs could not be loaded")).toBeTruthy();
    failed.unmount();

    window.history.replaceState(null, "", "/explore?run=r1");
    for (const [body, title] of [
      [404, "The run could not be loaded"],
      [snapshot({ structure: null, family: null }), "No weights on edges"],
      [snapshot({ structure: null, family: null, run: run() }), "No weights yet"],
      [snapshot({ family: null }), "Not enough operations"],
      [snapshot({ structure: { step: 1, groups: { normal: encodeFloats(new Array<number>(12).fill(0)) } } }), "No weight on this edge"],
    ] as const) {
      answer({ "runs/r1/snapshot": () => body, "runs": () => listed(run({ last_seq: 9 })) });
      const shown = render(<Part />);
      expect(await screen.findByText(title)).toBeTruthy();
      shown.unmount();
    }
  });
});
