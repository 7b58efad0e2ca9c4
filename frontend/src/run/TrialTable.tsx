/** Every candidate with what became of it, newest first; a click shows its architecture. */
import { useEffect, useState } from "react";
import { getCandidates } from "../api/resources";
import { useResource } from "../api/useResource";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import { metric } from "../ui/format";
import { Empty } from "../ui/States";
import { bestName } from "./valueNames";
import { VirtualRows } from "./VirtualRows";

/** A snapshot has no texts of genomes: those of the rows that are seen are asked for, so many at once. */
const AT_ONCE = 50;

export function TrialTable({ store, selected, onSelect }: { store: RunStore; selected: number | null; onSelect: (number: number) => void }) {
  useTopic(store, "candidates");
  const { candidates } = store;
  const numbers = candidates.bornSeq.flatMap((seq, number) => (seq <= store.shown ? [number] : []));
  const shown = numbers.length;
  const [visible, setVisible] = useState<readonly [number, number]>([0, 0]);
  const missing = numbers.slice(Math.max(shown - visible[1], 0), shown - visible[0]).find((number) => !candidates.strings[number]) ?? null;
  const texts = useResource(missing === null ? null : `strings/${store.run?.id}/${missing}`, (signal) => getCandidates(store.run?.id ?? "", missing ?? 0, AT_ONCE, signal));
  useEffect(() => texts.data && store.describe(texts.data.results), [texts.data, store]);
  if (shown === 0) return <Empty title="No trials yet">Each architecture that is tried becomes a row here.</Empty>;
  const best = candidates.bestAt(store.shown);
  return (
    <VirtualRows
      count={shown}
      rowHeight={26}
      label="Trials"
      onVisible={setVisible}
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
        const number = numbers[shown - 1 - index] ?? 0;
        const told = (candidates.toldSeq[number] ?? Infinity) <= store.shown;
        const status = told ? candidates.status[number] : "open";
        const reused = candidates.reusedFrom[number];
        const doubts = told ? candidates.warnings.get(number) : undefined;
        return (
          <button
            type="button"
            className={`trial-row${number === selected ? " trial-selected" : ""}${number === best ? " trial-best" : ""}`}
            onClick={() => onSelect(number)}
            title={[...(doubts ?? []), candidates.reasons[number] || candidates.strings[number]].join("\n")}
          >
            <span>{number}</span>
            <span>{told ? metric(candidates.values[number]) : "…"}</span>
            <span>
              {doubts ? <b className="doubtful">doubtful</b> : told && reused != null ? `reused from ${reused}` : status}
            </span>
            <span>{candidates.operators[number]}</span>
            <span>{candidates.parents[number]?.join(", ")}</span>
            <span className="trial-string">{candidates.strings[number]}</span>
          </button>
        );
      }}
    />
  );
}
