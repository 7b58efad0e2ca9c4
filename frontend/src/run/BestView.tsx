/** The best candidate at the shown moment: its genome is fetched by hash. */
import { findGenomes } from "../api/resources";
import { useResource } from "../api/useResource";
import { GenomeGraph } from "../graph/GenomeGraph";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { Incumbent } from "../types/events.gen";
import { measured, whole, type Figures } from "../ui/figures";
import { metric, metricName } from "../ui/format";
import { Failure, Skeleton } from "../ui/States";
import { ArchitectureLine } from "./ArchitectureLine";

/** Every best so far up to the shown moment, the newest last. */
export function bestFigures(store: RunStore): Figures[] {
  const row = ({ candidate, metric: name, value, fidelity, selected_from, string }: Incumbent) => [
    candidate == null ? "–" : whole(candidate), name, measured(value), fidelity.text, whole(selected_from), string,
  ];
  return [{ title: "Best so far", head: ["candidate", "metric", "value", "network", "compared so far", "architecture"], rows: store.incumbents.filter((item) => item.seq <= store.shown).map((item) => row(item.data)) }];
}

export function BestView({ run, store }: { run: string; store: RunStore }) {
  useTopic(store, "candidates");
  const best = store.now(store.incumbents);
  const hash = best?.genome_hash ?? null;
  const genome = useResource(hash ? `genome/${run}/${hash}` : null, (signal) => findGenomes(run, hash ?? "", signal));
  const found = genome.data?.results[0];
  if (!best) return <p className="run-hint run-hint-center">No architecture has been measured yet.</p>;
  return (
    <>
      <div className="panel-fill">
        {found ? <GenomeGraph drawings={found.drawings} /> : genome.error !== undefined ? <Failure what="The architecture could not be loaded" error={genome.error} retry={genome.reload} /> : <Skeleton />}
      </div>
      <div className="structure-foot">
        <span className="tone-best">
          <span title={`${best.fidelity.text}; best of ${best.selected_from}`}>
            best so far, {metricName(best.metric)} {metric(best.value)}
          </span>
          {best.candidate !== null && `, candidate ${best.candidate}`}
        </span>
        <ArchitectureLine text={best.string} genome={found?.id} />
      </div>
    </>
  );
}
