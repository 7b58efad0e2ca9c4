/** The mask over a plain network: share kept per layer, the mask of one layer as a bitmap, and for small layers the graph that survives. */
import { useEffect, useMemo, useState } from "react";
import { useQueryState } from "../app/router";
import { hoverSide, type Point } from "../graph/stage";
import { useStage } from "../graph/useStage";
import { NothingYet } from "../run/NothingYet";
import { sourceTitle } from "../run/sources";
import { ValueRow } from "../run/ValueRow";
import { Pictures } from "../stream/pictures";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { MaskFrame, MaskLayer } from "../types/events.gen";
import { exact } from "../ui/format";
import { Segmented } from "../ui/Segmented";
import { keptText, maskBits, maskGraph, percent, shareKept, totalOf, type MaskGraph } from "./mask";
import { MaskBitmap, MaskGraphPicture, type Cell, type NeuronPlace } from "./maskPictures";
import "../graph/graph.css";
import "./structures.css";

function Bitmap({ layer }: { layer: MaskLayer }) {
  const [canvas, picture] = useStage(MaskBitmap);
  const [hover, setHover] = useState<{ cell: Cell; at: Point } | null>(null);
  useEffect(() => picture?.setLayer(layer), [picture, layer]);
  useEffect(() => picture?.hover(hover?.cell ?? null), [picture, hover]);
  useEffect(() => {
    if (!picture) return;
    picture.onPoint = (point, screen) => {
      const cell = point && picture.pick(point);
      setHover((old) => (cell ? { cell, at: screen } : old === null ? old : null));
    };
  }, [picture]);
  const bits = maskBits(layer);
  const row = hover && bits ? bits.subarray(hover.cell.row * layer.columns, (hover.cell.row + 1) * layer.columns) : null;
  return (
    <div className="panel-fill">
      <canvas ref={canvas} role="img" aria-label={`Mask of ${layer.title}: ${layer.rows} outputs by ${layer.columns} inputs, ${keptText(layer)} weights kept`} />
      {!bits && (
        <p className="nothing-yet">
          {layer.title} has {exact(layer.total)} weights: too many to draw each one. {percent(shareKept(layer))} are kept.
        </p>
      )}
      {hover && row && bits && (
        <div className={hoverSide(hover.at, canvas.current)} style={{ left: hover.at.x, top: hover.at.y }} aria-hidden="true">
          <strong>{bits[hover.cell.row * layer.columns + hover.cell.column] ? "kept" : "removed"}</strong>
          <span>
            input {hover.cell.column + 1} to output {hover.cell.row + 1}
          </span>
          <span>
            this output keeps {row.reduce((sum, bit) => sum + bit, 0)} of {layer.columns}
          </span>
        </div>
      )}
    </div>
  );
}

function Surviving({ graph }: { graph: MaskGraph }) {
  const [canvas, picture] = useStage(MaskGraphPicture);
  const [hover, setHover] = useState<{ place: NeuronPlace; at: Point } | null>(null);
  useEffect(() => picture?.setGraph(graph), [picture, graph]);
  useEffect(() => picture?.hover(hover?.place ?? null), [picture, hover]);
  useEffect(() => {
    if (!picture) return;
    picture.onPoint = (point, screen) => {
      const place = point && picture.pick(point);
      setHover((old) => (place ? { place, at: screen } : old === null ? old : null));
    };
  }, [picture]);
  const facts = hover && graph.neurons[hover.place.column]?.[hover.place.neuron];
  const links = graph.layers.reduce((sum, { links: own }) => sum + own.length, 0);
  const dead = graph.neurons.flat().filter((item) => item.dead).length;
  return (
    <div className="panel-fill">
      <canvas ref={canvas} role="img" aria-label={`Surviving graph: columns of ${graph.columns.join(", ")} neurons, ${exact(links)} connections remain, ${dead} neurons are cut off`} />
      {hover && facts && (
        <div className={hoverSide(hover.at, canvas.current)} style={{ left: hover.at.x, top: hover.at.y }} aria-hidden="true">
          <strong>
            {hover.place.column === 0 ? "input" : graph.layers[hover.place.column - 1]?.layer.title} {hover.place.neuron + 1}
          </strong>
          <span>
            {[facts.in !== null && `${facts.in} in`, facts.out !== null && `${facts.out} out`].filter(Boolean).join(", ")}
            {facts.dead && ": cut off"}
          </span>
        </div>
      )}
    </div>
  );
}

/** What each layer keeps, in words and as a bar; a click shows its bitmap. */
function Layers({ frame, chosen, onChoose }: { frame: MaskFrame; chosen: string | null; onChoose: (name: string) => void }) {
  return (
    <ul className="mask-layers" aria-label="Layers">
      {frame.layers.map((layer) => (
        <li key={layer.name}>
          <button type="button" aria-pressed={layer.name === chosen} onClick={() => onChoose(layer.name)} title={`${layer.rows} × ${layer.columns}`}>
            <span>{layer.title}</span>
            <i className="mask-bar">
              <i style={{ width: `${100 * shareKept(layer)}%` }} />
            </i>
            <em>{percent(shareKept(layer))}</em>
            <span className="mask-kept">{keptText(layer)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

export function MaskView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const [wanted, setWanted] = useQueryState("layer");
  const [source, setSource] = useQueryState("mask");
  const [graphed, setGraphed] = useState(false);
  const frames = Pictures.latest(store.pictures.masks, store.shown);
  const shown = frames.find((item) => item.source === source) ?? frames[0];
  const frame = shown?.data;
  const graph = useMemo(() => (frame ? maskGraph(frame) : null), [frame]);
  if (!frame || !shown) {
    return (
      <div className="panel-fill">
        <NothingYet />
      </div>
    );
  }
  const layer = frame.layers.find((item) => item.name === wanted) ?? frame.layers[0];
  const all = totalOf(frame);
  return (
    <>
      <div className="mask-head">
        {frames.length > 1 && (
          <Segmented label="Network" options={frames.map((item) => ({ value: item.source, label: sourceTitle(store, item.source) }))} value={shown.source} onChange={setSource} />
        )}
        {graph && (
          <Segmented
            label="Mask as"
            options={[
              { value: "bits", label: "Weights" },
              { value: "graph", label: "Surviving graph" },
            ]}
            value={graphed ? "graph" : "bits"}
            onChange={(value) => setGraphed(value === "graph")}
          />
        )}
        <span className="note">
          {keptText(all)} weights kept, {percent(shareKept(all))}
        </span>
      </div>
      {graphed && graph ? <Surviving graph={graph} /> : layer && <Bitmap layer={layer} />}
      <Layers
        frame={frame}
        chosen={graphed && graph ? null : (layer?.name ?? null)}
        onChoose={(name) => {
          setWanted(name);
          setGraphed(false);
        }}
      />
      <div className="structure-foot">
        <ul className="legend" aria-label="Legend">
          <li>
            <i className="swatch-dot" style={{ background: "var(--accent)" }} /> kept
          </li>
          <li>
            <i className="swatch-dot" style={{ background: "var(--line)" }} /> removed
          </li>
        </ul>
        <ValueRow values={frame.values} step={frame.step} />
      </div>
    </>
  );
}
