import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import fixtures from "./fixtures/schemas.json";
import { App } from "../src/app/App";
import { keyName } from "../src/app/shortcuts";

const schema = (name: string) => (fixtures as unknown as Record<string, { schema: unknown }>)[name]!.schema;

/** A server of a few routes: method and path to [status, body]; the sent bodies are kept. */
function serve(routes: Record<string, (body: unknown) => [number, unknown]>) {
  const calls: { route: string; body: unknown; headers: Record<string, string> }[] = [];
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => {
    const route = `${init.method} ${path.replace("/api/v1/", "").replace(/\?.*/, "")}`;
    const body: unknown = init.body ? JSON.parse(String(init.body)) : null;
    calls.push({ route, body, headers: init.headers as Record<string, string> });
    const [status, answer] = routes[route]?.(body) ?? [404, { code: "not_found", detail: `nothing at ${route}` }];
    return Promise.resolve(new Response(JSON.stringify(answer), { status }));
  });
  return calls;
}

const ADA = { id: 1, username: "ada", is_staff: false };
const RUN = {
  id: "r1",
  algorithm: { id: "random", title: "Random search" },
  datasets: ["t"],
  options: { window: 1 },
  seed: 0,
  state: "queued",
  reason: "",
  budget: null,
  counts: { candidates: 0, trials: 0, failed: 0, repeated: 0, architectures: 0 },
  charged: { samples: 0, trials: 0, seconds: 0, flops: 0 },
  progress: { fraction: null, text: "", eta_seconds: null },
  started: null,
  finished: null,
  models: [],
  best: null,
  search_score: null,
  validation_score: null,
  test_score: null,
  search_measure: { kind: "search", metric: "val_accuracy", name: "validation accuracy", unit: "share of examples", direction: "maximise" },
  test_visits: { run: 0, experiment: 0, data: 0, part: "digits", further: [] },
};
const EXPERIMENT = { id: "e1", name: "first try", created: new Date().toISOString(), space: "nb201", datasets: ["t"], states: { queued: 2 }, test_visits: 0, runs: [RUN, { ...RUN, id: "r2" }], seeds: [0, 1], budget: null, config: { algorithms: [] } };

const catalogue = {
  "GET me": () => [200, ADA] as [number, unknown],
  "GET algorithms": () =>
    [200, [{ id: "random", title: "Random search", summary: "Tries.", source: "x", needs: ["trials"], spaces: ["nb201"], datasets: ["t"], budgets: ["trials"], domains: { least: 1, most: 1, default: [] }, schema: schema("algorithm:random") }]] as [number, unknown],
  "GET search-spaces": () => [200, [{ id: "nb201", title: "Table cells", description: "d", source: "s", offers: [], inputs: ["image"], schema: schema("space:nb201") }]] as [number, unknown],
  "GET datasets": () =>
    [200, [{ id: "t", title: "A table", description: "d", provides: "table", input_kind: "image", shape: null, spaces: null, sizes: {}, available: true, missing_files: [], schema: schema("dataset:nb201_cifar10") }]] as [number, unknown],
  "GET compatibility": () => [200, [{ algorithm: "random", space: "nb201", dataset: "t", budgets: ["trials"] }]] as [number, unknown],
  "GET run-schema": () => [200, { training: schema("training"), finale: schema("finale"), run: schema("run") }] as [number, unknown],
  "POST experiments/validate": () => [200, { valid: true, problems: [], advice: [] }] as [number, unknown],
  "POST estimates": () => [202, { id: "x", state: "done", result: { runs: [{ algorithm: "random", seed: 0, samples: 1000, seconds: 30, steps: null, trials: 20, note: "", advice: ["The window is wide."] }], total_seconds: 30 }, reason: "" }] as [number, unknown],
  "GET experiments/e1": () => [200, EXPERIMENT] as [number, unknown],
};

beforeEach(() => window.history.replaceState(null, "", "/"));
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

describe("logging in", () => {
  it("asks first, then shows the page of the address", async () => {
    let known = false;
    window.history.replaceState(null, "", "/workers");
    serve({
      "GET me": () => (known ? [200, ADA] : [401, { code: "not_authenticated" }]),
      "POST auth/login": (body) => {
        known = (body as { password: string }).password === "right";
        return known ? [200, ADA] : [400, { code: "wrong_credentials", detail: "name or password is wrong" }];
      },
      "GET workers": () => [200, []],
    });
    render(<App />);
    fireEvent.change(await screen.findByLabelText("User name"), { target: { value: "ada" } });
    fireEvent.change(screen.getByLabelText("Password"), { target: { value: "wrong" } });
    fireEvent.click(screen.getByRole("button", { name: "Log in" }));
    expect((await screen.findByRole("alert")).textContent).toBe("name or password is wrong");
    fireEvent.change(screen.getByLabelText("Password"), { target: { value: "right" } });
    fireEvent.click(screen.getByRole("button", { name: "Log in" }));
    expect(await screen.findByText("No worker is alive")).toBeTruthy();
    expect(screen.getByRole("link", { name: "Workers" }).getAttribute("aria-current")).toBe("page");
  });

  it("shows the login page over any page once the session is lost", async () => {
    serve({ "GET me": () => [200, ADA], "GET presets": () => [200, []], "GET experiments": () => [401, { code: "not_authenticated" }] });
    render(<App />);
    expect(await screen.findByLabelText("Password")).toBeTruthy();
  });
});

