/** What uses a data set: experiments with their runs. */
import { useCallback } from "react";
import { getDatasetUses } from "../../api/resources";
import { usePages } from "../../api/usePages";
import type { DatasetUse } from "../../api/types";
import { Link } from "../../app/router";
import { paths } from "../../app/routes";
import { Button } from "../../ui/Button";
import { Empty, Failure, Skeleton } from "../../ui/States";
import { ago, plural } from "../../ui/format";

export function Uses({ dataset }: { dataset: string }) {
  const load = useCallback(
    async (cursor: string | null, signal?: AbortSignal) => {
      const page = await getDatasetUses(dataset, cursor, signal);
      return { ...page, results: page.results.map((use) => ({ ...use, id: String(use.id) })) };
    },
    [dataset],
  );
  const uses = usePages<Omit<DatasetUse, "id"> & { id: string }>(`uses ${dataset}`, load);
  if (uses.loading) return <Skeleton lines={2} label="Loading what uses it" />;
  if (uses.error !== undefined && uses.items.length === 0) return <Failure what="What uses it did not load" error={uses.error} retry={uses.reload} />;
  if (uses.items.length === 0) return <Empty title="Nothing uses it yet">An experiment on it stands here, with its runs.</Empty>;
  return (
    <>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">Experiment</th>
            <th scope="col" className="num">
              Runs
            </th>
            <th scope="col" className="num">
              Begun
            </th>
          </tr>
        </thead>
        <tbody>
          {uses.items.map((use) => (
            <tr key={use.id}>
              <th scope="row">
                <Link to={paths.experiment(use.experiment)}>{use.name}</Link>
              </th>
              <td className="num">
                {plural(use.runs, "run")}
                {use.open_runs > 0 && <span className="sub">{use.open_runs} not ended</span>}
              </td>
              <td className="num">{ago(use.created)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {uses.more && (
        <div className="table-more">
          <Button busy={uses.loadingMore} onClick={uses.loadMore}>
            Older ones
          </Button>
        </div>
      )}
    </>
  );
}
