/** The tree of networks that grew from one another: operators on its edges; value before, right after the morphs and after the training. */
import { useMemo } from "react";
import { NothingYet } from "../run/NothingYet";
import { ValueRow } from "../run/ValueRow";
import { measureName } from "../run/valueNames";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import { figure, measured, whole, type Figures } from "../ui/figures";
import { metric, metricName, plural } from "../ui/format";
import { COLUMN, edgeText, networkText, treeOf, valuesText, type Placed } from "./morphisms";
import "./structures.css";

/** Every network with its parent, its operators, its size and its values. */
export function morphismFigures(store: RunStore): Figures[] {
  const frame = store.pictures.at("morphisms", store.shown);
  if (!frame) return [];
  const name = measureName(store.run);
  return [
    {
      title: frame.current === null ? "Networks" : `Networks; the search goes on from candidate ${frame.current}`,
      head: ["candidate", "parent", "step", "operators", "parameters", "MFLOPs", "state", `${name} of the parent`, "right after the morphs", "after its training", "went on from it"],
      rows: frame.networks.map((network) => [
        whole(network.candidate), network.parent === null ? "none" : whole(network.parent), whole(network.step), network.morphs.join("; ") || "none",
        whole(network.parameters), figure(network.megaflops, metric(network.megaflops)), network.state, measured(network.before), measured(network.grown), measured(network.value),
        network.chosen ? "yes" : "no",
      ]),
    },
  ];
}

const toneOf = ({ network, onWay }: Placed, current: number | null): string =>
  ["morphed", network.state, network.chosen && "chosen", onWay && "on-way", network.candidate === current && "current"].filter(Boolean).join(" ");

function Edge({ place, parent, current }: { place: Placed; parent: Placed; current: number | null }) {
  const { x, y } = place;
  const start = parent.x + 8;
  const bend = start + COLUMN * 0.3;
  return <path className={`${toneOf(place, current)} morphed-edge`} d={`M${start} ${parent.y}C${bend - 20} ${parent.y} ${bend - 40} ${y} ${bend} ${y}L${x - 8} ${y}`} />;
}

function Network({ place, current, onSelect }: { place: Placed; current: number | null; onSelect: (candidate: number) => void }) {
  const { network, parent, x, y } = place;
  const isCurrent = network.candidate === current;
  return (
    <g className={toneOf(place, current)} onClick={() => onSelect(network.candidate)}>
      <title>{networkText(network)}</title>
      {parent && (
        <text className="morphed-operators" x={x - 12} y={y - 5} textAnchor="end">
          {edgeText(network)}
        </text>
      )}
      <circle cx={x} cy={y} r={isCurrent ? 8 : 6} />
      <text className="morphed-values" x={parent ? x + 8 : x - 8} y={y + 19} textAnchor={parent ? "end" : "start"}>
        {valuesText(network)}
      </text>
    </g>
  );
}

export function MorphismsView({ store, onSelect }: { store: RunStore; onSelect: (candidate: number) => void }) {
  useTopic(store, "structure");
  const frame = store.pictures.at("morphisms", store.shown);
  const tree = useMemo(() => frame && treeOf(frame), [frame]);
  if (!frame || !tree) {
    return (
      <div className="panel-fill">
        <NothingYet />
      </div>
    );
  }
  const current = frame.networks.find(({ candidate }) => candidate === frame.current);
  return (
    <>
      <div className="panel-fill morphisms-fill" tabIndex={0} role="group" aria-label="Tree of morphisms">
        <svg width={tree.width} height={tree.height} role="img" aria-label={`Tree of ${plural(frame.networks.length, "network")}; ${current ? networkText(current) : "none is trained yet"}`}>
          {/* What leads on is drawn last, and names above all lines. */}
          {[...tree.places].sort((a, b) => Number(a.onWay) - Number(b.onWay)).map((place) => place.parent && <Edge key={place.network.candidate} place={place} parent={place.parent} current={frame.current} />)}
          {tree.places.map((place) => (
            <Network key={place.network.candidate} place={place} current={frame.current} onSelect={onSelect} />
          ))}
        </svg>
      </div>
      <div className="structure-foot">
        <span className="tone-best">
          {current ? `candidate ${current.candidate}, ${metricName(frame.metric)} ${metric(current.value)}` : "before the first network"}
        </span>
        <span>{metricName(frame.metric)}: parent → right after the morphs → trained</span>
        <ValueRow values={frame.values} />
      </div>
    </>
  );
}
