/** Which class is taken for which: a row for each true class, coloured by the share of its examples. */
import type { ConfusionTable } from "../../types/events.gen";
import { exact, plural, share } from "../../ui/format";

/** Share of a row's examples in a cell; 0 for a class without any. */
export const cellShare = (row: readonly number[], place: number): number => {
  const total = row.reduce((sum, count) => sum + count, 0);
  return total > 0 ? (row[place] ?? 0) / total : 0;
};

export function ConfusionHeat({ table }: { table: ConfusionTable }) {
  const { classes, counts } = table;
  return (
    <figure className="confusion">
      <figcaption>
        <strong>Which class is taken for which</strong>
        <span className="run-hint">
          Rows are the true classes, columns the answers; the colour is the share of the row. On the diagonal: right.
          {(table.left_out ?? 0) > 0 && ` ${plural(table.left_out ?? 0, "class", "classes")} with fewer mistakes left out.`}
        </span>
      </figcaption>
      <div className="confusion-scroll" tabIndex={0} role="region" aria-label="Confusion matrix">
        <table>
          <thead>
            <tr>
              <th scope="col">true \ answered</th>
              {classes.map((name, place) => (
                <th scope="col" key={place}>
                  <span>{name}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {counts.map((row, place) => (
              <tr key={place}>
                <th scope="row">{classes[place]}</th>
                {row.map((count, column) => {
                  const part = cellShare(row, column);
                  return (
                    <td
                      key={column}
                      title={`'${classes[place]}' answered as '${classes[column]}': ${exact(count)} (${share(part)} of the row)`}
                      className={place === column ? "confusion-right" : undefined}
                      style={{ ["--part" as string]: `${Math.round(100 * part)}%` }}
                    >
                      {count || ""}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}
