/** One genome's graphs as SVG: operations on coloured edges, every node and edge readable by name. Neuron graphs go to the canvas. */
import { useMemo, useRef, useState } from "react";
import type { GraphData, GraphEdge } from "../types/events.gen";
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
  // Beside the edge where there is no room on it, as between the nodes of a chain.
  const beside = [-1, 1].flatMap((side) => LABEL_PLACES.map((t) => ({ x: along(t).x, y: along(t).y + side * (2 * h + 12) })));
  if (places.every((place) => meets(place) > 0)) places.push(...beside);
  const counts = places.map(meets);
  const chosen = places[counts.indexOf(Math.min(...counts))] ?? along(0.5);
  boxes.push({ ...chosen, w, h });
  return chosen;
}

const SIZES = [
  { font: 12, least: 18, room: 14, h: 16, small: false },
  { font: 10, least: 12, room: 14, h: 11, small: true },
  { font: 9, least: 7, room: 4, h: 9, small: true },
] as const;

/** Whether two of the boxes cover each other. */
export function overlapping(boxes: readonly Box[]): boolean {
  return boxes.some((box, index) => boxes.slice(index + 1).some((other) => Math.abs(box.x - other.x) < box.w + other.w && Math.abs(box.y - other.y) < box.h + other.h));
}

/** What goes in and out of a node, for its title. */
export function describeNode(graph: GraphData, id: string): string {
  const label = new Map(graph.nodes.map((node) => [node.id, nodeLabel(node.label)]));
  const by = (operation: string | null) => (operation ? ` by ${operation}` : "");
  const from = graph.edges.filter((edge) => edge.target === id).map((edge) => `${label.get(edge.source)}${by(edge.operation)}`);
  const to = graph.edges.filter((edge) => edge.source === id).map((edge) => `${label.get(edge.target)}${by(edge.operation)}`);
  const parts = [from.length > 0 && `from ${from.join(", ")}`, to.length > 0 && `to ${to.join(", ")}`].filter((part) => part !== false);
  return `${label.get(id)}: ${parts.join("; ") || "connected to nothing"}`;
}

interface DrawnEdge {
  edge: GraphEdge;
  path: string;
  label: string;
  middle: Point;
  halfWidth: number;
}

function drawEdges(graph: GraphData, place: (id: string) => Point, boxes: Box[], font: number, bare: boolean): DrawnEdge[] {
  const parallel = new Map<string, number>();
  return graph.edges.map((edge) => {
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
    const label = edge.operation && !bare ? shortName(edge.operation) : "";
    const halfWidth = label.length * font * 0.27 + 4;
    const middle = freePlace((t) => bezier(from, c1, c2, to, t), halfWidth, font * 0.68, label ? boxes : []);
    return { edge, path: `M${from.x} ${from.y}C${c1.x} ${c1.y} ${c2.x} ${c2.y} ${to.x} ${to.y}`, label, middle, halfWidth };
  });
}

export interface DrawingProps {
  graph: GraphData;
  name: string;
  /** Which edges matter now: the others step back. Undefined = all do. */
  lit?: ((edge: GraphEdge) => boolean) | undefined;
  /** The edge that has just changed. */
  marked?: ((edge: GraphEdge) => boolean) | undefined;
  /** The colour of a node, where it has one: what it belongs to. */
  tone?: ((id: string) => string | undefined) | undefined;
  /** Which nodes matter now: the others step back. Undefined = all do. */
  litNode?: ((id: string) => boolean) | undefined;
  /** The node under the pointer or with the keyboard's focus; null when it is left. */
  onFocus?: ((id: string | null) => void) | undefined;
  /** Without the names of operations on the edges, where there are too many: colours and titles say them. */
  bare?: boolean;
}

/** A rim of that colour, and a ground with a little of it, on which text can be read in both themes. */
const toned = (colour: string | undefined) => (colour === undefined ? {} : { style: { stroke: colour, strokeWidth: 2.2, fill: `color-mix(in srgb, ${colour} 22%, var(--node))` } });

