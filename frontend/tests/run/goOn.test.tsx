import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, describe, expect, it, vi } from "vitest";
import { GoOn } from "../../src/run/GoOn";
import { moreProblem, ordinal, visitsOfSearch } from "../../src/run/lineage";
import { LineageNote } from "../../src/run/LineageNote";
import { stateText } from "../../src/run/RunHeader";
import { RunStore } from "../../src/stream/store";
import { amountOf } from "../../src/views/experimentText";
import { run } from "./events";

afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

const STARTED = "2026-01-01T00:00:00Z";
const over = run({ state: "completed", started: STARTED, more: { unit: "trials", have: 20, why_not: "" } });

/** The answers to requests, by the end of their path; what was sent is in `sent`. */
function answering(answers: Record<string, unknown>, status = 200) {
  const sent: [string, unknown][] = [];
  vi.spyOn(globalThis, "fetch").mockImplementation((input, init) => {
    const path = String(input).split("/api/v1/")[1] ?? "";
    sent.push([path, init?.body ? JSON.parse(String(init.body)) : null]);
    const body = Object.entries(answers).find(([end]) => path.endsWith(end))?.[1] ?? {};
    return Promise.resolve(new Response(JSON.stringify(body), { status, headers: { "Content-Type": status < 400 ? "application/json" : "application/problem+json" } }));
  });
  return sent;
}

const buttons = (changes: Parameters<typeof run>[0]) => {
  cleanup();
  render(<GoOn run={run({ started: STARTED, ...changes })} onRun={() => undefined} />);
  return screen.queryAllByRole("button").map((button) => button.textContent);
};

