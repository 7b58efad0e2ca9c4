/** One genome's graphs as SVG: operations on coloured edges, every node and edge readable by name. Neuron graphs go to the canvas. */
import { useMemo, useRef } from "react";
import type { GraphData } from "../types/events.gen";
import { nodeLabel } from "./labels";
import { frameOf, stretched } from "./layout/family";
import { layered } from "./layout/layered";
import { NeuronPicture } from "./NeuronPicture";
import { operationVariable, shortName } from "./palette";
import { bezier } from "./strands";
import type { Point } from "./stage";
import { useSize } from "./useStage";
import "./graph.css";

const TITLES: Record<string, string> = { normal: "Normal cell", reduction: "Reduction cell", cell: "Cell", network: "Network" };

function unitPlaces(graph: GraphData): Map<string, Point> {
  const given = graph.attributes["layout"];
  if (given !== null && typeof given === "object" && graph.nodes.every((node) => node.id in given)) {
    return new Map(
      graph.nodes.map((node) => {
        const place = (given as Record<string, [number, number]>)[node.id];
        return [node.id, { x: Number(place?.[0] ?? 0), y: Number(place?.[1] ?? 0) }];
      }),
    );
  }
  return layered(graph.nodes.map((node) => node.id), graph.edges.map((edge) => [edge.source, edge.target] as const));
}

/** Sentence for those who do not see it. */
export function describeGraph(graph: GraphData): string {
  const label = new Map(graph.nodes.map((node) => [node.id, nodeLabel(node.label)]));
  const chosen = graph.edges.filter((edge) => edge.operation !== null);
  if (chosen.length > 40 || chosen.length === 0) return `${graph.nodes.length} nodes and ${graph.edges.length} edges`;
  return chosen.map((edge) => `${label.get(edge.source)} to ${label.get(edge.target)}: ${edge.operation}`).join("; ");
}

interface Box extends Point {
  /** half width and half height */
  w: number;
  h: number;
}

/** One genome has few edges: it may be drawn wider than the family, its labels need the room. */
const WIDEST = 2.7;

const LABEL_PLACES = [0.46, 0.36, 0.57, 0.28, 0.66, 0.22, 0.74];

/** A place along an edge where its label meets no node and no other label; it is entered into `boxes`. */
export function freePlace(along: (t: number) => Point, w: number, h: number, boxes: Box[]): Point {
  const meets = (point: Point) => boxes.filter((box) => Math.abs(box.x - point.x) < box.w + w && Math.abs(box.y - point.y) < box.h + h).length;
  const places = LABEL_PLACES.map((t) => along(t));
  const counts = places.map(meets);
  const chosen = places[counts.indexOf(Math.min(...counts))] ?? along(0.5);
  boxes.push({ ...chosen, w, h });
  return chosen;
}

function Drawing({ graph, name }: { graph: GraphData; name: string }) {
  const box = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(box);
  const unit = useMemo(() => stretched(unitPlaces(graph)), [graph]);
  const small = width < 420;
  const frame = frameOf(width, height, WIDEST);
  const place = (id: string): Point => {
    const point = unit.get(id) ?? { x: 0.5, y: 0.5 };
    return { x: frame.x + point.x * frame.width, y: frame.y + point.y * frame.height };
  };
  const font = small ? 10 : 12;
  const halfWidth = (text: string) => Math.max(small ? 12 : 18, (text.length * font * 0.62 + 14) / 2);
  const boxes: Box[] = graph.nodes.map((node) => ({ ...place(node.id), w: halfWidth(nodeLabel(node.label)), h: small ? 11 : 16 }));
  const parallel = new Map<string, number>();
  return (
    <div className="genome-box" ref={box}>
      {width > 0 && (
        <svg role="img" aria-label={`${name}: ${describeGraph(graph)}`}>
          {graph.edges.map((edge, index) => {
            const from = place(edge.source);
            const to = place(edge.target);
            const pair = `${edge.source} ${edge.target}`;
            const before = parallel.get(pair) ?? 0;
            parallel.set(pair, before + 1);
            const dx = to.x - from.x;
            const dy = to.y - from.y;
            const length = Math.hypot(dx, dy) || 1;
            // A slight bow keeps edges apart that share a line; further ones between the same nodes bow more.
            const bow = (before + 1) * (before % 2 === 0 ? 1 : -1) * Math.min(length * 0.07, 18);
            const normal = { x: (-dy / length) * bow, y: (dx / length) * bow };
            const c1 = { x: from.x + dx * 0.35 + normal.x, y: from.y + dy * 0.35 + normal.y };
            const c2 = { x: from.x + dx * 0.65 + normal.x, y: from.y + dy * 0.65 + normal.y };
            const label = edge.operation ? shortName(edge.operation) : "";
            const middle = freePlace((t) => bezier(from, c1, c2, to, t), label.length * font * 0.29 + 3, font * 0.62, label ? boxes : []);
            return (
              <g key={index}>
                <path
                  className={edge.operation ? "genome-edge" : "genome-edge genome-fixed"}
                  d={`M${from.x} ${from.y}C${c1.x} ${c1.y} ${c2.x} ${c2.y} ${to.x} ${to.y}`}
                  {...(edge.operation ? { style: { stroke: operationVariable(edge.operation, index), strokeWidth: small ? 2.4 : 4 } } : {})}
                >
                  {edge.operation && <title>{`${nodeLabel(edge.source)} → ${nodeLabel(edge.target)}: ${edge.operation}`}</title>}
                </path>
                {edge.operation && (
                  <text className="genome-edge-label" x={middle.x} y={middle.y} fontSize={font - (small ? 0.5 : 1)}>
                    {label}
                  </text>
                )}
              </g>
            );
          })}
          {graph.nodes.map((node) => {
            const { x, y } = place(node.id);
            const label = nodeLabel(node.label);
            const w = 2 * halfWidth(label);
            const h = small ? 22 : 32;
            return (
              <g key={node.id}>
                <rect className="genome-node" x={x - w / 2} y={y - h / 2} width={w} height={h} rx={small ? 7 : 9} />
                <text className="genome-node-label" x={x} y={y} fontSize={font}>
                  {label}
                </text>
              </g>
            );
          })}
        </svg>
      )}
    </div>
  );
}

const isNeurons = (graph: GraphData) => graph.attributes["space"] === "neuron_graph";

/** All drawings of a genome; `wide` puts them side by side. */
export function GenomeGraph({ drawings, wide }: { drawings: Record<string, GraphData>; wide?: boolean }) {
  const parts = Object.entries(drawings);
  return (
    <div className={wide ? "genome genome-wide" : "genome"}>
      {parts.map(([name, graph]) => (
        <figure className="genome-part" key={name}>
          {parts.length > 1 && <figcaption>{TITLES[name] ?? name}</figcaption>}
          {isNeurons(graph) ? <NeuronPicture graph={graph} /> : <Drawing graph={graph} name={TITLES[name] ?? name} />}
        </figure>
      ))}
    </div>
  );
}
