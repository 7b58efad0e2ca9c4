/** Where an event comes from, in words. */
import type { RunStore } from "../stream/store";

/** "Search", "Control: random weights", "best architecture found": the title of a phase or of what is finished. */
export function sourceTitle(store: RunStore, source: string): string {
  const [kind, number] = source.split(":");
  if (kind === "phase") {
    const phase = store.phases.find((item) => item.data.phase === Number(number));
    return phase?.data.title ?? `phase ${Number(number) + 1}`;
  }
  if (kind === "final") {
    const finalist = store.finalists.find((item) => item.index === Number(number));
    return finalist?.title ?? (Number(number) === 0 ? "best architecture" : `network ${Number(number) + 1}`);
  }
  return source === "" || source === "run" ? "This run" : source;
}
