/** Shrunk networks layer by layer: a histogram of the channels' importance with the threshold, and the width before and after. */
import { useRef } from "react";
import { useQueryState } from "../app/router";
import { useSize } from "../graph/useStage";
import { NothingYet } from "../run/NothingYet";
import { ValueRow } from "../run/ValueRow";
import { measureName } from "../run/valueNames";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { NarrowedLayer, NarrowedNetwork, WidthsFrame } from "../types/events.gen";
import { measured, whole, type Figures } from "../ui/figures";
import { exact, metric, metricName, plural } from "../ui/format";
import { Segmented } from "../ui/Segmented";
import { binText, binX, columnsOf, costText, fullest, groundOf, keysOf, layerNames, layerText, networkTitle, ROW, short, TALLEST, tickBins, widest, type Columns } from "./widths";
import "./structures.css";

const NARROWEST = 300;
const CHARACTER = 6.6;

/** Every network, and every layer of each with its widths and its histogram. */
export function widthFigures(store: RunStore): Figures[] {
  const frame = store.pictures.at("widths", store.shown);
  if (!frame) return [];
  const name = measureName(store.run);
  const bins = frame.ends.slice(1).map((_, bin) => binText(frame.ends, bin));
  return [
    {
      title: `Shrunk networks; channels go where ${frame.measure} is at most ${short(frame.threshold)}`,
      head: ["network", name, `${name} of the network as it was`, "share of the cost left", "layers not shown"],
      rows: frame.networks.map((network) => [networkTitle(network), measured(network.value), measured(network.plain), measured(network.cost), whole(network.others ?? 0)]),
    },
    {
      title: `${frame.unit} of each layer, and how many have ${frame.measure} of so much`,
      head: ["network", "layer", "before", "after", "kept by the floor", ...bins],
      rows: frame.networks.flatMap((network) =>
        network.layers.map((layer) => [networkTitle(network), layer.name, whole(layer.before), whole(layer.after), layer.held ? "yes" : "no", ...layer.counts.map(whole)]),
      ),
    },
  ];
}

function Layer({ layer, name, place, frame, columns, scale, most }: { layer: NarrowedLayer; name: string; place: number; frame: WidthsFrame; columns: Columns; scale: number; most: number }) {
  const ground = groundOf(place);
  const bins = layer.counts.length;
  const bar = (width: number) => Math.max(((columns.end - columns.bars - 62) * width) / most, width > 0 ? 1.5 : 0);
  return (
    <g>
      <title>{layerText(layer, frame.unit)}</title>
      <text className="narrowed-name" x={columns.left - 8} y={ground - 6} textAnchor="end">
        {name}
      </text>
      <line className="narrowed-ground" x1={columns.left} x2={columns.right} y1={ground} y2={ground} />
      {layer.counts.map((count, bin) => {
        const height = (TALLEST * count) / Math.max(layer.before, 1) / scale;
        const from = binX(columns, bins, bin);
        return count > 0 && (
          <rect key={bin} className={bin < bins / 2 ? "narrowed-dead" : "narrowed-alive"} x={from + 0.5} y={ground - height} width={Math.max(binX(columns, bins, bin + 1) - from - 1, 0.5)} height={height}>
            <title>{`${layer.name}: ${exact(count)} of ${exact(layer.before)} ${frame.unit} with ${frame.measure} ${binText(frame.ends, bin)}`}</title>
          </rect>
        );
      })}
      <rect className="narrowed-before" x={columns.bars} y={ground - 20} width={bar(layer.before)} height={8} />
      <rect className="narrowed-alive" x={columns.bars} y={ground - 10} width={bar(layer.after)} height={8} />
      <text className="narrowed-widths" x={columns.end} y={ground - 7} textAnchor="end">
        {exact(layer.before)} → {exact(layer.after)}
        {layer.held && "*"}
      </text>
    </g>
  );
}

function Network({ network, frame }: { network: NarrowedNetwork; frame: WidthsFrame }) {
  const box = useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  const columns = columnsOf(network.layers.length, Math.max(width, NARROWEST));
  const bins = frame.ends.length - 1;
  const [scale, most] = [fullest(network), widest(network)];
  const threshold = binX(columns, bins, bins / 2);
  const foot = columns.height - 16;
  const names = layerNames(network.layers.map((layer) => layer.name), Math.max(Math.floor((columns.left - 8) / CHARACTER), 3));
  const words = network.layers.map((layer) => layerText(layer, frame.unit)).join("; ");
  return (
    <div className="genome-box narrowed" ref={box}>
      <svg width={columns.width} height={columns.height} role="img" aria-label={`${networkTitle(network)}: ${plural(network.layers.length, "layer")}, threshold of ${frame.measure} ${short(frame.threshold)}. ${words}`}>
        <text className="narrowed-axis" x={columns.left} y={11}>
          {frame.measure} of the layer's {frame.unit}
        </text>
        <text className="narrowed-axis" x={columns.end} y={11} textAnchor="end">
          before → after
        </text>
        {network.layers.map((layer, place) => (
          <Layer key={layer.name} layer={layer} name={names[place] ?? layer.name} place={place} frame={frame} columns={columns} scale={scale} most={most} />
        ))}
        <line className="narrowed-threshold" x1={threshold} x2={threshold} y1={16} y2={foot - ROW / 4} />
        {tickBins(frame.ends, columns).map((bin) => (
          <text key={bin} className="narrowed-axis" x={binX(columns, bins, bin)} y={foot} textAnchor={bin === 0 ? "start" : bin === bins ? "end" : "middle"}>
            {short(frame.ends[bin] ?? 0)}
          </text>
        ))}
        <text className="narrowed-axis" x={threshold} y={foot + 13} textAnchor="middle">
          threshold
        </text>
      </svg>
    </div>
  );
}

export function WidthsView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const [wanted, setWanted] = useQueryState("shrunk");
  const frame = store.pictures.at("widths", store.shown);
  const keys = frame ? keysOf(frame) : [];
  const place = Math.max(keys.indexOf(wanted ?? ""), 0);
  const network = frame?.networks[place];
  if (!frame || !network) {
    return (
      <div className="panel-fill">
        <NothingYet />
      </div>
    );
  }
  const held = network.layers.some((layer) => layer.held);
  return (
    <>
      <div className="panel-fill narrowed-fill" tabIndex={0} role="group" aria-label="Widths layer by layer">
        {keys.length > 1 && (
          <Segmented label="Network" options={frame.networks.map((item, at) => ({ value: keys[at] ?? "", label: networkTitle(item) }))} value={keys[place] ?? ""} onChange={setWanted} />
        )}
        <Network network={network} frame={frame} />
      </div>
      <div className="structure-foot">
        <ul className="legend" aria-label="Legend">
          <li>
            <i className="swatch" style={{ background: "var(--accent)" }} /> above the threshold, and left
          </li>
          <li>
            <i className="swatch" style={{ background: "var(--best)" }} /> below the threshold
          </li>
          <li>
            <i className="swatch" style={{ background: "var(--faint)" }} /> width before
          </li>
          {held && <li>* kept by the floor</li>}
          {(network.others ?? 0) > 0 && <li>{plural(network.others ?? 0, "narrower layer")} not shown</li>}
        </ul>
        <span className="tone-best">
          {networkTitle(network)}: {costText(network)}
          {network.value !== null && network.value !== undefined && `, ${metricName(frame.metric)} ${metric(network.value)}`}
          {network.plain !== null && network.plain !== undefined && `, as it was ${metric(network.plain)}`}
        </span>
        <ValueRow values={frame.values ?? {}} step={frame.step} />
      </div>
    </>
  );
}
