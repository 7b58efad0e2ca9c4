/** CoDeepNEAT: the champion's blueprint beside the network assembled from it, linked place by place, and both populations by species. */
import { useMemo, useState } from "react";
import { Drawing } from "../graph/GenomeGraph";
import { NothingYet } from "../run/NothingYet";
import { ValueRow } from "../run/ValueRow";
import { measureName } from "../run/valueNames";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { CoevolutionFrame, SpeciesTable } from "../types/events.gen";
import { measured, whole, type Figures } from "../ui/figures";
import { metric, metricName, plural } from "../ui/format";
import { blueprintGraph, layersAt, networkGraph, placeOf, populationOf, speciesColour } from "./coevolution";
import { SpeciesStripes } from "./SpeciesStripes";
import "./structures.css";

function populationFigures(title: string, table: SpeciesTable, generations: readonly number[], measure: string): Figures {
  const { species, others, ofOthers } = populationOf(table);
  const rows = species.flatMap(({ number, living, members, used, credit }) =>
    generations.flatMap((generation, at) => ((members[at] ?? 0) > 0 ? [[`species ${number}${living ? "" : ", extinct"}`, whole(generation), measured(members[at]), measured(used[at]), measured(credit[at])]] : [])),
  );
  const folded = others > 0 ? generations.map((generation, at) => [plural(others, "species extinct earlier", "species extinct earlier"), whole(generation), measured(ofOthers[at]), "", ""]) : [];
  return { title: `${title} by species`, head: ["species", "generation", "members", "networks that used it", `credit: mean ${measure}`], rows: [...rows, ...folded] };
}

/** The two graphs node by node, and each population generation by generation. */
export function coevolutionFigures(store: RunStore): Figures[] {
  const frame = store.pictures.at("coevolution", store.shown);
  if (!frame) return [];
  const measure = measureName(store.run);
  return [
    {
      title: `Blueprint of candidate ${frame.candidate}, the best so far; ${measure} ${metric(frame.value)}`,
      head: ["node", "species of modules", "reads", "layers in the network"],
      rows: frame.blueprint.nodes.filter(({ kind }) => kind !== "input").map(({ id, label }) => [
        `${id} ${label}`, frame.species[id] === undefined ? "" : String(frame.species[id]), frame.blueprint.edges.filter(({ target }) => target === id).map(({ source }) => source).join(", "),
        layersAt(frame, id).join(", "),
      ]),
    },
    populationFigures("Modules", frame.modules, frame.generations, measure),
    populationFigures("Blueprints", frame.blueprints, frame.generations, measure),
  ];
}

/** The two graphs of the champion; what lies under the pointer in one is lit in the other. */
function Champion({ frame }: { frame: CoevolutionFrame }) {
  const [place, setPlace] = useState<string | null>(null);
  const [blueprint, network] = useMemo(() => [blueprintGraph(frame), networkGraph(frame)], [frame]);
  const known = place !== null && blueprint.nodes.some(({ id }) => id === place) ? place : null;
  const colourAt = (node: string) => {
    const number = frame.species[placeOf(node)];
    return number === undefined ? undefined : speciesColour(number);
  };
  const layers = known === null ? [] : layersAt(frame, known);
  return (
    <div className="coevolution-graphs">
      <figure className="genome-part">
        <figcaption>Blueprint, by species of modules</figcaption>
        <Drawing graph={blueprint} name="Blueprint" tone={colourAt} litNode={known === null ? undefined : (id) => id === known} onFocus={setPlace} />
      </figure>
      <figure className="genome-part">
        <figcaption>
          Assembled network, channels after each step{known !== null && layers.length > 0 && `: ${layers.join(", ")}`}
        </figcaption>
        <Drawing
          graph={network}
          name="Assembled network"
          bare={frame.network.edges.length > 14}
          tone={colourAt}
          lit={known === null ? undefined : ({ target }) => placeOf(target) === known}
          litNode={known === null ? undefined : (id) => placeOf(id) === known}
          onFocus={(id) => setPlace(id === null ? null : placeOf(id))}
        />
      </figure>
    </div>
  );
}

export function CoevolutionView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const frame = store.pictures.at("coevolution", store.shown);
  const [unfolded, setUnfolded] = useState({ modules: false, blueprints: false });
  if (!frame) {
    return (
      <div className="panel-fill">
        <NothingYet />
      </div>
    );
  }
  const measure = measureName(store.run);
  const living = new Set(frame.modules.species.filter((item) => item.living).map(({ number }) => number));
  const named = [...new Set(Object.values(frame.species))].sort((a, b) => a - b);
  return (
    <>
      <div className="panel-fill motifs-fill">
        <div className="genome motifs coevolution">
          <Champion frame={frame} />
          <div className="motifs-row">
            <SpeciesStripes
              title="Modules" table={frame.modules} generations={frame.generations} measure={measure} unfolded={unfolded.modules}
              onFold={(modules) => setUnfolded({ ...unfolded, modules })}
            />
            <SpeciesStripes
              title="Blueprints" table={frame.blueprints} generations={frame.generations} measure={measure} unfolded={unfolded.blueprints}
              onFold={(blueprints) => setUnfolded({ ...unfolded, blueprints })}
            />
          </div>
        </div>
      </div>
      <div className="structure-foot">
        <ul className="legend" aria-label="Species of modules in the blueprint">
          {named.map((number) => (
            <li key={number}>
              <i className="swatch" style={{ background: speciesColour(number) }} /> species {number}
              {!living.has(number) && " (extinct since)"}
            </li>
          ))}
        </ul>
        <span className="tone-best">
          candidate {frame.candidate}, best {metricName(frame.metric)} {metric(frame.value)}
        </span>
        <ValueRow values={frame.values} />
      </div>
    </>
  );
}
