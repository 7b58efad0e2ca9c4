/** Figures as a table on the page: the text twin of a picture. */
import { cellText, type Figures } from "./figures";
import { exact } from "./format";

/** More rows than this say nothing more to a reader; the saved file has them all. */
const MOST_ROWS = 400;

export function FigureTable({ figures: { title, head, rows }, heading = false, className = "" }: { figures: Figures; heading?: boolean; className?: string }) {
  return (
    <section className={className || undefined}>
      {heading && <h3>{title}</h3>}
      <div className="matrix-scroll" {...(heading ? {} : { tabIndex: 0, role: "group", "aria-label": `${title} in figures` })}>
        <table className="matrix figure-table">
          <caption className="visually-hidden">{title}</caption>
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
                {row.map((cell, place) => (place === 0 ? <th scope="row" key={place}>{cellText(cell)}</th> : <td key={place}>{cellText(cell)}</td>))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > MOST_ROWS && <p className="run-hint">and {exact(rows.length - MOST_ROWS)} more</p>}
    </section>
  );
}
