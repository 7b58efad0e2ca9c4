/** Chooses an edge of a run for the triangle and says in figures what is drawn there. */
import { useId } from "react";
import { newest } from "../api/snapshot";
import type { Run } from "../api/types";
import { Link } from "../app/router";
import { paths } from "../app/routes";
import { operationVariable, shortName } from "../graph/palette";
import { Button, ButtonLink } from "../ui/Button";
import { exact, plural } from "../ui/format";
import { StateChip } from "../ui/StateChip";
import { Empty, Failure, Skeleton } from "../ui/States";
import { ENDED, type EdgeChoice, type LiveEdge } from "./liveEdge";
import type { LiveEdgeState } from "./useLiveEdge";
import "../structures/structures.css";

const runName = (run: Run) => `${run.algorithm.title}, seed ${run.seed} · ${run.experiment.name}${run.state === "completed" ? "" : ` (${run.state})`}`;

function Figures({ live, edge }: { live: LiveEdge; edge: EdgeChoice }) {
  return (
    <div className="explore-scroll" tabIndex={0} role="group" aria-label="Weights of the edge in figures">
      <table className="table explore-facts">
        <caption className="visually-hidden">
          Weights of the edge {edge.label} at step {live.step}
        </caption>
        <thead>
          <tr>
            <th scope="col">operation</th>
            <th scope="col" className="num">
              mean
            </th>
            <th scope="col" className="num">
              mean of draws
            </th>
            <th scope="col" className="num">
              strongest in
            </th>
          </tr>
        </thead>
        <tbody>
          {live.rows.map((row) => (
            <tr key={row.place}>
              <th scope="row">
                <i className="swatch-dot" style={{ background: operationVariable(row.name, row.place) }} /> {shortName(row.name)}
              </th>
              <td className="num">{row.mean.toFixed(3)}</td>
              <td className="num">{row.drawn === null ? "–" : row.drawn.toFixed(3)}</td>
              <td className="num">{row.strongest === null ? "–" : `${(100 * row.strongest).toFixed(0)} %`}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function words(live: LiveEdge): string {
  const lost = live.drawn - live.draws.length;
  const cloud = live.drawn > 0 ? `${plural(live.drawn, "draw")}${lost > 0 ? `, ${lost} of them with nothing for these three` : ""}` : "no draws: its weights are one point";
  const held = live.held < 0.995 ? `; the three corners hold ${(100 * live.held).toFixed(0)} % of the weight` : "";
  return `Step ${exact(live.step)}: ${cloud}${held}.`;
}

/** What stands in the place of the figures while there are none. */
function Missing({ state }: { state: LiveEdgeState }) {
  const { run, snapshot, edges } = state;
  if (run === null) return <p className="muted">Choose a run: the mean and the draws of one of its edges then lie on the triangle, again every few seconds while it works.</p>;
  if (snapshot.loading) return <Skeleton lines={3} label="Loading the run" />;
  if (!snapshot.data) return <Failure error={snapshot.error} what="The run could not be loaded" retry={snapshot.reload} />;
  const waits = !ENDED.has(snapshot.data.run.state);
  if (newest(snapshot.data, "structure").length === 0) {
    return (
      <Empty title={waits ? "No weights yet" : "No weights on edges"}>
        {waits ? "They appear here as soon as the search says them." : "This search did not weigh the operations of edges against each other: choose a run of DARTS, Gumbel-Softmax, Dirichlet or another search with structure weights."}
      </Empty>
    );
  }
  if (edges.length === 0) return <Empty title="Not enough operations">The triangle needs an edge with three operations or more; this run has none.</Empty>;
  return <Empty title="No weight on this edge">All operations of this edge weigh nothing at this step.</Empty>;
}

export function LiveEdgePanel({ state, onTake }: { state: LiveEdgeState; onTake: (live: LiveEdge) => void }) {
  const id = useId();
  const { runs, choices, run, setRun, snapshot, edges, edge, setEdge, live } = state;
  const groups = [...new Set(edges.map((item) => item.group))];
  if (runs.loading && run === null) return <Skeleton lines={2} label="Loading the runs" />;
  if (runs.error && choices.length === 0 && run === null) return <Failure error={runs.error} what="The runs could not be loaded" retry={runs.reload} />;
  if (choices.length === 0 && run === null && !runs.more) {
    return (
      <Empty title="No run to show" actions={<ButtonLink to={paths.newExperiment()}>New experiment</ButtonLink>}>
        As soon as a search has said something, its edges can be laid on the triangle.
      </Empty>
    );
  }
  return (
    <div className="stack">
      <div className="explore-choices">
        <label htmlFor={`${id}run`}>
          Run
          <select id={`${id}run`} className="select" value={run ?? ""} onChange={(event) => setRun(event.target.value || null)}>
            <option value="">none</option>
            {run !== null && !choices.some((item) => item.id === run) && <option value={run}>{run}</option>}
            {choices.map((item) => (
              <option key={item.id} value={item.id}>
                {runName(item)}
              </option>
            ))}
          </select>
        </label>
        <label htmlFor={`${id}edge`}>
          Edge
          <select id={`${id}edge`} className="select" value={edge?.key ?? ""} disabled={edges.length === 0} onChange={(event) => setEdge(event.target.value)}>
            {edges.length === 0 && <option value="">–</option>}
            {groups.map((group) => (
              <optgroup key={group.name} label={group.title}>
                {edges.filter((item) => item.group === group).map((item) => (
                  <option key={item.key} value={item.key}>
                    {item.label}
                  </option>
                ))}
              </optgroup>
            ))}
          </select>
        </label>
        {runs.more && (
          <Button onClick={runs.loadMore} disabled={runs.loadingMore}>
            Older runs
          </Button>
        )}
      </div>
      {live && edge && snapshot.data ? (
        <>
          <p className="explore-live-says">
            <StateChip state={snapshot.data.run.state} reason={snapshot.data.run.reason} />
            <span>{words(live)}</span>
            <Link to={paths.run(snapshot.data.run.id)}>Open the run</Link>
          </p>
          {snapshot.error !== undefined && <p className="muted" role="status">The last update failed; these are the figures before it.</p>}
          <p className="explore-key">
            <i className="swatch-dot" style={{ background: "var(--accent)" }} /> mean
            {live.drawn > 0 && (
              <>
                <i className="swatch-dot" style={{ background: "var(--best)" }} /> draws
              </>
            )}
            <Button onClick={() => onTake(live)}>Set the sliders to its mean</Button>
          </p>
          <Figures live={live} edge={edge} />
        </>
      ) : (
        <Missing state={state} />
      )}
    </div>
  );
}
