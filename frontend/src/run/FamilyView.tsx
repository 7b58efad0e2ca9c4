/** The super-network of one group with its legend, threshold and the switch to what would be derived now. */
import { useMemo, useState } from "react";
import { operationMark, operationVariable } from "../graph/palette";
import { SupernetPicture } from "../graph/SupernetPicture";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { FamilyGroup } from "../types/events.gen";
import { derivedContent, derivedEdges } from "./derivedFacts";

export interface FamilyViewProps {
  store: RunStore;
  group: FamilyGroup;
  pinned: number | null;
  onPin: (edge: number | null) => void;
}

/** By edge the operation that the derived genome has there. */
export function keptOperations(store: RunStore, group: FamilyGroup): Map<number, number> {
  const kept = new Map<number, number>();
  for (const [source, target, operation] of derivedEdges(derivedContent(store), group)) {
    const edge = group.edges.findIndex((item) => item[0] === source && item[1] === target);
    const place = group.operations.indexOf(operation);
    if (edge >= 0 && place >= 0) kept.set(edge, place);
  }
  return kept;
}

export function FamilyView({ store, group, pinned, onPin }: FamilyViewProps) {
  const version = useTopic(store, "structure");
  const [threshold, setThreshold] = useState(0);
  const [derivedOnly, setDerivedOnly] = useState(false);
  const [highlighted, setHighlighted] = useState<number | null>(null);
  const only = useMemo(() => {
    void version; // the store is mutable: its version says when to read it again
    return derivedOnly ? keptOperations(store, group) : null;
  }, [store, group, derivedOnly, version]);
  const values = store.frames.get(group.name)?.at(store.shown)?.values;
  const hidden = threshold > 0 && values ? values.reduce((sum, value) => sum + (value < threshold ? 1 : 0), 0) : 0;
  return (
    <>
      <div className="panel-fill">
        <SupernetPicture store={store} group={group} only={only} pinned={pinned} onPin={onPin} highlighted={highlighted} threshold={derivedOnly ? 0 : threshold} />
      </div>
      <div className="structure-foot">
        <ul className="legend" aria-label="Operations">
          {group.operations.map((operation, index) => (
            <li key={operation}>
              <button
                type="button"
                title={`show ${operation} alone`}
                onPointerEnter={() => setHighlighted(index)}
                onPointerLeave={() => setHighlighted(null)}
                onFocus={() => setHighlighted(index)}
                onBlur={() => setHighlighted(null)}
              >
                <i className={`swatch swatch-${operationMark(operation)}`} style={{ background: operationVariable(operation, index) }} />
                {operation}
              </button>
            </li>
          ))}
        </ul>
        <div className="structure-tools">
          <label className="check">
            <input type="checkbox" checked={derivedOnly} onChange={(event) => setDerivedOnly(event.target.checked)} />
            derived only
          </label>
          <label>
            hide γ under
            <input type="range" min={0} max={0.3} step={0.01} value={threshold} disabled={derivedOnly} onChange={(event) => setThreshold(Number(event.target.value))} />
            <output>
              {threshold.toFixed(2)}
              {hidden > 0 && <span className="faint"> · {hidden} hidden</span>}
            </output>
          </label>
        </div>
      </div>
    </>
  );
}
