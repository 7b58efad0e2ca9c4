import { afterEach, describe, expect, it, vi } from "vitest";
import { apiPath, cursorOf, get, getPage, onSessionLost, post } from "../src/api/client";
import { ApiError } from "../src/api/problem";
import { createExperiment } from "../src/api/resources";
import type { ExperimentBody } from "../src/api/types";

type Call = [input: string, init: RequestInit & { headers: Record<string, string> }];

function answer(status: number, body: unknown, type = "application/json") {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const spy = vi.fn((..._args: Call) => Promise.resolve(new Response(status === 204 ? null : text, { status, headers: { "Content-Type": type } })));
  vi.stubGlobal("fetch", spy);
  return spy;
}

const failure = async (promise: Promise<unknown>) => {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error("there was no error");
};

afterEach(() => {
  vi.unstubAllGlobals();
  document.cookie = "csrftoken=; expires=Thu, 01 Jan 1970 00:00:00 GMT";
});

describe("requests", () => {
  it("puts the path under /api/v1/ and reads JSON", async () => {
    const spy = answer(200, { username: "ada" });
    expect(await get("me")).toEqual({ username: "ada" });
    expect(spy.mock.calls[0]![0]).toBe("/api/v1/me");
    expect(spy.mock.calls[0]![1].headers["X-CSRFToken"]).toBeUndefined();
  });

  it("sends the CSRF cookie's value with everything that changes something", async () => {
    document.cookie = "csrftoken=a%20b";
    const spy = answer(200, {});
    await post("auth/logout");
    const [, init] = spy.mock.calls[0]!;
    expect(init.headers["X-CSRFToken"]).toBe("a b");
    expect(init.credentials).toBe("same-origin");
    expect(init.body).toBe("{}");
  });

  it("sends the idempotency key of an experiment", async () => {
    const spy = answer(201, { id: "1" });
    await createExperiment({} as ExperimentBody, "k1");
    expect(spy.mock.calls[0]![1].headers["Idempotency-Key"]).toBe("k1");
  });

  it("takes an empty answer as null", async () => {
    answer(204, "");
    expect(await post("auth/logout")).toBeNull();
  });
});

describe("errors", () => {
  it("carries what the problem document says", async () => {
    const problems = [{ field: "budget", message: "give trials", code: "invalid" }];
    answer(400, { type: "about:blank", title: "Bad Request", status: 400, detail: "budget: give trials", code: "invalid", field: "budget", problems }, "application/problem+json");
    const error = await failure(post("experiments", {}));
    expect([error.status, error.code, error.field, error.message]).toEqual([400, "invalid", "budget", "budget: give trials"]);
    expect(error.problems).toEqual(problems);
  });

  it("speaks plainly where the answer is not a problem document", async () => {
    answer(502, "<html>Bad gateway</html>", "text/html");
    const error = await failure(get("me"));
    expect([error.status, error.code, error.message]).toEqual([502, "http_502", "The server answered 502."]);
  });

  it("speaks plainly where there is no answer", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    const error = await failure(get("me"));
    expect([error.status, error.code, error.message]).toEqual([0, "offline", "The server cannot be reached."]);
  });

  it("lets an aborted request be an abort, not an error of the server", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new DOMException("aborted", "AbortError")));
    await expect(get("me")).rejects.toHaveProperty("name", "AbortError");
  });

  it("tells that the session is lost on 401, and on nothing else", async () => {
    const lost = vi.fn();
    const stop = onSessionLost(lost);
    answer(403, { code: "permission_denied" });
    await failure(get("me"));
    expect(lost).not.toHaveBeenCalled();
    answer(401, { code: "not_authenticated" });
    await failure(get("me"));
    expect(lost).toHaveBeenCalledTimes(1);
    stop();
    await failure(get("me"));
    expect(lost).toHaveBeenCalledTimes(1);
  });
});

describe("keyset pages", () => {
  it("asks with the cursor and the query, leaving out what is not set", async () => {
    const spy = answer(200, { results: [], next: null });
    await getPage("runs", "abc=", { experiment: "e 1", order: undefined });
    expect(spy.mock.calls[0]![0]).toBe("/api/v1/runs?experiment=e+1&cursor=abc%3D");
    expect(apiPath("runs", {})).toBe("runs");
  });
  it("reads the cursor out of a bare value or an address", () => {
    expect(cursorOf(null)).toBeNull();
    expect(cursorOf("WyJh")).toBe("WyJh");
    expect(cursorOf("http://127.0.0.1:8000/api/v1/runs?limit=5&cursor=WyJh%3D")).toBe("WyJh=");
  });
});
