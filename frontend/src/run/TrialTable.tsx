/** Every candidate with what became of it, newest first; a click shows its architecture. */
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import { metric } from "../ui/format";
import { Empty } from "../ui/States";
import { bestName } from "./valueNames";
import { VirtualRows } from "./VirtualRows";

export function TrialTable({ store, selected, onSelect }: { store: RunStore; selected: number | null; onSelect: (number: number) => void }) {
  useTopic(store, "candidates");
  const { candidates } = store;
  const shown = store.cursor === null ? candidates.count : candidates.bornSeq.filter((seq) => seq <= store.shown).length;
  if (shown === 0) return <Empty title="No trials yet">Each architecture that is tried becomes a row here.</Empty>;
  const best = candidates.bestAt(store.shown);
  return (
    <VirtualRows
      count={shown}
      rowHeight={26}
      label="Trials"
      head={
        <div className="trial-row trial-head" aria-hidden="true">
          <span>#</span>
          <span>{bestName(store.run)}</span>
          <span>state</span>
          <span>made by</span>
          <span>parents</span>
          <span>architecture</span>
        </div>
      }
      row={(index) => {
        const number = shown - 1 - index;
        const told = (candidates.toldSeq[number] ?? Infinity) <= store.shown;
        const status = told ? candidates.status[number] : "open";
        const reused = candidates.reusedFrom[number];
        return (
          <button
            type="button"
            className={`trial-row${number === selected ? " trial-selected" : ""}${number === best ? " trial-best" : ""}`}
            onClick={() => onSelect(number)}
            title={candidates.reasons[number] || candidates.strings[number]}
          >
            <span>{number}</span>
            <span>{told ? metric(candidates.values[number]) : "…"}</span>
            <span>{told && reused != null ? `reused from ${reused}` : status}</span>
            <span>{candidates.operators[number]}</span>
            <span>{candidates.parents[number]?.join(", ")}</span>
            <span className="trial-string">{candidates.strings[number] || candidates.hashes[number]?.slice(0, 12)}</span>
          </button>
        );
      }}
    />
  );
}
