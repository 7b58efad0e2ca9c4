/** The architecture of a model, drawn. */
import { findGenomes } from "../../api/resources";
import type { Model } from "../../api/types";
import { useResource } from "../../api/useResource";
import { GenomeGraph } from "../../graph/GenomeGraph";
import { Failure, Skeleton } from "../../ui/States";

export function Architecture({ model }: { model: Model }) {
  const genome = useResource(`genome ${model.run} ${model.genome_hash}`, (signal) => findGenomes(model.run, model.genome_hash, signal));
  if (genome.error !== undefined) return <Failure what="The architecture did not load" error={genome.error} retry={genome.reload} />;
  if (!genome.data) return <Skeleton lines={6} label="Loading the architecture" />;
  const found = genome.data.results[0];
  if (!found) return <p className="muted">It is not among the candidates of its run: architecture.json in the download draws it.</p>;
  return (
    <div className="stack">
      <div className="model-drawing">
        <GenomeGraph drawings={found.drawings} wide />
      </div>
      <code className="model-string">{found.string}</code>
    </div>
  );
}
