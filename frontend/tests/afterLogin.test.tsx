import { cleanup, render, waitFor } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { AfterLogin, targetOf } from "../src/app/AfterLogin";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

it("leads to an address of this server and to no other", () => {
  const origin = "https://nascope.example.org";
  expect(targetOf("/admin/auth/user/?q=a", origin)).toBe("/admin/auth/user/?q=a");
  expect(targetOf("/runs/1#graph", origin)).toBe("/runs/1#graph");
  for (const next of [null, "", "//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "javascript:alert(1)", "admin/", "/login?next=/x", "/\t/evil.example"])
    expect(targetOf(next, origin), String(next)).toBe("/");
});

it("goes to pages of ours without a reload", async () => {
  window.history.replaceState(null, "", "/login?next=/workers");
  render(<AfterLogin />);
  await waitFor(() => expect(window.location.pathname).toBe("/workers"));
});

it("asks the server for what is no page of ours", async () => {
  window.history.replaceState(null, "", "/login?next=/admin/");
  const replace = vi.fn();
  vi.stubGlobal("location", { ...window.location, origin: window.location.origin, pathname: "/login", search: "?next=/admin/", replace });
  render(<AfterLogin />);
  await waitFor(() => expect(replace).toHaveBeenCalledWith("/admin/"));
});
