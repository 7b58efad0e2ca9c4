import { useEffect } from "react";
import { exact, metric, metricName, plural } from "../ui/format";
import type { GraphData } from "../types/events.gen";
import { NO_CHANGE, NeuronGraph, type Change } from "./neuronGraph";
import { HoverCard } from "./HoverCard";
import { useHover } from "./useHover";
import { useStage } from "./useStage";

export interface NeuronPictureProps {
  graph: GraphData;
  change?: Change;
  pinned?: string | null;
  onPin?: (node: string | null) => void;
}

/** Attributes of a node that are drawn, or mean nothing to a reader. */
const DRAWN = new Set(["activation", "row", "column", "layout", "layer", "subnetwork"]);

/** Whether the graph's hidden nodes are single neurons: these have an activation each; a layer has a name instead. */
export function ofNeurons(graph: GraphData): boolean {
  const hidden = graph.nodes.filter((node) => node.kind !== "input" && node.kind !== "output");
  return hidden.length === 0 || hidden.some((node) => node.attributes["activation"] !== undefined);
}

/** "gauss, 3 in, 2 out" */
export function neuronFacts(graph: GraphData, id: string): { title: string; activation: string; sources: string[]; targets: string[]; more: string[] } {
  const node = graph.nodes.find((item) => item.id === id);
  const name = new Map(graph.nodes.map((item) => [item.id, item.label]));
  const list = (ids: string[]) => ids.map((other) => name.get(other) ?? other);
  return {
    title: node?.kind === "hidden" && node.attributes["activation"] !== undefined ? `${node.label} neuron` : (node?.label ?? id),
    activation: String(node?.attributes["activation"] ?? ""),
    sources: list(graph.edges.filter((edge) => edge.target === id).map((edge) => edge.source)),
    targets: list(graph.edges.filter((edge) => edge.source === id).map((edge) => edge.target)),
    more: Object.entries(node?.attributes ?? {})
      .filter(([name, value]) => !DRAWN.has(name) && (typeof value === "number" || (typeof value === "string" && value !== "")))
      .map(([name, value]) => `${metricName(name)} ${typeof value === "number" ? (Number.isInteger(value) ? exact(value) : metric(value)) : String(value)}`),
  };
}

export function describeNeurons(graph: GraphData): string {
  const hidden = graph.nodes.filter((node) => node.kind !== "input" && node.kind !== "output");
  const inputs = graph.nodes.filter((node) => node.kind === "input").length;
  return `${plural(hidden.length, ofNeurons(graph) ? "hidden neuron" : "hidden node")}, ${plural(graph.edges.length, "connection")}, ${plural(inputs, "input")} in use`;
}

/** A neuron graph on its canvas, with a card for the neuron under the pointer. */
export function NeuronPicture({ graph, change = NO_CHANGE, pinned = null, onPin }: NeuronPictureProps) {
  const [canvas, picture] = useStage(NeuronGraph);
  const hover = useHover(picture, (id) => onPin?.(id === pinned ? null : id));
  useEffect(() => picture?.setGraph(graph, change), [picture, graph, change]);
  useEffect(() => picture?.setFocus(hover?.pick ?? null, pinned), [picture, hover, pinned]);
  const facts = hover && neuronFacts(graph, hover.pick);
  return (
    <div className="genome-box">
      <canvas ref={canvas} role="img" aria-label={describeNeurons(graph)} style={{ cursor: hover ? "pointer" : "grab" }} />
      {hover && facts && (
        <HoverCard at={hover.at} canvas={canvas}>
          <strong>{facts.title}</strong>
          <span>
            {facts.sources.length} in, {facts.targets.length} out
          </span>
          {facts.more.map((text) => (
            <span key={text}>{text}</span>
          ))}
        </HoverCard>
      )}
    </div>
  );
}
