/** The architecture if the search ended now. */
import { useMemo } from "react";
import { GenomeGraph } from "../graph/GenomeGraph";
import { nodeLabel } from "../graph/labels";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { GraphData } from "../types/events.gen";
import type { Figures } from "../ui/figures";
import { derivedContent, derivedDrawing, derivedEdges } from "./derivedFacts";

/** The chosen operation of every kept edge. */
export function derivedFigures(store: RunStore): Figures[] {
  return store.family.flatMap((group) => {
    const edges = derivedEdges(derivedContent(store), group);
    if (!edges || edges.length === 0) return [];
    return [{ title: `${group.title}, derived`, head: ["from", "to", "operation"], rows: edges.map(([source, target, operation]) => [nodeLabel(source), nodeLabel(target), operation]) }];
  });
}

export function DerivedView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const derived = store.now(store.derived);
  const drawings = useMemo(() => {
    void derived;
    const found: Record<string, GraphData> = {};
    for (const group of store.family) {
      const drawing = derivedDrawing(store, group);
      if (drawing) found[group.name] = { ...drawing, attributes: { layout: group.layout } };
    }
    return found;
  }, [store, derived]);
  if (!derived) return <p className="run-hint run-hint-center">Nothing was derived before this moment.</p>;
  return (
    <div className="panel-fill">
      <GenomeGraph drawings={drawings} />
    </div>
  );
}
