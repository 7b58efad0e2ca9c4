/** What the search believes: the super-network, the growing graph, the best genome; at the end the architecture that was found. */
import { useMemo, type ReactNode } from "react";
import type { Run } from "../api/types";
import { findGenomes } from "../api/resources";
import { useResource } from "../api/useResource";
import { useQueryState } from "../app/router";
import { GenomeGraph } from "../graph/GenomeGraph";
import type { RunStore } from "../stream/store";
import { useSelect, useTopic } from "../stream/useRun";
import type { GraphData } from "../types/events.gen";
import { metric } from "../ui/format";
import { Segmented } from "../ui/Segmented";
import { Empty, Failure, Skeleton } from "../ui/States";
import { MarginalsView } from "../decisions/MarginalsView";
import { PolicyView } from "../decisions/PolicyView";
import { ColonyView } from "../structures/ColonyView";
import { DomainsView } from "../structures/DomainsView";
import { PathwaysView } from "../structures/PathwaysView";
import { QueueView } from "../structures/QueueView";
import { SurrogateView } from "../structures/SurrogateView";
import { MaskView } from "../structures/MaskView";
import { ChampionView } from "./ChampionView";
import { ChartsView } from "./ChartsView";
import { derivedDrawing } from "./derivedFacts";
import { FamilyView } from "./FamilyView";
import { MatrixTable } from "./MatrixTable";
import { NeuronTable } from "./NeuronTable";
import { structureViews, waitingText } from "./panelState";
import { PictureTables } from "./PictureTables";
import { Reports } from "./Reports";
import type { Pin } from "./RunPage";

export interface StructurePanelProps {
  run: Run;
  store: RunStore;
  pin: Pin | null;
  onPin: (pin: Pin | null) => void;
  onCandidate: (number: number) => void;
}

function DerivedView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const derived = store.now(store.derived);
  const drawings = useMemo(() => {
    void derived;
    const found: Record<string, GraphData> = {};
    for (const group of store.family) {
      const drawing = derivedDrawing(store, group);
      if (drawing) found[group.name] = { ...drawing, attributes: { layout: group.layout } };
    }
    return found;
  }, [store, derived]);
  if (!derived) return <p className="run-hint run-hint-center">Nothing was derived before this moment.</p>;
  return <GenomeGraph drawings={drawings} />;
}

/** The best candidate at the shown moment: its genome is fetched by hash. */
function BestView({ run, store }: { run: Run; store: RunStore }) {
  useTopic(store, "candidates");
  const best = store.now(store.incumbents);
  const hash = best?.genome_hash ?? null;
  const genome = useResource(hash ? `genome/${run.id}/${hash}` : null, (signal) => findGenomes(run.id, hash ?? "", signal));
  const found = genome.data?.results[0];
  if (!best) return <p className="run-hint run-hint-center">No architecture has been measured yet.</p>;
  return (
    <>
      <div className="panel-fill">
        {found ? <GenomeGraph drawings={found.drawings} /> : genome.error !== undefined ? <Failure what="The architecture could not be loaded" error={genome.error} retry={genome.reload} /> : <Skeleton />}
      </div>
      <div className="structure-foot">
        <span className="tone-best">
          best so far {metric(best.value)}
          {best.candidate !== null && `, candidate ${best.candidate}`}
        </span>
        <code className="genome-line" title={best.string}>
          {best.string}
        </code>
      </div>
    </>
  );
}

function ResultView({ store }: { store: RunStore }) {
  useTopic(store, "end");
  const finalist = store.finalists.find((item) => item.role === "finalist") ?? store.finalists[0];
  if (!finalist) return null;
  return (
    <>
      <div className="panel-fill">
        <GenomeGraph drawings={finalist.graph} />
      </div>
      <div className="structure-foot">
        <code className="genome-line" title={finalist.string}>
          {finalist.string}
        </code>
      </div>
    </>
  );
}

function ReportsView({ store }: { store: RunStore }) {
  useTopic(store, "end");
  return (
    <div className="charts-view" tabIndex={0} role="group" aria-label="Reports">
      <Reports reports={store.reports.map((item) => item.data)} />
    </div>
  );
}

