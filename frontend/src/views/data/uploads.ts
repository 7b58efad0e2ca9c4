/**
 * Uploads of this tab. They go on while other pages are shown, over broken lines, and after a reload once the same file is chosen again: the
 * server keeps what has come (tus 1.0.0), and this browser keeps the upload's address under the file's name, size and date.
 */
import { useSyncExternalStore } from "react";
import type { DetailedError, Upload, UploadOptions } from "tus-js-client";
import { API_ROOT, cookie } from "../../api/client";
import { toast } from "../../ui/toast";

export type UploadState = "running" | "paused" | "failed" | "cancelling";

/** Data to search on, or a run to be opened. */
export type Purpose = "data" | "run";

export interface UploadInfo {
  /** In this tab. */
  key: number;
  name: string;
  purpose: Purpose;
  size: number;
  sent: number;
  state: UploadState;
  /** What went wrong, in the server's words. */
  error: string;
  /** The data set, or the run, that it becomes; "" until the server knows of it. */
  id: string;
  /** Bytes a second of late, null while that is not known. */
  pace: number | null;
}

/** After each of these many milliseconds a broken request is tried again; then the person is asked. */
const RETRY = [300, 1_000, 3_000, 5_000, 10_000];
/** Of one request: proxies refuse larger ones, and what a checkpoint of the line loses is less than this. */
const CHUNK = 16 * 2 ** 20;
const PACE_SECONDS = 3;

let infos: readonly UploadInfo[] = [];
const living = new Map<number, { upload: Upload; marks: [number, number][]; done: (id: string) => void }>();
const listeners = new Set<() => void>();
let next = 1;

function publish(changed: readonly UploadInfo[]): void {
  infos = changed;
  for (const listener of listeners) listener();
}

function change(key: number, values: Partial<UploadInfo>): void {
  publish(infos.map((info) => (info.key === key ? { ...info, ...values } : info)));
}

function forget(key: number): void {
  living.delete(key);
  publish(infos.filter((info) => info.key !== key));
}

/** The server's sentence out of a refused request, or what the library says. */
export function uploadProblem(error: Error | DetailedError): string {
  const response = "originalResponse" in error ? error.originalResponse : null;
  if (!response) return "The line broke. What has come is kept: go on when it is back.";
  try {
    const problem = JSON.parse(response.getBody()) as { detail?: string };
    if (problem.detail) return problem.detail;
  } catch {
    // A proxy's page: the status says enough.
  }
  return `The server answered ${response.getStatus()}.`;
}

/** Whether trying again may help: a broken line, a busy server, a writer that has not ended yet. */
export function worthRetrying(status: number): boolean {
  return status === 0 || status === 409 || status === 423 || status === 429 || status === 503;
}

function onProgress(key: number, sent: number): void {
  const here = living.get(key);
  if (!here) return;
  const now = performance.now() / 1000;
  here.marks = [...here.marks.filter(([time]) => now - time < PACE_SECONDS), [now, sent]];
  const [time, bytes] = here.marks[0] ?? [now, sent];
  change(key, { sent, pace: now - time > 0.5 ? (sent - bytes) / (now - time) : null });
}

/** Begin, or go on with what was begun of the same file for the same purpose. `done` is told its id. Loads the library the first time. */
export async function startUpload(file: File, done: (id: string) => void, metadata: { title?: string; previous?: string; purpose?: Purpose } = {}): Promise<void> {
  const key = next++;
  const purpose = metadata.purpose ?? "data";
  // What cannot go on is not put on the list.
  if (file.size === 0) return toast(`${file.name} is empty: there is nothing in it.`, true);
  publish([...infos, { key, name: file.name, purpose, size: file.size, sent: 0, state: "running", error: "", id: "", pace: null }]);
  const tus = await import("tus-js-client");
  const options: UploadOptions = {
    endpoint: `${API_ROOT}uploads`,
    chunkSize: CHUNK,
    retryDelays: RETRY,
    removeFingerprintOnSuccess: true,
    metadata: { filename: file.name, ...metadata },
    onBeforeRequest: (request) => {
      request.setHeader("X-CSRFToken", cookie("csrftoken"));
      request.setHeader("Accept", "application/json");
    },
    onShouldRetry: (error) => worthRetrying(error.originalResponse?.getStatus() ?? 0),
    onUploadUrlAvailable: () => change(key, { id: idOf(upload.url) }),
    onProgress: (sent) => onProgress(key, sent),
    onSuccess: () => {
      forget(key);
      done(idOf(upload.url));
    },
    onError: (error) => change(key, { state: "failed", error: uploadProblem(error), pace: null }),
  };
  const upload = new tus.Upload(file, options);
  living.set(key, { upload, marks: [], done });
  const known = metadata.previous ? [] : await upload.findPreviousUploads();
  const before = known.find((item) => (item.metadata["purpose"] ?? "data") === purpose);
  if (before) upload.resumeFromPreviousUpload(before);
  // It may have been cancelled while the library came.
  if (living.has(key)) upload.start();
}

function idOf(url: string | null): string {
  return url?.split("/").filter(Boolean).at(-1) ?? "";
}

export function pauseUpload(key: number): void {
  change(key, { state: "paused", pace: null });
  void living.get(key)?.upload.abort();
}

export function resumeUpload(key: number): void {
  change(key, { state: "running", error: "" });
  living.get(key)?.upload.start();
}

/** Ends it, here and at the server. */
export async function cancelUpload(key: number): Promise<void> {
  change(key, { state: "cancelling" });
  try {
    await living.get(key)?.upload.abort(true);
  } catch {
    // The server removes what nobody goes on with.
  }
  forget(key);
}

/** Those of one purpose. */
export function useUploads(purpose: Purpose): readonly UploadInfo[] {
  const all = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => infos,
  );
  return all.filter((info) => info.purpose === purpose);
}

// Closing the tab ends what is on its way; the browser asks first.
window.addEventListener("beforeunload", (event) => {
  if (infos.some((info) => info.state === "running")) event.preventDefault();
});