describe("the first page", () => {
  it("starts the ready-made search with one click and goes to its runs", async () => {
    const calls = serve({
      ...catalogue,
      "GET presets": () => [200, [{ id: "p", title: "Ready", description: "d", experiment: { name: "Ready" } }]],
      "GET experiments": () => [200, { results: [], next: null }],
      "POST experiments": () => [201, EXPERIMENT],
    });
    render(<App />);
    fireEvent.click(await screen.findByRole("button", { name: "Start and watch" }));
    await waitFor(() => expect(window.location.pathname).toBe("/experiments/e1"));
    const sent = calls.find((call) => call.route === "POST experiments")!;
    expect(sent.body).toEqual({ name: "Ready" });
    expect(sent.headers["Idempotency-Key"]).toMatch(/^[0-9a-f]{32}$/);
    expect(await screen.findByRole("heading", { name: "first try" })).toBeTruthy();
  });
});

it("shows several ready-made searches, the first one large", async () => {
  const preset = (id: string) => ({ id, title: `Search ${id}`, description: "d", experiment: { name: id } });
  serve({ ...catalogue, "GET presets": () => [200, ["a", "b", "c"].map(preset)], "GET experiments": () => [200, { results: [], next: null }] });
  const { container } = render(<App />);
  expect(await screen.findAllByRole("button", { name: "Start and watch" })).toHaveLength(3);
  expect(container.querySelectorAll(".start-card-main")).toHaveLength(1);
  expect(screen.getByRole("heading", { name: "Search c" })).toBeTruthy();
});

