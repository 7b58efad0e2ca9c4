/** The super-network of one group with its legend, threshold and the switch to what would be derived now. */
import { useMemo, useState } from "react";
import { weightOf } from "../graph/labels";
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

/** By edge the operations that the derived genome has there; null where it does not say so by edges. */
export function keptOperations(store: RunStore, group: FamilyGroup): Map<number, number[]> | null {
  const edges = derivedEdges(derivedContent(store), group);
  if (!edges) return null;
  const kept = new Map<number, number[]>();
  for (const [source, target, operation] of edges) {
    const edge = group.edges.findIndex((item) => item[0] === source && item[1] === target);
    const place = group.operations.indexOf(operation);
    if (edge >= 0 && place >= 0) kept.set(edge, [...(kept.get(edge) ?? []), place]);
  }
  return kept;
}

export function FamilyView({ store, group, pinned, onPin }: FamilyViewProps) {
  const version = useTopic(store, "structure");
  const [threshold, setThreshold] = useState(0);
  const [derivedOnly, setDerivedOnly] = useState(false);
  const [highlighted, setHighlighted] = useState<number | null>(null);
  const kept = useMemo(() => {
    void version; // the store is mutable: its version says when to read it again
    return keptOperations(store, group);
  }, [store, group, version]);
  const only = derivedOnly ? kept : null;
  const values = store.frames.get(group.name)?.at(store.shown)?.values;
  const hidden = threshold > 0 && values ? values.reduce((sum, value) => sum + (value < threshold ? 1 : 0), 0) : 0;
  return (
    <>
      <div className="panel-fill">
        <SupernetPicture store={store} group={group} only={only} pinned={pinned} onPin={onPin} highlighted={highlighted} threshold={only ? 0 : threshold} />
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
            <input type="checkbox" checked={derivedOnly} disabled={!kept} onChange={(event) => setDerivedOnly(event.target.checked)} />
            derived only
          </label>
          <label>
            hide {weightOf(group)} under
            <input type="range" min={0} max={0.3} step={0.01} value={threshold} disabled={only !== null} onChange={(event) => setThreshold(Number(event.target.value))} />
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
