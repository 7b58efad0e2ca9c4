/** The mask over a plain network: share kept per layer, the mask of one layer as a bitmap, and for small layers the graph that survives. */
import { useEffect, useMemo, useState } from "react";
import { useQueryState } from "../app/router";
import { HoverCard } from "../graph/HoverCard";
import { useHover } from "../graph/useHover";
import { useStage } from "../graph/useStage";
import { NothingYet } from "../run/NothingYet";
import { sourceTitle } from "../run/sources";
import { ValueRow } from "../run/ValueRow";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { MaskFrame, MaskLayer } from "../types/events.gen";
import { figure, whole, type Cell, type Figures } from "../ui/figures";
import { exact, plural } from "../ui/format";
import { Segmented } from "../ui/Segmented";
import { changesOf, fates, keptText, maskBits, maskGraph, percent, shareKept, totalOf, type Fate, type MaskGraph } from "./mask";
import { MaskBitmap, MaskGraphPicture } from "./maskPictures";
import "./structures.css";

const FATES: Record<Fate, string> = { kept: "kept", back: "kept again just now", gone: "removed just now", removed: "removed" };
const FATE_COLOURS: Record<Fate, string> = { kept: "--accent", back: "--good", gone: "--best", removed: "--line" };

function Bitmap({ layer }: { layer: MaskLayer }) {
  const [canvas, picture] = useStage(MaskBitmap);
  const hover = useHover(picture);
  useEffect(() => picture?.setLayer(layer), [picture, layer]);
  const bits = maskBits(layer);
  const row = hover && bits ? bits.subarray(hover.pick.row * layer.columns, (hover.pick.row + 1) * layer.columns) : null;
  return (
    <div className="panel-fill">
      <canvas ref={canvas} role="img" aria-label={`Mask of ${layer.title}: ${layer.rows} outputs by ${layer.columns} inputs, ${keptText(layer)} weights kept`} />
      {!bits && (
        <p className="nothing-yet">
          {layer.title} has {exact(layer.total)} weights: too many to draw each one. {percent(shareKept(layer))} are kept.
        </p>
      )}
      {hover && row && bits && (
        <HoverCard at={hover.at} canvas={canvas}>
          <strong>{FATES[fates(layer)?.[hover.pick.row * layer.columns + hover.pick.column] ?? "removed"]}</strong>
          <span>
            input {hover.pick.column + 1} to output {hover.pick.row + 1}
          </span>
          <span>
            this output keeps {row.reduce((sum, bit) => sum + bit, 0)} of {layer.columns}
          </span>
        </HoverCard>
      )}
    </div>
  );
}

function Surviving({ graph }: { graph: MaskGraph }) {
  const [canvas, picture] = useStage(MaskGraphPicture);
  const hover = useHover(picture);
  useEffect(() => picture?.setGraph(graph), [picture, graph]);
  const facts = hover && graph.neurons[hover.pick.column]?.[hover.pick.neuron];
  const links = graph.layers.flatMap(({ links: own }) => own);
  const gone = links.filter(([, , fate]) => fate === "gone").length;
  const neurons = graph.neurons.flat();
  const [dead, cutNow] = [neurons.filter((item) => item.dead).length, neurons.filter((item) => item.cutNow).length];
  const now = gone > 0 || cutNow > 0 ? `; just now ${exact(gone)} connections were removed and ${plural(cutNow, "neuron")} cut off` : "";
  return (
    <div className="panel-fill">
      <canvas ref={canvas} role="img" aria-label={`Surviving graph: columns of ${graph.columns.join(", ")} neurons, ${exact(links.length - gone)} connections remain, ${plural(dead, "neuron")} cut off${now}`} />
      {hover && facts && (
        <HoverCard at={hover.at} canvas={canvas}>
          <strong>
            {hover.pick.column === 0 ? "input" : graph.layers[hover.pick.column - 1]?.layer.title} {hover.pick.neuron + 1}
          </strong>
          <span>
            {[facts.in !== null && `${facts.in} in`, facts.out !== null && `${facts.out} out`].filter(Boolean).join(", ")}
            {facts.dead && (facts.cutNow ? ": cut off just now" : ": cut off")}
          </span>
        </HoverCard>
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

/** How many outputs of a layer lost every weight; a dash where the bits were not sent. */
function emptyRows(layer: MaskLayer): Cell {
  const bits = maskBits(layer);
  if (!bits) return "–";
  let empty = 0;
  for (let row = 0; row < layer.rows; row++) if (!bits.subarray(row * layer.columns, (row + 1) * layer.columns).includes(1)) empty++;
  return whole(empty);
}

/** How many outputs of a layer lost their last weight just now; a dash where it is not known. */
function emptiedRows(layer: MaskLayer): Cell {
  const all = layer.before ? fates(layer) : null;
  if (!all) return "–";
  const rows = Array.from({ length: layer.rows }, (_, row) => all.slice(row * layer.columns, (row + 1) * layer.columns));
  return whole(rows.filter((row) => row.includes("gone") && !row.some((fate) => fate === "kept" || fate === "back")).length);
}

/** How many weights of a layer had this fate; a dash where it is not known. */
function counted(layer: MaskLayer, fate: Fate): Cell {
  return layer.before ? whole((fates(layer) ?? []).filter((item) => item === fate).length) : "–";
}

/** What each layer keeps, of every masked network. */
export function maskFigures(store: RunStore): Figures[] {
  const frames = store.pictures.latest("mask", store.shown);
  return frames.map(({ source, data }) => ({
    title: frames.length > 1 ? `Mask, ${sourceTitle(store, source)}` : "Mask",
    head: ["layer", "outputs × inputs", "weights kept", "share", "removed just now", "kept again just now", "outputs without any", "of these just now"],
    rows: data.layers.map((layer) => [layer.title, `${layer.rows} × ${layer.columns}`, figure(layer.kept, keptText(layer)), figure(shareKept(layer), percent(shareKept(layer))), counted(layer, "gone"), counted(layer, "back"), emptyRows(layer), emptiedRows(layer)]),
  }));
}

export function MaskView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const [wanted, setWanted] = useQueryState("layer");
  const [source, setSource] = useQueryState("mask");
  const [graphed, setGraphed] = useState(false);
  const frames = store.pictures.latest("mask", store.shown);
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
  const changes = changesOf(frame);
  const changed: Fate[] = [...(changes?.back ? (["back"] as const) : []), ...(changes ? (["gone"] as const) : [])];
  // The graph leaves out what was removed earlier.
  const legend: Fate[] = ["kept", ...changed, ...(graphed && graph ? [] : (["removed"] as const))];
  const cutNow = graphed && graph ? graph.neurons.flat().filter((item) => item.cutNow).length : 0;
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
          {legend.map((fate) => (
            <li key={fate}>
              <i className="swatch-dot" style={{ background: `var(${FATE_COLOURS[fate]})` }} /> {FATES[fate]}
              {changes && (fate === "gone" || fate === "back") && `: ${exact(changes[fate])}`}
            </li>
          ))}
          {cutNow > 0 && (
            <li>
              <i className="swatch-ring" style={{ borderColor: "var(--best)" }} /> {plural(cutNow, "neuron")} cut off just now
            </li>
          )}
        </ul>
        <ValueRow values={frame.values} step={frame.step} />
      </div>
    </>
  );
}
