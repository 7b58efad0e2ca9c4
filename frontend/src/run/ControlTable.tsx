/** Controls of a search: what it is compared with from the inside. They changed nothing of what was found. */
import type { ControlScored } from "../types/events.gen";
import { metricName } from "../ui/format";
import { valueText } from "./ValueRow";

export function ControlTable({ controls }: { controls: readonly ControlScored[] }) {
  return (
    <section className="card" aria-label="Controls">
      <h3>
        Controls <span>for comparison, never finalists</span>
      </h3>
      <table className="four-numbers control-table">
        <caption className="visually-hidden">Controls</caption>
        <tbody>
          {controls.map((control, index) => (
            <tr key={index}>
              <th scope="row">
                {control.title}
                <span>{control.message}</span>
                {Object.keys(control.values).length > 0 && (
                  <span className="control-values">
                    {Object.entries(control.values).map(([name, value]) => (
                      <span key={name}>
                        {metricName(name)} <b>{valueText(name, value)}</b>
                      </span>
                    ))}
                  </span>
                )}
              </th>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