/** One graph. */
export function Drawing({ graph, name, lit, marked, tone, litNode, onFocus, bare = false }: DrawingProps) {
  const box = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(box);
  const [focus, setOwnFocus] = useState<string | null>(null);
  const setFocus = (id: string | null) => {
    setOwnFocus(id);
    onFocus?.(id);
  };
  const narrow = width < 420;
  const { nodes, edges, small, font } = useMemo(() => {
    const unit = stretched(unitPlaces(graph));
    const placeIn = (most: number) => {
      const frame = frameOf(width, height, most);
      return (id: string): Point => {
        const point = unit.get(id) ?? { x: 0.5, y: 0.5 };
        return { x: frame.x + point.x * frame.width, y: frame.y + point.y * frame.height };
      };
    };
    // Many nodes in a row (a sequence of numbers, a chain in a low box) get all the room there is, then smaller ones, rather than ones that
    // cover each other.
    const sizes = narrow ? SIZES.slice(1) : SIZES;
    const tries = sizes.flatMap((size) => [WIDEST, Infinity].map(placeIn).map((place) => ({
      size,
      place,
      placed: graph.nodes.map((node) => {
        const w = Math.max(size.least, (nodeLabel(node.label).length * size.font * 0.62 + size.room) / 2);
        const { x, y } = place(node.id);
        // A wide node at the end of the graph moves inwards until all of it is inside.
        return { node, x: Math.min(Math.max(x, w + 3), Math.max(width - w - 3, w + 3)), y, w, h: size.h };
      }),
    })));
    const { size, place, placed } = tries.find((item) => !overlapping(item.placed)) ?? tries.at(-1)!;
    const where = new Map(placed.map(({ node, x, y }) => [node.id, { x, y }]));
    return { nodes: placed, edges: drawEdges(graph, (id) => where.get(id) ?? place(id), placed.map(({ x, y, w, h }) => ({ x, y, w, h })), size.font, bare), small: size.small, font: size.font };
  }, [graph, width, height, narrow, bare]);
  const known = focus !== null && graph.nodes.some((node) => node.id === focus) ? focus : null;
  const away = (edge: GraphEdge) => {
    const near = known !== null ? edge.source === known || edge.target === known : (lit?.(edge) ?? true);
    return near ? "" : " genome-away";
  };
  return (
    <div className="genome-box" ref={box}>
      {width > 0 && (
        // A group and not an image: its nodes can be reached with the keyboard.
        <svg role="group" aria-label={`${name}: ${describeGraph(graph)}`}>
          {edges.map(({ edge, path }, index) => (
            <path
              key={index}
              className={`genome-edge${edge.operation ? "" : " genome-fixed"}${marked?.(edge) ? " genome-marked" : ""}${away(edge)}`}
              d={path}
              {...(edge.operation ? { style: { stroke: operationVariable(edge.operation, index), strokeWidth: small ? 2.4 : 4 } } : {})}
            >
              {edge.operation && <title>{`${nodeLabel(edge.source)} → ${nodeLabel(edge.target)}: ${edge.operation}`}</title>}
            </path>
          ))}
          {/* Above all edges: a label that a later edge crosses cannot be read. */}
          {edges.map(
            ({ edge, label, middle, halfWidth }, index) =>
              label && (
                <g key={index} className={`genome-label${away(edge)}`} aria-hidden="true">
                  <rect x={middle.x - halfWidth} y={middle.y - font * 0.62} width={2 * halfWidth} height={font * 1.24} rx={4} />
                  <text x={middle.x} y={middle.y} fontSize={font - (small ? 0.5 : 1)}>
                    {label}
                  </text>
                </g>
              ),
          )}
          {nodes.map(({ node, x, y, w, h }) => (
            <g
              key={node.id}
              className={`genome-node${litNode && !litNode(node.id) && known !== node.id ? " genome-away" : ""}`}
              role="img"
              aria-label={describeNode(graph, node.id)}
              tabIndex={0}
              onFocus={() => setFocus(node.id)}
              onBlur={() => setFocus(null)}
              onPointerEnter={() => setFocus(node.id)}
              onPointerLeave={() => setFocus(null)}
            >
              <title>{describeNode(graph, node.id)}</title>
              <rect x={x - w} y={y - h} width={2 * w} height={2 * h} rx={small ? 7 : 9} {...toned(tone?.(node.id))} />
              <text x={x} y={y} fontSize={font}>
                {nodeLabel(node.label)}
              </text>
            </g>
          ))}
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
