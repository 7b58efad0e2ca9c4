/** Schemata of a population beside the bound of the schema theorem: bars, all of them by order, and what came of it over the generations. */
import { useQueryState } from "../app/router";
import { PlotGrid } from "../plots/PlotCard";
import { NothingYet } from "../run/NothingYet";
import { sourceTitle } from "../run/sources";
import type { RunStore } from "../stream/store";
import { useCalm, useTopic } from "../stream/useRun";
import type { Figures } from "../ui/figures";
import { Segmented } from "../ui/Segmented";
import { partFigures, raisedMost, schemataOf, schemataPlots, schemataWords, type Schemata } from "./schemata";
import "./structures.css";

interface Owned {
  key: string;
  owner: string;
  part: Schemata;
}

/** The populations at the shown moment: those of each source. */
function ownedAt(store: RunStore): Owned[] {
  const frames = store.pictures.latest("schemata", store.shown);
  return frames.flatMap(({ source, data }) =>
    data.parts.map((part) => ({
      key: `${source}/${part.name}`, part: schemataOf(part), owner: [...(frames.length > 1 ? [sourceTitle(store, source)] : []), part.title || "Population"].join(": "),
    })),
  );
}

export const schemataFigures = (store: RunStore): Figures[] => ownedAt(store).flatMap(({ owner, part }) => partFigures(part, owner));

export function SchemataView({ store }: { store: RunStore }) {
  useCalm(useTopic(store, "structure"), 120);
  const [wanted, setWanted] = useQueryState("population");
  const all = ownedAt(store);
  const chosen = all.find(({ key }) => key === wanted) ?? all.at(-1);
  if (!chosen) return <NothingYet />;
  return (
    <div className="charts-view schemata-view" tabIndex={0} role="group" aria-label="Schemata">
      {all.length > 1 && <Segmented label="Population" options={all.map(({ key, owner }) => ({ value: key, label: owner }))} value={chosen.key} onChange={setWanted} />}
      <p className="schemata-words">{schemataWords(chosen.part)}</p>
      <PlotGrid plots={schemataPlots(chosen.part)} />
      <ol className="schemata-names" aria-label="Schemata of the bars">
        {raisedMost(chosen.part).map((at) => (
          <li key={at}>{chosen.part.schemata[at]}</li>
        ))}
      </ol>
    </div>
  );
}
