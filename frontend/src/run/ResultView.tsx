/** The architecture that was finished and tested. */
import { GenomeGraph } from "../graph/GenomeGraph";
import { nodeLabel } from "../graph/labels";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { Figures } from "../ui/figures";
import { ArchitectureLine } from "./ArchitectureLine";

/** The edges of everything that was finished. */
export function resultFigures(store: RunStore): Figures[] {
  return store.finalists.flatMap(({ title, graph }) =>
    Object.entries(graph).map(([name, { nodes, edges }]) => {
      const label = new Map(nodes.map((node) => [node.id, nodeLabel(node.label)]));
      return {
        title: `${title}, ${name}`, head: ["from", "to", "operation"],
        rows: edges.map((edge) => [label.get(edge.source) ?? edge.source, label.get(edge.target) ?? edge.target, edge.operation ?? ""]),
      };
    }),
  );
}

export function ResultView({ store }: { store: RunStore }) {
  useTopic(store, "end");
  const finalist = store.finalists.find((item) => item.role === "finalist") ?? store.finalists[0];
  if (!finalist) return null;
  return (
    <>
      <div className="panel-fill">
        <GenomeGraph drawings={finalist.graph} />
      </div>
      <div className="structure-foot">
        <ArchitectureLine text={finalist.string} genome={undefined} />
      </div>
    </>
  );
}
