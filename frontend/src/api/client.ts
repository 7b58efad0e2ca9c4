/**
 * The one place that talks HTTP: session cookie, CSRF token, problem+json errors.
 *
 * A lost session is told to whoever listens (`onSessionLost`), so that the shell can show the login page over any view.
 */
import { ApiError } from "./problem";
import type { Page } from "./types";

export const API_ROOT = "/api/v1/";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export interface RequestOptions {
  body?: unknown;
  /** Bytes, sent as they are. */
  bytes?: Blob;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

type Query = Record<string, string | number | boolean | null | undefined>;

const sessionLost = new Set<() => void>();

/** Called when an answer says that nobody is logged in (any more). Returns the function that stops listening. */
export function onSessionLost(listener: () => void): () => void {
  sessionLost.add(listener);
  return () => sessionLost.delete(listener);
}

/** Value of a cookie, or "" where there is none. */
export function cookie(name: string): string {
  for (const part of document.cookie.split(";")) {
    const [key, ...value] = part.trim().split("=");
    if (key === name) return decodeURIComponent(value.join("="));
  }
  return "";
}

/** `path` relative to /api/v1/, with the query's set values appended. */
export function apiPath(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") params.set(key, String(value));
  }
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}

function absolute(path: string): string {
  return path.startsWith("/") || path.startsWith("http") ? path : API_ROOT + path;
}

/** Raises ApiError for every answer that is not 2xx and for a network failure; an aborted request raises DOMException AbortError. */
export async function request<Answer>(method: Method, path: string, options: RequestOptions = {}): Promise<Answer> {
  const headers: Record<string, string> = { Accept: "application/json", ...options.headers };
  const init: RequestInit = { method, headers, credentials: "same-origin" };
  if (options.signal) init.signal = options.signal;
  if (options.body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(options.body);
  }
  if (options.bytes) {
    headers["Content-Type"] = "application/octet-stream";
    init.body = options.bytes;
  }
  if (method !== "GET") headers["X-CSRFToken"] = cookie("csrftoken");

  let response: Response;
  try {
    response = await fetch(absolute(path), init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, {});
  }
  const text = await response.text();
  let data: unknown = null;
  try {
    data = text ? JSON.parse(text) : null;
  } catch {
    // A proxy's or a debug page's HTML: the status says enough.
  }
  if (!response.ok) {
    const problem = data !== null && typeof data === "object" ? (data as Record<string, unknown>) : {};
    const error = new ApiError(response.status, problem);
    if (response.status === 401 || error.code === "not_authenticated") for (const listener of sessionLost) listener();
    throw error;
  }
  return data as Answer;
}

export const get = <Answer>(path: string, signal?: AbortSignal) => request<Answer>("GET", path, signal ? { signal } : {});
export const post = <Answer>(path: string, body: unknown = {}, options: RequestOptions = {}) =>
  request<Answer>("POST", path, { ...options, body });
export const del = (path: string) => request<null>("DELETE", path);

/** The cursor out of a page's `next`, which may be a bare cursor or a whole address. */
export function cursorOf(next: string | null): string | null {
  if (!next) return null;
  if (!next.includes("cursor=")) return next;
  return new URLSearchParams(next.slice(next.indexOf("?") + 1)).get("cursor");
}

/** One page of a keyset list. */
export function getPage<Item>(path: string, cursor: string | null, query: Query = {}, signal?: AbortSignal): Promise<Page<Item>> {
  return get<Page<Item>>(apiPath(path, { ...query, cursor }), signal);
}
