/** Hierarchical evolution's best genome: the cell of motifs, one of its motifs, and the flattened cell, linked: the chosen motif is lit in all of them. */
import { useMemo, useState } from "react";
import { Drawing } from "../graph/GenomeGraph";
import { operationVariable, shortName } from "../graph/palette";
import { NothingYet } from "../run/NothingYet";
import { ValueRow } from "../run/ValueRow";
import { measureName } from "../run/valueNames";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { MotifChange, MotifsFrame } from "../types/events.gen";
import { measured, whole, type Cell, type Figures } from "../ui/figures";
import { metric, metricName, plural } from "../ui/format";
import { cellOf, changeText, firstOf, flatGraph, isChanged, liesIn, motifGraph, operationsOf, partsOf, placesOfMotif, textsOf } from "./motifs";
import "./structures.css";

const changeRow = (what: string, change: MotifChange | null): Cell[] =>
  change
    ? [what, whole(change.candidate), whole(change.parent), whole(change.level), whole(change.motif), `${change.source} → ${change.target}`, change.old, change.new]
    : [what, "random", "", "", "", "", "", ""];

/** Every motif with its edges and its uses, the flattened cell edge by edge, and the changes. */
export function motifFigures(store: RunStore): Figures[] {
  const frame = store.pictures.at("motifs", store.shown);
  if (!frame) return [];
  return [
    {
      title: `Motifs of candidate ${frame.candidate}, the best so far`,
      head: ["level", "motif", "nodes", "edges", "uses in the cell", "mean uses in the population"],
      rows: frame.motifs.map((motif) => [
        whole(motif.level), whole(motif.number), whole(motif.nodes), motif.edges.map(textsOf).map(([source, target, operation]) => `${source} → ${target} ${operation}`).join(", "),
        whole(motif.uses), measured(motif.mean_uses),
      ]),
    },
    { title: "Flattened cell", head: ["from", "to", "operation"], rows: frame.network.map(textsOf).map(([source, target, operation]) => [source, target, operation || "as it is"]) },
    {
      title: `Changes; ${measureName(store.run)} of the best ${metric(frame.value)}`,
      head: ["of", "candidate", "parent", "level", "motif", "edge", "old", "new"],
      rows: [changeRow("the best", frame.change), changeRow("the latest", frame.latest)],
    },
  ];
}

function Graphs({ frame, chosen }: { frame: MotifsFrame; chosen: number | null }) {
  const cell = cellOf(frame);
  const part = partsOf(frame).find(({ number }) => number === chosen);
  const graphs = useMemo(() => ({ cell: cell && motifGraph(cell), part: part && motifGraph(part), flat: flatGraph(frame) }), [frame, cell, part]);
  const places = useMemo(() => (part ? placesOfMotif(frame, part.number) : null), [frame, part]);
  return (
    <div className="genome motifs">
      {cell && part && graphs.cell && graphs.part && (
        <div className="motifs-row">
          <figure className="genome-part">
            <figcaption>Cell of motifs</figcaption>
            <Drawing graph={graphs.cell} name="Cell of motifs" lit={({ operation }) => operation === `motif_${part.number}`} marked={(edge) => isChanged(frame.change, cell, edge)} />
          </figure>
          <figure className="genome-part">
            <figcaption>
              Motif {part.number}, {part.uses === 0 ? "not used" : `${part.uses} × in the cell`}
            </figcaption>
            <Drawing graph={graphs.part} name={`Motif ${part.number}`} marked={(edge) => isChanged(frame.change, part, edge)} />
          </figure>
        </div>
      )}
      <figure className="genome-part motifs-flat">
        <figcaption>{part ? "Flattened: every motif in its place" : "Cell of operations"}</figcaption>
        <Drawing graph={graphs.flat} name="Flattened cell" bare={frame.network.length > 24} {...(places && places.size > 0 ? { lit: (edge) => liesIn(places, edge) } : {})} />
      </figure>
    </div>
  );
}

export function MotifsView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const frame = store.pictures.at("motifs", store.shown);
  const [wanted, setWanted] = useState<number | null>(null);
  if (!frame) {
    return (
      <div className="panel-fill">
        <NothingYet />
      </div>
    );
  }
  const parts = partsOf(frame);
  const chosen = parts.some(({ number }) => number === wanted) ? wanted : firstOf(frame);
  const operations = operationsOf(flatGraph(frame));
  return (
    <>
      <div className="panel-fill motifs-fill">
        <Graphs frame={frame} chosen={chosen} />
      </div>
      <div className="structure-foot">
        {parts.length > 0 && (
          <div className="motif-choice" role="radiogroup" aria-label="Motif">
            {parts.map(({ number, uses, mean_uses: mean }) => (
              <label key={number} title={`${plural(uses, "use")} in this cell, ${metric(mean)} on average in the population`}>
                <input type="radio" name="motif" checked={number === chosen} onChange={() => setWanted(number)} />
                <i className="swatch" style={{ background: operationVariable(`motif_${number}`, number) }} /> motif {number} <b>× {uses}</b> <span>mean {metric(mean)}</span>
              </label>
            ))}
          </div>
        )}
        <ul className="legend" aria-label="Legend">
          {operations.map((operation, place) => (
            <li key={operation}>
              <i className="swatch" style={{ background: operationVariable(operation, place) }} /> {shortName(operation)}
            </li>
          ))}
        </ul>
        <span className="tone-best">
          candidate {frame.candidate}, best {metricName(frame.metric)} {metric(frame.value)}
        </span>
        <span>{frame.change ? `It came by: ${changeText(frame.change)}` : "It is a random one."}</span>
        <span>{frame.latest ? `Latest child: ${changeText(frame.latest)}` : "The latest is a random one."}</span>
        <ValueRow values={frame.values} />
      </div>
    </>
  );
}
