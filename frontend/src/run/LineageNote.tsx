/** Which searches a run goes on with, and who goes on with its own: one line under its name. */
import type { Run } from "../api/types";
import { Link } from "../app/router";
import { paths } from "../app/routes";
import { amountOf } from "../views/experimentText";
import { visitsOfSearch } from "./lineage";

export function LineageNote({ run }: { run: Run }) {
  const { continues, best_of, continued_by = [] } = run;
  const visits = visitsOfSearch(run);
  if (!continues && !best_of && continued_by.length === 0) return null;
  return (
    <div className="run-crumb">
      {continues && (
        <>
          goes on from {continues.run ? <Link to={paths.run(continues.run)}>a run</Link> : "a run that was deleted"} at {amountOf(continues.unit, continues.have)}
          {visits && `; ${visits}`}
        </>
      )}
      {best_of && (
        <>
          trains the best so far of <Link to={paths.run(best_of)}>a run</Link>
        </>
      )}
      {continued_by.map((id, place) => (
        <span key={id}>
          {(place > 0 || continues || best_of) && " · "}
          {place === 0 ? "gone on with by " : "and by "}
          <Link to={paths.run(id)}>{continued_by.length > 1 ? `run ${place + 1}` : "a longer run"}</Link>
        </span>
      ))}
    </div>
  );
}
