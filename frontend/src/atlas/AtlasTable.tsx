/** A published table with the asker's own finished runs beside it. */
import type { AtlasColumn, AtlasEntry, AtlasRow } from "../api/types";
import { Link } from "../app/router";
import { paths } from "../app/routes";
import { plural } from "../ui/format";
import { oursText, printed, recomputedText, scaleText } from "./atlasText";
import { SearchLinks } from "./EntryLinks";

type Table = NonNullable<AtlasEntry["table"]>;

function Ours({ row, column, cell }: { row: AtlasRow; column: AtlasColumn; cell: AtlasRow["cells"][number] }) {
  if (cell.ours) {
    const { value, of } = oursText(row, cell.ours);
    return (
      <>
        <strong>{value}</strong>
        <span className="sub">{of}</span>
      </>
    );
  }
  return <span className="muted">{column.ours ? "not from these runs" : "not run yet"}</span>;
}

/** Two lines for each quantity: what is published, and ours. */
function Rows({ row, table }: { row: AtlasRow; table: Table }) {
  const cells = new Map(row.cells.map((cell) => [cell.column, cell]));
  const name = `${row.title}, ${row.unit}`;
  return (
    <>
      <tr>
        <th scope="row">
          {name}
          <span className="sub">published{row.group && `, ${row.group}`}</span>
        </th>
        {table.columns.map(({ key }) => {
          const cell = cells.get(key);
          const again = cell && recomputedText(row, cell);
          return (
            <td className="num" key={key}>
              {cell ? printed(row, cell.published) : "–"}
              {again && <span className="sub">{again}</span>}
            </td>
          );
        })}
      </tr>
      <tr className="atlas-ours">
        <th scope="row">
          <span className="visually-hidden">{name}, </span>yours
        </th>
        {table.columns.map((column) => {
          const cell = cells.get(column.key);
          return (
            <td className="num" key={column.key}>
              {cell && <Ours row={row} column={column} cell={cell} />}
            </td>
          );
        })}
      </tr>
    </>
  );
}

/** How far the two can be compared, for one data set. */
function Beside({ column }: { column: AtlasColumn }) {
  const { ours } = column;
  const setup = Object.entries(column.setup).map(([name, value]) => `${name} ${value}`);
  return (
    <section className="atlas-beside" aria-label={column.title}>
      <h3>{column.title}</h3>
      {setup.length > 0 && <p className="muted small">published: {setup.join(", ")}</p>}
      {ours ? (
        <>
          <p>
            Yours: <Link to={paths.experiment(ours.experiment.id)}>{ours.experiment.name}</Link>, on {ours.dataset_title};{" "}
            {Object.entries(ours.runs).map(([group, count]) => `${plural(count, "run")} of ${group}`).join(", ")}.
            {ours.failed > 0 && ` ${plural(ours.failed, "network")} of the last generations failed and ${ours.failed === 1 ? "is" : "are"} in no mean.`}
          </p>
          {!ours.same_data && <p className="atlas-differs">Not the published data: {ours.notice || `${ours.dataset_title} stands in for it.`}</p>}
          {ours.same_data && ours.notice && <p className="atlas-differs">{ours.notice}</p>}
          <table className="table atlas-scale">
            <caption className="visually-hidden">How large the experiments on {column.title} were</caption>
            <thead>
              <tr>
                <td />
                <th scope="col">published</th>
                <th scope="col">yours</th>
              </tr>
            </thead>
            <tbody>
              {ours.scale.map((scale) => {
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
        <table className="table atlas-table">
          <caption className="visually-hidden">{entry.title}: published values, and yours</caption>
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
