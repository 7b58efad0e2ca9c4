/** Words about a person's own data. */
import type { DataFindings, OwnDataset, OwnState } from "../../api/types";
import type { Tone } from "../../ui/StateChip";
import { about, bytes, exact, plural } from "../../ui/format";
import type { UploadInfo } from "./uploads";

/** "about 20 s left", "" while nothing is known. */
export function secondsLeft({ pace, sent, size, state }: Pick<UploadInfo, "pace" | "sent" | "size" | "state">): string {
  if (state !== "running" || pace === null || pace <= 0 || sent >= size) return "";
  return `${about((size - sent) / pace)} left`;
}

export const STATE_WORDS: Record<OwnState, string> = {
  uploading: "upload unfinished",
  uploaded: "waits for a worker",
  examining: "being examined",
  examined: "ready to be looked at",
  keeping: "being stored",
  ready: "ready",
  failed: "failed",
};
export const STATE_TONES: Record<OwnState, Tone> = { uploading: "warn", uploaded: "neutral", examining: "accent", examined: "warn", keeping: "accent", ready: "good", failed: "bad" };

/** A worker has it, or will. */
export const atWork = (state: OwnState) => state === "uploaded" || state === "examining" || state === "keeping";

const KINDS = { vector: "a table", image: "pictures", series: "time series" };

/** "a table, 150 rows, classification". */
export function kindText(row: Pick<OwnDataset, "kind" | "task" | "rows" | "size">): string {
  if (!row.kind) return bytes(row.size);
  return `${KINDS[row.kind]}, ${plural(row.rows ?? 0, row.kind === "vector" ? "row" : "example")}, ${row.task}`;
}

/** What one example is: "3 × 32 × 32 pixels", "12 inputs", "2 channels × 100 moments". */
export function shapeWords(kind: DataFindings["kind"], shape: readonly number[]): string {
  const [first = 0, second = 0, third = 0] = shape;
  if (kind === "image") return `${third} × ${second} pixels, ${plural(first, "channel")}`;
  if (kind === "series") return `${plural(first, "channel")} of ${exact(second)} moments`;
  return plural(first, "input");
}
