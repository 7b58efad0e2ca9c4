/** The ant colony: its graph grows by a column per depth; a node's attributes on a click, an edge's pheromone under the pointer. */
import { useEffect, useRef, useState } from "react";
import { HoverCard } from "../graph/HoverCard";
import { useHover } from "../graph/useHover";
import { useStage } from "../graph/useStage";
import { NothingYet } from "../run/NothingYet";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { ColonyFrame } from "../types/events.gen";
import { figure, whole, type Figures } from "../ui/figures";
import { plural } from "../ui/format";
import { ValueRow } from "../run/ValueRow";
import { ZoomButtons } from "../graph/ZoomButtons";
import { Colony, type ColonyPick } from "./colony";
import { attributesOf, colonyGraph, typeTitle } from "./colonyGraph";
import "./structures.css";

/** "pool, conv, flatten, output" */
export function bestPath(frame: ColonyFrame): string {
  return frame.best.slice(1).map(typeTitle).join(", ");
}

function NodeCard({ frame, id, onClose }: { frame: ColonyFrame; id: string; onClose: () => void }) {
  const node = colonyGraph(frame).nodes.find((item) => item.id === id);
  const attributes = attributesOf(frame, id);
  if (!node) return null;
  return (
    <div className="node-card" role="status">
      <header>
        <strong>
          {typeTitle(node.type)}
          {node.column > 0 && `, depth ${node.column}`}
        </strong>
        <button type="button" aria-label="Close" onClick={onClose}>
          ×
        </button>
      </header>
      <p>
        {plural(node.ants, "ant")} came through
        {node.inherited > 0 && `, ${node.inherited} with inherited weights`}
      </p>
      {attributes.length === 0 && <p>No attributes to choose.</p>}
      {attributes.map(([name, shares]) => (
        <section key={name}>
          <h4>{name}</h4>
          {shares.map(([value, share]) => (
            <div className="op-bar" key={value}>
              <span>{value}</span>
              <i style={{ width: `${100 * share}%`, background: "var(--accent)" }} />
              <em>{share.toFixed(2)}</em>
            </div>
          ))}
        </section>
      ))}
    </div>
  );
}

/** Pheromone, heuristic and probability of every edge. */
export function colonyFigures(store: RunStore): Figures[] {
  const frame = store.pictures.at("colony", store.shown);
  if (!frame) return [];
  return [
    {
      title: "Pheromone",
      head: ["edge", "depth", "τ", "η", "p"],
      rows: frame.edges.map((edge) => [
        `${typeTitle(edge.source)} → ${typeTitle(edge.target)}`, whole(edge.depth + 1), figure(edge.pheromone, edge.pheromone.toFixed(3)), figure(edge.heuristic, edge.heuristic.toFixed(1)),
        figure(edge.probability, edge.probability.toFixed(2)),
      ]),
    },
  ];
}

export function ColonyView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const frame = store.pictures.at("colony", store.shown);
  const [canvas, picture] = useStage(Colony);
  const [pinned, setPinned] = useState<string | null>(null);
  const hover = useHover<ColonyPick>(picture, (pick) => setPinned((old) => (pick && "node" in pick && pick.node.id !== old ? pick.node.id : null)));
  const before = useRef<number>(-1);
  useEffect(() => {
    if (!picture || !frame) return;
    // Ants walk when time goes on, not when somebody looks back.
    picture.setFrame(frame, frame.step > before.current);
    before.current = frame.step;
  }, [picture, frame]);
  useEffect(() => picture?.setFocus(hover?.pick ?? null, pinned), [picture, hover, pinned]);
  const words = frame ? `depth ${frame.depth}, ${plural(frame.ants.length, "ant")}, ${plural(frame.edges.length, "edge")}; best path: ${bestPath(frame) || "none yet"}` : "nothing yet";
  return (
    <>
      <div className="panel-fill">
        <canvas ref={canvas} role="img" aria-label={`Ant colony: ${words}`} style={{ cursor: hover ? "pointer" : "grab" }} />
        {!frame && <NothingYet />}
        {hover && (
          <HoverCard at={hover.at} canvas={canvas}>
            {"edge" in hover.pick ? (
              <>
                <strong>
                  {typeTitle(hover.pick.edge.source)} → {typeTitle(hover.pick.edge.target)}
                </strong>
                <span>
                  τ {hover.pick.edge.pheromone.toFixed(3)} · η {hover.pick.edge.heuristic.toFixed(1)}
                </span>
                <span>p {hover.pick.edge.probability.toFixed(3)} among what may follow</span>
              </>
            ) : (
              <>
                <strong>{typeTitle(hover.pick.node.type)}</strong>
                <span>{plural(hover.pick.node.ants, "ant")}; click for its attributes</span>
              </>
            )}
          </HoverCard>
        )}
        {frame && pinned !== null && <NodeCard frame={frame} id={pinned} onClose={() => setPinned(null)} />}
        <ZoomButtons picture={picture} low />
      </div>
      <div className="structure-foot">
        <ul className="legend" aria-label="Legend">
          <li>
            <i className="swatch" style={{ background: "var(--accent)" }} /> width = pheromone × heuristic, opacity = pheromone
          </li>
          <li>
            <i className="swatch" style={{ background: "var(--gold)" }} /> best path so far
          </li>
          <li>
            <i className="swatch-dot" style={{ background: "var(--ink)" }} /> ant
          </li>
          <li>
            <i className="swatch-dot" style={{ background: "var(--good)" }} /> ants that inherited this layer's weights
          </li>
        </ul>
        <ValueRow values={frame?.values ?? {}} />
      </div>
    </>
  );
}