describe("the form", () => {
  it("blocks what is wrong, shows the estimate, and sends what was chosen on Ctrl+Enter", async () => {
    window.history.replaceState(null, "", "/new");
    const calls = serve({ ...catalogue, "POST experiments": () => [201, EXPERIMENT] });
    render(<App />);
    const seeds = await screen.findByRole("textbox", { name: "Seeds" });
    fireEvent.change(seeds, { target: { value: "zero" } });
    fireEvent.keyDown(seeds, { key: "Enter", ctrlKey: true });
    expect((await screen.findAllByText(/'zero' is not a seed/)).length).toBeGreaterThan(0);
    fireEvent.change(seeds, { target: { value: "0-1" } });
    fireEvent.change(screen.getByLabelText("Window of open trials"), { target: { value: "4" } });
    expect(await screen.findByText("about 30 s")).toBeTruthy();
    expect(screen.getByRole("list", { name: "Advice" }).textContent).toBe("Random search: The window is wide.");
    expect(calls.some((call) => call.route === "POST experiments")).toBe(false);
    fireEvent.keyDown(seeds, { key: "Enter", ctrlKey: true });
    await waitFor(() => expect(window.location.pathname).toBe("/experiments/e1"));
    expect(calls.find((call) => call.route === "POST experiments")!.body).toMatchObject({
      algorithms: [{ id: "random", options: { window: 4 } }],
      seeds: [0, 1],
      budget: { trials: 20 },
      space: "nb201",
      datasets: ["t"],
    });
  }, 15_000);

  it("puts the server's own refusal at its field", async () => {
    window.history.replaceState(null, "", "/new");
    serve({
      ...catalogue,
      "POST experiments/validate": () => [200, { valid: false, problems: [{ field: "algorithms.0.options.window", message: "larger than the budget", code: "invalid" }], advice: [] }],
    });
    render(<App />);
    expect(await screen.findByText("Larger than the budget")).toBeTruthy();
    expect(screen.getByText("1 thing to put right")).toBeTruthy();
  });

  it("says what one unit takes, and puts one that needs too much at the field that dominates", async () => {
    window.history.replaceState(null, "", "/new");
    const run = { algorithm: "random", seed: 0, samples: 1000, seconds: 30, steps: null, trials: 20, note: "", advice: [], unit: { what: "step of a trial", memory: 612_000_000, flops: 4.1e9 }, problem: null };
    const message = "one step of a trial would need 37 GB of memory, and a worker has 3.0 GB; with 4,096 here it would be 2.6 GB";
    const refused = { ...run, samples: null, seconds: null, trials: null, unit: null, problem: { field: "training.batch_size", message, code: "too_large" } };
    type Body = { training: { batch_size?: number } };
    const calls = serve({
      ...catalogue,
      "POST estimates": (body) => [202, { id: "x", state: "done", result: { runs: [(body as Body).training.batch_size === 65_536 ? refused : run], total_seconds: 30 }, reason: "" }],
    });
    render(<App />);
    expect(await screen.findByText("One step of a trial takes 612 MB of memory and 4.1 GFLOPs")).toBeTruthy();
    fireEvent.click(screen.getByRole("heading", { name: /^Training/ }));
    fireEvent.change(screen.getAllByLabelText("Batch size")[0]!, { target: { value: "65536" } });
    expect((await screen.findAllByText(message.replace(/^o/, "O"))).length).toBeGreaterThan(0);
    fireEvent.click(screen.getByRole("button", { name: "Start" }));
    expect(calls.some((call) => call.route === "POST experiments")).toBe(false);
  }, 15_000);

  it("offers to train trials together, sends it, and shows a refusal at its own field", async () => {
    window.history.replaceState(null, "", "/new");
    const refusal = "at most as many trials as may be open at once can be trained together, and of Random search that is 8 (options.window)";
    type Body = { runtime: { together?: number } };
    const calls = serve({
      ...catalogue,
      "POST experiments/validate": (body) =>
        ((body as Body).runtime.together ?? 1) > 8
          ? [200, { valid: false, problems: [{ field: "runtime.together", message: refusal, code: "incompatible" }], advice: [] }]
          : [200, { valid: true, problems: [], advice: [] }],
      "POST experiments": () => [201, { ...EXPERIMENT, config: { algorithms: [], runtime: { together: 8 } } }],
      "GET experiments/e1": () => [200, { ...EXPERIMENT, config: { algorithms: [], runtime: { together: 8 } } }],
    });
    render(<App />);
    fireEvent.click(await screen.findByRole("heading", { name: "Machine" }));
    const field = screen.getByLabelText("Trials trained together");
    expect(field.getAttribute("id")).toBe("field-runtime-together");
    expect((field as HTMLInputElement).value).toBe("1");
    const about = document.getElementById("field-runtime-together-about")!.textContent;
    for (const words of ["same shape", "the algorithm's window", "to rounding, not to the bit", "is recorded"]) expect(about).toContain(words);
    fireEvent.change(field, { target: { value: "65" } });
    const problem = () => document.getElementById("field-runtime-together-problem")?.textContent;
    expect(problem()).toBe("Use a number from 1 to 64.");
    fireEvent.change(field, { target: { value: "16" } });
    await waitFor(() => expect(problem()).toContain("of Random search that is 8"));
    expect(screen.getByText(/^Machine: Trials trained together/)).toBeTruthy();
    fireEvent.change(field, { target: { value: "8" } });
    await waitFor(() => expect(problem()).toBeUndefined());
    expect(await screen.findByText("about 30 s")).toBeTruthy();
    fireEvent.keyDown(field, { key: "Enter", ctrlKey: true });
    await waitFor(() => expect(window.location.pathname).toBe("/experiments/e1"));
    expect((calls.find((call) => call.route === "POST experiments")!.body as Body).runtime).toEqual({ together: 8 });
    expect((await screen.findByText("trials trained together")).nextElementSibling?.textContent).toBe("up to 8");
  }, 15_000);
});

describe("keys", () => {
  const event = (key: string, more = {}) => keyName({ key, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });
  it("are named as people write them", () => {
    expect(event("?", { shiftKey: true })).toBe("?");
    expect(event("Enter", { metaKey: true })).toBe("Ctrl+Enter");
    expect(event("ArrowLeft", { shiftKey: true })).toBe("Shift+ArrowLeft");
    expect(event(" ")).toBe("Space");
  });
  it("open the help and go places, but not while one types", async () => {
    serve({ ...catalogue, "GET presets": () => [200, []], "GET experiments": () => [200, { results: [], next: null }], "GET tokens": () => [200, []] });
    window.history.replaceState(null, "", "/account");
    render(<App />);
    const input = await screen.findByLabelText("Name");
    fireEvent.keyDown(input, { key: "n" });
    expect(window.location.pathname).toBe("/account");
    fireEvent.keyDown(document.body, { key: "?" });
    expect(await screen.findByText("This help")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Close" }));
    fireEvent.keyDown(document.body, { key: "g" });
    fireEvent.keyDown(document.body, { key: "e" });
    await waitFor(() => expect(window.location.pathname).toBe("/experiments"));
  });
});