describe("what can be done with a search", () => {
  it("depends on how far it is", () => {
    expect(buttons({ state: "queued", started: null })).toEqual([]);
    expect(buttons({ state: "running" })).toEqual(["Finish now", "Train the best so far"]);
    expect(buttons({ state: "paused" })).toEqual(["Finish now", "Train the best so far"]);
    expect(buttons({ state: "running", ending: true })).toEqual(["Train the best so far"]);
    expect(buttons({ state: "running", phase: "Finale" })).toEqual(["Train the best so far"]);
    expect(buttons({ state: "cancelled" })).toEqual(["Train the best so far", "More budget…"]);
  });

  it("finishes after a question, and the state says so", async () => {
    const sent = answering({ "/finish": run({ started: STARTED, ending: true }) });
    const changed = vi.fn();
    render(<GoOn run={run({ started: STARTED })} onRun={changed} />);
    fireEvent.click(screen.getByRole("button", { name: "Finish now" }));
    expect(sent).toEqual([]);
    fireEvent.click(screen.getAllByRole("button", { name: "Finish now" }).at(-1) as HTMLElement);
    await waitFor(() => expect(changed).toHaveBeenCalled());
    expect(sent).toEqual([["runs/r1/finish", {}]]);
    expect(stateText(run({ ending: true }))).toBe("finishing: the search ends, its best network is trained");
    expect(stateText(run({ ending: true, phase: "Finale" }))).toBe("running, step 38 of 72");
  });

  it("says why the best is not trained", () => {
    render(<GoOn run={run({ started: STARTED, no_best: "nothing is trained here" })} onRun={() => undefined} />);
    fireEvent.click(screen.getByRole("button", { name: "Train the best so far" }));
    expect(screen.getByText("The best of this run cannot be trained so: nothing is trained here.")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Train it" })).toBeNull();
  });
});

describe("more budget", () => {
  const open = (given = over) => {
    render(<GoOn run={given} onRun={() => undefined} />);
    fireEvent.click(screen.getByRole("button", { name: "More budget…" }));
  };

  it("says why there is none", () => {
    answering({});
    open(run({ state: "completed", started: STARTED, more: { unit: "", have: 0, why_not: "no architecture is left to try" } }));
    expect(screen.getByText("This search cannot go on: no architecture is left to try.")).toBeTruthy();
    expect(screen.queryByLabelText(/Further/)).toBeNull();
  });

  it("says what it does and takes, and asks for what was typed", async () => {
    const visits = { ...over.test_visits, run: 1 };
    const sent = answering({ "runs/r1": { ...over, took: { search: 200, finale: 60 }, lineage: [{ run: null, unit: "trials", have: 10, test_visits: 1 }] }, "/more": run({ id: "r2" }) });
    open({ ...over, test_visits: visits });
    const amount = screen.getByLabelText<HTMLInputElement>("Further trials");
    expect(amount.value).toBe("20");
    fireEvent.change(amount, { target: { value: "1.5" } });
    expect(screen.getByRole("alert").textContent).toBe("give a whole number of further trials");
    expect(screen.getByRole<HTMLButtonElement>("button", { name: "Go on" }).disabled).toBe(true);
    fireEvent.change(amount, { target: { value: "15" } });
    expect(screen.getByText(/does what one search of 35 trials would have done/)).toBeTruthy();
    await waitFor(() => expect(screen.getByText(/15 trials more take about 3 min, and the finale after it about 60 s/)).toBeTruthy());
    expect(screen.getByText(/the 3rd visit of this search/)).toBeTruthy();
    fireEvent.submit(amount);
    await waitFor(() => expect(sent.at(-1)).toEqual(["runs/r1/more", { unit: "trials", more: 15 }]));
  });

  it("shows a refusal beside the number", async () => {
    answering({ "": { title: "", status: 400, detail: "more: its files are gone", code: "invalid", field: "more", problems: null, state: null } }, 400);
    open();
    fireEvent.click(screen.getByRole("button", { name: "Go on" }));
    await waitFor(() => expect(screen.getByRole("alert").textContent).toContain("its files are gone"));
  });
});

describe("the line under the name", () => {
  it("says where a search comes from and how often it opened the test part", () => {
    const lineage = [{ run: null, unit: "trials", have: 20, test_visits: 2 }, { run: "r0", unit: "trials", have: 35, test_visits: 1 }];
    const longer = run({ continues: { run: "r0", unit: "trials", have: 35 }, lineage });
    const { container } = render(<LineageNote run={longer} />);
    expect(container.textContent).toBe(
      "goes on from a run at 35 trials; its finale will be the 3rd visit to the test part of this search: the first was at 20 trials, the 2nd at 35 trials",
    );
    expect(container.querySelector("a")?.getAttribute("href")).toContain("r0");
    expect(visitsOfSearch({ ...longer, test_visits: { ...longer.test_visits, run: 1 } })).toMatch(/^3rd visit/);
    cleanup();
    expect(render(<LineageNote run={run({ continues: { run: null, unit: "epochs", have: 3 }, lineage: [] })} />).container.textContent).toBe("goes on from a run that was deleted at 3 epochs");
    cleanup();
    expect(render(<LineageNote run={run({ continued_by: ["a", "b"] })} />).container.textContent).toBe("gone on with by run 1 · and by run 2");
    cleanup();
    expect(render(<LineageNote run={run()} />).container.textContent).toBe("");
  });

  it("counts and names amounts", () => {
    expect([1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal)).toEqual(["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]);
    expect([amountOf("trials", 20), amountOf("epochs", 12)]).toEqual(["20 trials", "12 epochs"]);
    expect([moreProblem("trials", "3"), moreProblem("samples", "0.5")]).toEqual(["", ""]);
    expect(["", "0", "-1", "x", "Infinity"].map((text) => moreProblem("samples", text) !== "")).toEqual([true, true, true, true, true]);
    expect(moreProblem("epochs", "1.5")).toBe("give a whole number of further epochs");
  });

  it("stays when a short answer follows", () => {
    const store = new RunStore(() => undefined);
    const lineage = [{ run: null, unit: "trials", have: 20, test_visits: 1 }];
    store.setRun(run({ config: {}, lineage }));
    store.setRun(run({ state: "completed" }));
    expect([store.run?.lineage, store.run?.state]).toEqual([lineage, "completed"]);
  });
});
