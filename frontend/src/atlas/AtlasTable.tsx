/** A published table; beside it what the project measured once, and the asker's own finished runs. */
import type { AtlasColumn, AtlasEntry, AtlasEstimate, AtlasRow, AtlasRuns } from "../api/types";
import type { CSSProperties, ReactNode } from "react";
import { Link } from "../app/router";
import { paths } from "../app/routes";
import { plural } from "../ui/format";
import { isPrinted, oursText, printed, recomputedText, scaleText, tableTitle } from "./atlasText";
import { SearchLinks } from "./EntryLinks";

type Table = NonNullable<AtlasEntry["table"]>;

/** From which runs a line's cells are. */
type Side = "recorded" | "ours";

function Estimate({ row, estimate, runs }: { row: AtlasRow; estimate: AtlasEstimate | null; runs: AtlasRuns | null }) {
  if (estimate) {
    const { value, of } = oursText(row, estimate);
    return (
      <>
        <strong>{value}</strong>
        <span className="sub">{of}</span>
      </>
    );
  }
  return <span className="muted">{runs ? "not from these runs" : "not run yet"}</span>;
}

/** A line of quantities from runs, under the published one. */
function Line({ row, table, side, name, title }: { row: AtlasRow; table: Table; side: Side; name: string; title: string }) {
  const cells = new Map(row.cells.map((cell) => [cell.column, cell]));
  return (
    <tr className="atlas-ours">
      <th scope="row">
        <span className="visually-hidden">{name}, </span>
        {title}
      </th>
      {table.columns.map((column) => {
        const cell = cells.get(column.key);
        return (
          <td className="num" key={column.key}>
            {cell && <Estimate row={row} estimate={cell[side]} runs={column[side]} />}
          </td>
        );
      })}
    </tr>
  );
}

/** The lines of each quantity: what is published, what the project measured where it did, and yours. */
function Rows({ row, table }: { row: AtlasRow; table: Table }) {
  const cells = new Map(row.cells.map((cell) => [cell.column, cell]));
  const name = `${row.title}, ${row.unit}`;
  return (
    <>
      <tr>
        <th scope="row">
          {name}
          <span className="sub">{[isPrinted(row) ? "published" : "not published", row.group].filter(Boolean).join(", ")}</span>
        </th>
        {table.columns.map(({ key }) => {
          const cell = cells.get(key);
          const again = cell && recomputedText(row, cell);
          return (
            <td className="num" key={key}>
              {cell && cell.published !== null ? printed(row, cell.published) : "–"}
              {again && <span className="sub">{again}</span>}
            </td>
          );
        })}
      </tr>
      {table.columns.some((column) => column.recorded) && <Line row={row} table={table} side="recorded" name={name} title="measured here once" />}
      <Line row={row} table={table} side="ours" name={name} title="yours" />
    </>
  );
}

/** How far runs can be compared with what is published. */
function Comparable({ runs, whose, children }: { runs: AtlasRuns; whose: string; children: ReactNode }) {
  return (
    <>
      <p>
        {children}, on {runs.dataset_title}; {Object.entries(runs.runs).map(([group, count]) => `${plural(count, "run")} of ${group}`).join(", ")}.
        {runs.failed > 0 && ` ${plural(runs.failed, "network")} of the last generations failed and ${runs.failed === 1 ? "is" : "are"} in no mean.`}
      </p>
      {!runs.same_data && <p className="atlas-differs">Not the published data: {runs.notice || `${runs.dataset_title} stands in for it.`}</p>}
      {runs.same_data && runs.notice && <p className="atlas-differs">{runs.notice}</p>}
      <table className="table atlas-scale">
        <caption className="visually-hidden">How large the experiments were, published and {whose}</caption>
        <thead>
          <tr>
            <td />
            <th scope="col">published</th>
            <th scope="col">{whose}</th>
          </tr>
        </thead>
        <tbody>
          {runs.scale.map((scale) => {
            const { published, ours: own, differs } = scaleText(scale);
            return (
              <tr key={scale.title}>
                <th scope="row">{scale.title}</th>
                <td>{published}</td>
                <td className={differs ? "atlas-differs" : undefined}>
                  {own}
                  {differs && " (differs)"}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </>
  );
}

/** What stands beside the published cells of one data set. */
function Beside({ column }: { column: AtlasColumn }) {
  const { ours, recorded } = column;
  const setup = Object.entries(column.setup).map(([name, value]) => `${name} ${value}`);
  return (
    <section className="atlas-beside" aria-label={column.title}>
      <h3>{column.title}</h3>
      {setup.length > 0 && <p className="muted small">published: {setup.join(", ")}</p>}
      {recorded && (
        <Comparable runs={recorded} whose="measured here">
          Measured here once: {recorded.search.title}, {recorded.date}, {recorded.machine}
        </Comparable>
      )}
      {ours ? (
        <Comparable runs={ours} whose="yours">
          Yours: <Link to={paths.experiment(ours.experiment.id)}>{ours.experiment.name}</Link>
        </Comparable>
      ) : (
        <>
          <p>You have no finished runs of this on {column.title}.</p>
          {!column.available && <p className="muted small">Its files are not on this machine: see Data.</p>}
          <div className="row atlas-actions">
            <SearchLinks searches={column.searches} />
          </div>
        </>
      )}
    </section>
  );
}

export function AtlasTable({ entry, table }: { entry: AtlasEntry; table: Table }) {
  return (
    <>
      <div className="atlas-scroll" tabIndex={0} role="group" aria-label={`${entry.title}, in figures`}>
        <table className="table atlas-table" style={{ "--columns": table.columns.length } as CSSProperties}>
          <caption className="visually-hidden">
            {entry.title}: {tableTitle(table)}
          </caption>
          <thead>
            <tr>
              <td />
              {table.columns.map((column) => (
                <th scope="col" className="num" key={column.key}>
                  {column.title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((row) => (
              <Rows key={row.key} row={row} table={table} />
            ))}
          </tbody>
        </table>
      </div>
      <div className="atlas-columns">
        {table.columns.map((column) => (
          <Beside key={column.key} column={column} />
        ))}
      </div>
    </>
  );
}
