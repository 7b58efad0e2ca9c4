/** The run's log in words; a click moves the whole page to that moment. */
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import { VirtualRows } from "./VirtualRows";

const clock = (seconds: number) => new Date(seconds * 1000).toLocaleTimeString("en-GB");

export function EventLog({ store }: { store: RunStore }) {
  useTopic(store, "log");
  useTopic(store, "cursor");
  const lines = store.log;
  if (lines.length === 0) {
    return <p className="run-hint">Nothing has happened yet.</p>;
  }
  return (
    <VirtualRows
      count={lines.length}
      rowHeight={22}
      label="Events"
      followEnd
      wraps
      row={(index) => {
        const line = lines[index];
        if (!line) return null;
        const later = line.seq > store.shown;
        const title = line.tone === "gap" ? line.text : `event ${line.seq}: ${line.text}`;
        return (
          <button type="button" className={`log-row log-${line.tone || "plain"}${later ? " log-later" : ""}`} onClick={() => store.setCursor(line.seq)} title={title}>
            <span>{line.time > 0 ? clock(line.time) : ""}</span>
            <span>{line.text}</span>
          </button>
        );
      }}
    />
  );
}