const NOTES: Record<string, string> = {
  family: "weight of each operation, thickness = γ",
  derived: "the architecture if the search ended now",
  matrix: "γ in figures",
  policy: "probability of each choice; outlined = latest sample",
  marginals: "what was tried, and how it scored",
  colony: "a column per depth",
  pathways: "layers × modules",
  domains: "layers × modules, one colour per data set",
  mask: "which weights remain",
  charts: "what the search measured of itself",
  reports: "what was measured at the end",
  surrogate: "what the model of the scores expects",
  queue: "born at the right, dying at the left",
  figures: "the pictures in figures",
  growth: "the best so far; new parts are marked",
  neurons: "the champion in words",
  genome: "the best architecture so far",
  result: "the architecture that was finished and tested",
};

export function StructurePanel({ run, store, pin, onPin, onCandidate }: StructurePanelProps) {
  // Which views there are changes rarely; the pictures inside follow their own topics.
  useSelect(store, ["structure", "growth", "candidates", "end"], (item) => structureViews(item).map((view) => view.id).join(" "));
  useSelect(store, ["cursor"], (item) => item.cursor === null);
  const [wanted, setWanted] = useQueryState("view");
  const views = structureViews(store);
  // What was only looked up or computed has no network to show: the picture of the search stays.
  const finished = run.state === "completed" && store.cursor === null && store.finalists.some((item) => item.finish !== "none");
  const normal = finished ? (views.find((view) => view.id === "result") ?? views[0]) : views[0];
  const view = views.find((item) => item.id === wanted) ?? normal;
  const kind = view?.id.split(":")[0] ?? "";
  const group = store.family.find((item) => item.name === (kind === "family" ? view?.id.slice("family:".length) : pin?.group)) ?? store.family[0];
  const pinned = group && pin?.group === group.name ? pin.edge : null;
  const pinEdge = (edge: number | null) => onPin(edge === null || !group ? null : { group: group.name, edge });

  let body: ReactNode;
  if (kind === "family" && group) body = <FamilyView store={store} group={group} pinned={pinned} onPin={pinEdge} />;
  else if (kind === "derived") body = <div className="panel-fill"><DerivedView store={store} /></div>;
  else if (kind === "matrix") {
    body = (
      <div className="matrices">
        {store.family.map((item) => (
          <section key={item.name}>
            <h3>{item.title}</h3>
            <MatrixTable store={store} group={item} pinned={pin?.group === item.name ? pin.edge : null} onPin={(edge) => onPin(edge === null ? null : { group: item.name, edge })} />
          </section>
        ))}
      </div>
    );
  } else if (kind === "policy") body = <PolicyView store={store} />;
  else if (kind === "marginals") body = <MarginalsView store={store} />;
  else if (kind === "colony") body = <ColonyView store={store} />;
  else if (kind === "pathways") body = <PathwaysView store={store} />;
  else if (kind === "domains") body = <DomainsView store={store} />;
  else if (kind === "surrogate") body = <SurrogateView store={store} />;
  else if (kind === "mask") body = <MaskView store={store} />;
  else if (kind === "charts") body = <ChartsView store={store} />;
  else if (kind === "reports") body = <ReportsView store={store} />;
  else if (kind === "queue") body = <QueueView store={store} onSelect={onCandidate} />;
  else if (kind === "figures") body = <PictureTables store={store} />;
  else if (kind === "growth") body = <ChampionView store={store} />;
  else if (kind === "neurons") body = <NeuronTable store={store} />;
  else if (kind === "genome") body = <BestView run={run} store={store} />;
  else if (kind === "result") body = <ResultView store={store} />;
  else {
    const { title, text } = waitingText(run);
    body = (
      <div className="run-waiting">
        <Empty title={title}>{text}</Empty>
      </div>
    );
  }
  return (
    <section className="panel run-structure" aria-label="Structure">
      <header className="panel-head">
        <h2>Structure</h2>
        <span className="note">{NOTES[kind] ?? ""}</span>
        <div className="panel-actions">
          {views.length > 1 && view && <Segmented label="Picture" options={views.map((item) => ({ value: item.id, label: item.title }))} value={view.id} onChange={setWanted} />}
        </div>
      </header>
      {body}
    </section>
  );
}
