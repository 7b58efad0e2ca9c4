/** One picture of a run, as its page shows it. */
import { useState } from "react";
import { paths } from "../app/routes";
import { viewsOf } from "../pictures/views";
import { useRunStore, useSelect, useTopic } from "../stream/useRun";
import { ButtonLink } from "../ui/Button";
import { Failure, Skeleton } from "../ui/States";
import "../run/run.css";

const PANELS = ["structure", "tried", "progress"] as const;

export function LivePicture({ runId, picture, title }: { runId: string; picture: string; title: string }) {
  const { store, error } = useRunStore(runId);
  useTopic(store, "run");
  const [candidate, setCandidate] = useState<number | null>(null);
  useSelect(store, ["run", "candidates", "structure", "growth", "metrics", "end"], (item) => PANELS.flatMap((panel) => viewsOf(item, panel).map((view) => view.key)).join(" "));
  const view = PANELS.flatMap((panel) => viewsOf(store, panel)).find((item) => item.picture.id === picture);
  if (error !== undefined) return <Failure what="The run could not be loaded" error={error} />;
  const { run } = store;
  if (!run) return <Skeleton label="Loading the run" lines={4} />;
  return (
    <figure className="atlas-live" aria-label={title}>
      <div className="atlas-picture">
        {view ? (
          view.picture.view({ run, store, part: view.part, pin: null, onPin: () => undefined, candidate, onCandidate: setCandidate })
        ) : (
          <p className="run-hint run-hint-center">This run has no such picture; its page has others.</p>
        )}
      </div>
      <figcaption>
        <span>
          {title}: {run.algorithm.title}, {run.datasets.join(" then ")}, seed {run.seed}
        </span>
        <ButtonLink small to={paths.runPicture(runId, picture)}>
          Open the run
        </ButtonLink>
      </figcaption>
    </figure>
  );
}
