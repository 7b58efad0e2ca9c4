/** A chart in figures: its text twin. */
import { useMemo } from "react";
import { exact } from "../ui/format";
import { tableOf, type Plot } from "./chartData";

/** More rows than this say nothing more. */
const MOST_ROWS = 300;

export function PlotTable({ plot }: { plot: Plot }) {
  const { head, rows } = useMemo(() => tableOf(plot), [plot]);
  return (
    <div className="matrix-scroll plot-table" tabIndex={0} role="group" aria-label={`${plot.title} in figures`}>
      <table className="matrix figure-table">
        <caption className="visually-hidden">{plot.title}</caption>
        <thead>
          <tr>
            {head.map((name, place) => (
              <th scope="col" key={place}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MOST_ROWS).map((row, index) => (
            <tr key={index}>
              {row.map((text, place) => (place === 0 ? <th scope="row" key={place}>{text}</th> : <td key={place}>{text}</td>))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MOST_ROWS && <p className="run-hint">and {exact(rows.length - MOST_ROWS)} more</p>}
    </div>
  );
}
