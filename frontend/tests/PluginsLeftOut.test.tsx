import { cleanup, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { App } from "../src/app/App";

const TORN = {
  group: "nascope.algorithms", name: "torn", value: "coin_package.torn:ENTRY", package: "coin-package", version: "1.2",
  reason: "ModuleNotFoundError: No module named 'a_module_that_nobody_has'",
};

/** The workers' page as the browser shows it for these plug-ins. */
function show(plugins: unknown, status = 200) {
  const answers: Record<string, [number, unknown]> = { me: [200, { id: 1, username: "ada", is_staff: false }], workers: [200, []], plugins: [status, plugins] };
  vi.stubGlobal("fetch", (path: string) => {
    const [code, body] = answers[path.replace("/api/v1/", "")] ?? [404, { code: "not_found" }];
    return Promise.resolve(new Response(JSON.stringify(body), { status: code }));
  });
  render(<App />);
}

beforeEach(() => window.history.replaceState(null, "", "/workers"));
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

it("says what was left out, why, and what to do", async () => {
  show([TORN, { ...TORN, group: "nascope.datasets", name: "table", package: "", version: "" }]);
  const panel = await screen.findByRole("region", { name: "Plug-ins left out" });
  const rows = within(panel).getAllByRole("row").slice(1).map((row) => row.textContent);
  expect(rows).toEqual([
    "torn algorithmcoin_package.torn:ENTRYcoin-package1.2ModuleNotFoundError: No module named 'a_module_that_nobody_has'",
    "table data setcoin_package.torn:ENTRYunknownModuleNotFoundError: No module named 'a_module_that_nobody_has'",
  ]);
  expect(within(panel).getByText("pip uninstall coin-package")).toBeTruthy();
});

it.each([["all are loaded", [], 200], ["the server does not say", { code: "broken" }, 500]] as const)("shows nothing where %s", async (_, plugins, status) => {
  show(plugins, status);
  expect(await screen.findByText("No worker is alive")).toBeTruthy();
  expect(screen.queryByText("Plug-ins left out")).toBeNull();
});
