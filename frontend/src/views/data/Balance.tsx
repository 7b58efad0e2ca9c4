/** How often each class, or each range of a target, stands in each part: figures with a bar behind them. */
import { exact } from "../../ui/format";

export interface BalanceProps {
  /** What the parts are called, in the order of the counts. */
  parts: readonly string[];
  rows: readonly { name: string; counts: readonly number[] }[];
  /** "Class", or the target's name. */
  head: string;
}

const MOST = 40;

export function Balance({ parts, rows, head }: BalanceProps) {
  const largest = Math.max(1, ...rows.flatMap((row) => row.counts));
  return (
    <div className="panel-flush">
      <table className="table balance">
        <caption className="visually-hidden">Examples of each {head.toLowerCase()}</caption>
        <thead>
          <tr>
            <th scope="col">{head}</th>
            {parts.map((part) => (
              <th scope="col" className="num" key={part}>
                {part}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MOST).map((row) => (
            <tr key={row.name}>
              <th scope="row">{row.name}</th>
              {row.counts.map((count, place) => (
                <td className="num" key={place}>
                  <i className="balance-bar" style={{ width: `calc(${count / largest} * (100% - 8px))` }} aria-hidden="true" />
                  <span>{exact(count)}</span>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MOST && <p className="muted small">and {exact(rows.length - MOST)} more</p>}
    </div>
  );
}
