/** The ant colony: its graph grows by a column per depth; a node's attributes on a click, an edge's pheromone under the pointer. */
import { useEffect, useRef, useState } from "react";
import { hoverSide, type Point } from "../graph/stage";
import { useStage } from "../graph/useStage";
import { NothingYet } from "../run/NothingYet";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { ColonyFrame } from "../types/events.gen";
import { plural } from "../ui/format";
import { ValueRow } from "../run/ValueRow";
import { ZoomButtons } from "../graph/ZoomButtons";
import { Colony, type ColonyPick } from "./colony";
import { attributesOf, colonyGraph, typeTitle } from "./colonyGraph";
import "../graph/graph.css";
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

export function ColonyView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const frame = store.pictures.colony.at(store.shown);
  const [canvas, picture] = useStage(Colony);
  const [hover, setHover] = useState<{ pick: ColonyPick; at: Point } | null>(null);
  const [pinned, setPinned] = useState<string | null>(null);
  const before = useRef<number>(-1);
  useEffect(() => {
    if (!picture || !frame) return;
    // Ants walk when time goes on, not when somebody looks back.
    picture.setFrame(frame, frame.step > before.current);
    before.current = frame.step;
  }, [picture, frame]);
  useEffect(() => picture?.setFocus(hover?.pick ?? null, pinned), [picture, hover, pinned]);
  useEffect(() => {
    if (!picture) return;
    picture.onPoint = (point, screen) => {
      const pick = point && picture.pick(point);
      setHover((old) => (pick ? { pick, at: screen } : old === null ? old : null));
    };
    picture.onClick = (point) => {
      const pick = picture.pick(point);
      setPinned((old) => (pick && "node" in pick && pick.node.id !== old ? pick.node.id : null));
    };
  }, [picture]);
  const words = frame ? `depth ${frame.depth}, ${plural(frame.ants.length, "ant")}, ${plural(frame.edges.length, "edge")}; best path: ${bestPath(frame) || "none yet"}` : "nothing yet";
  return (
    <>
      <div className="panel-fill">
        <canvas ref={canvas} role="img" aria-label={`Ant colony: ${words}`} style={{ cursor: hover ? "pointer" : "grab" }} />
        {!frame && <NothingYet />}
        {hover && (
          <div className={hoverSide(hover.at, canvas.current)} style={{ left: hover.at.x, top: hover.at.y }} aria-hidden="true">
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
          </div>
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
