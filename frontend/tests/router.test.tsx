import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Link, navigate, useLocation, useQueryState } from "../src/app/router";
import { paths, routeOf } from "../src/app/routes";

describe("routeOf", () => {
  it("knows every page", () => {
    expect(routeOf("/")).toEqual({ page: "home" });
    for (const page of ["new", "architecture", "experiments", "models", "data", "workers", "account", "login"]) expect(routeOf(`/${page}`)).toEqual({ page });
    expect(routeOf("/experiments/")).toEqual({ page: "experiments" });
    expect(routeOf("/experiments/a%20b")).toEqual({ page: "experiment", id: "a b" });
    expect(routeOf("/runs/42/")).toEqual({ page: "run", id: "42" });
    expect(routeOf(paths.model("m1"))).toEqual({ page: "model", id: "m1" });
  });
  it("says so where there is nothing", () => {
    for (const path of ["/runs", "/runs/1/2", "/nothing", "/new/1"]) expect(routeOf(path)).toEqual({ page: "not-found", path });
  });
  it("is undone by paths", () => {
    expect(routeOf(paths.run("a/b"))).toEqual({ page: "run", id: "a/b" });
    expect(routeOf(paths.experiment("7"))).toEqual({ page: "experiment", id: "7" });
    expect(paths.newExperiment({ run: "7" })).toBe("/new?run=7");
    expect(paths.newExperiment()).toBe("/new");
    expect(paths.architecture()).toBe("/architecture");
    expect(paths.architecture({ text: "3 1 2", space: "sequence", options: {} })).toBe("/architecture?text=3+1+2&space=sequence");
    expect(new URLSearchParams(paths.architecture({ text: "x", options: { n: 4 } }).split("?")[1]).get("options")).toBe('{"n":4}');
  });
});

function Probe() {
  const { path, query } = useLocation();
  const [tab, setTab] = useQueryState("tab");
  return (
    <>
      <output>{`${path} ${query.toString()} ${tab ?? "-"}`}</output>
      <Link to="/models?x=1">go</Link>
      <button onClick={() => setTab("loss")}>tab</button>
      <button onClick={() => setTab(null)}>no tab</button>
    </>
  );
}

const shown = () => screen.getByRole("status").textContent;

describe("the address bar as state", () => {
  beforeEach(() => window.history.replaceState(null, "", "/"));
  afterEach(cleanup);

  it("follows links without loading, and the history", () => {
    render(<Probe />);
    fireEvent.click(screen.getByText("go"));
    expect(shown()).toBe("/models x=1 -");
    act(() => {
      window.history.replaceState(null, "", "/data");
      window.dispatchEvent(new PopStateEvent("popstate"));
    });
    expect(shown()).toBe("/data  -");
  });

  it("leaves clicks with a modifier to the browser", () => {
    render(<Probe />);
    fireEvent.click(screen.getByText("go"), { ctrlKey: true });
    expect(shown()).toBe("/  -");
  });

  it("keeps one value of the query without a step in the history", () => {
    render(<Probe />);
    act(() => navigate("/models?x=1"));
    const steps = window.history.length;
    fireEvent.click(screen.getByText("tab"));
    expect(shown()).toBe("/models x=1&tab=loss loss");
    fireEvent.click(screen.getByText("no tab"));
    expect(shown()).toBe("/models x=1 -");
    expect(window.history.length).toBe(steps);
  });
});
