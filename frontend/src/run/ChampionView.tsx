/** The growing graph of the best individual, what the last improvement changed, and which activations it uses. */
import { useMemo, useState } from "react";
import { activationCurve } from "../graph/activations";
import { NeuronPicture, describeNeurons, neuronFacts, ofNeurons } from "../graph/NeuronPicture";
import type { Change } from "../graph/neuronGraph";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { Champion } from "../types/events.gen";
import { metric, metricName, plural } from "../ui/format";

export function changeOf(champion: Champion): Change {
  const link = ([source, target]: readonly unknown[]) => [String(source), String(target)] as const;
  return {
    addedNodes: new Set(champion.added_nodes),
    addedEdges: new Set(champion.added_edges.map((edge) => link(edge).join(" "))),
    removedEdges: champion.removed_edges.map(link),
    changedNodes: new Set(champion.changed_nodes),
  };
}

/** What a champion changed, in words. */
export function changeText(champion: Champion): string {
  const neurons = ofNeurons(champion.graph);
  const parts = [
    champion.added_nodes.length > 0 && `${plural(champion.added_nodes.length, neurons ? "neuron" : "node")} added`,
    champion.added_edges.length > 0 && `${plural(champion.added_edges.length, "connection")} added`,
    champion.removed_edges.length > 0 && `${plural(champion.removed_edges.length, "connection")} gone`,
    champion.changed_nodes.length > 0 && `${plural(champion.changed_nodes.length, neurons ? "activation" : "node")} changed`,
  ].filter((part) => part !== false);
  if (parts.length > 0) return parts.join(", ");
  return neurons ? "first champion" : "nothing added or removed";
}

function Glyph({ name }: { name: string }) {
  const curve = activationCurve(name);
  if (!curve) return null;
  const points = curve.map((value, index) => (index % 2 === 0 ? 1 + value * 14 : 2 + value * 10).toFixed(1));
  return (
    <svg width="16" height="14" aria-hidden="true">
      <polyline points={points.join(" ")} fill="none" className="glyph" />
    </svg>
  );
}

export function ChampionView({ store }: { store: RunStore }) {
  useTopic(store, "growth");
  const champion = store.now(store.champions);
  const change = useMemo(() => champion && changeOf(champion), [champion]);
  const [pinned, setPinned] = useState<string | null>(null);
  const counts = useMemo(() => {
    const found = new Map<string, number>();
    for (const node of champion?.graph.nodes ?? []) {
      if (node.kind !== "hidden") continue;
      const name = String(node.attributes["activation"] ?? "");
      if (name) found.set(name, (found.get(name) ?? 0) + 1);
    }
    return [...found].sort((a, b) => b[1] - a[1]);
  }, [champion]);
  if (!champion || !change) return <p className="run-hint run-hint-center">Before the first champion.</p>;
  const facts = pinned !== null && champion.graph.nodes.some((node) => node.id === pinned) ? neuronFacts(champion.graph, pinned) : null;
  return (
    <>
      <div className="panel-fill">
        <NeuronPicture graph={champion.graph} change={change} pinned={pinned} onPin={setPinned} />
        {facts && (
          <div className="pinned-note" role="status">
            <strong>{facts.title}</strong> from {facts.sources.slice(0, 8).join(", ") || "nothing"}
            {facts.sources.length > 8 && ` and ${facts.sources.length - 8} more`} to {facts.targets.join(", ") || "nothing"}
            {facts.more.length > 0 && `; ${facts.more.join(", ")}`}
          </div>
        )}
      </div>
      <div className="structure-foot">
        <span>
          <strong>
            {ofNeurons(champion.graph) ? "generation" : "step"} {champion.generation}
          </strong> · {metricName(champion.metric)} {metric(champion.value)} · {describeNeurons(champion.graph)}
        </span>
        <span className="tone-best">{changeText(champion)}</span>
        <span className="glyphs">
          {counts.map(([name, count]) => (
            <span key={name}>
              <Glyph name={name} /> {name} {count}
            </span>
          ))}
        </span>
      </div>
    </>
  );
}
