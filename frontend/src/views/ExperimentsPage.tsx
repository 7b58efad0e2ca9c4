import { getExperiments } from "../api/resources";
import { usePages } from "../api/usePages";
import { paths } from "../app/routes";
import { useTitle } from "../app/useTitle";
import { Button, ButtonLink } from "../ui/Button";
import { Panel } from "../ui/Panel";
import { Empty, Failure, Skeleton } from "../ui/States";
import { ExperimentTable } from "./ExperimentTable";

const load = (cursor: string | null, signal?: AbortSignal) => getExperiments(cursor, signal);

export function ExperimentsPage() {
  useTitle("Experiments");
  const pages = usePages("experiments", load, 5000);
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>Experiments</h1>
          <p>An experiment compares runs on the same data, in the same search space, under one budget where one is given.</p>
        </div>
        <div className="actions">
          <ButtonLink to={paths.architecture()}>Paste an architecture</ButtonLink>
          <ButtonLink to={paths.open}>Open a run</ButtonLink>
          <ButtonLink kind="primary" to={paths.newExperiment()}>
            New experiment
          </ButtonLink>
        </div>
      </div>
      <Panel flush>
        {pages.loading ? (
          <Skeleton lines={6} label="Loading experiments" />
        ) : pages.items.length === 0 && pages.error !== undefined ? (
          <Failure what="The experiments did not load" error={pages.error} retry={pages.reload} />
        ) : pages.items.length === 0 ? (
          <Empty
            title="No experiments yet"
            actions={
              <>
                <ButtonLink kind="primary" to={paths.home}>
                  See the ready-made search
                </ButtonLink>
                <ButtonLink to={paths.newExperiment()}>New experiment</ButtonLink>
                <ButtonLink to={paths.open}>Open a run</ButtonLink>
              </>
            }
          >
            The quickest start is a ready-made search on the first page: its card says how long it takes.
          </Empty>
        ) : (
          <>
            <ExperimentTable experiments={pages.items} />
            {pages.more && (
              <div className="table-more">
                <Button busy={pages.loadingMore} onClick={pages.loadMore}>
                  Older experiments
                </Button>
              </div>
            )}
          </>
        )}
      </Panel>
    </div>
  );
}
