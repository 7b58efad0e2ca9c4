/** Every metric of the task: the network's beside those of simple models, the best of each row marked. */
import type { JudgedFigure, JudgedModel } from "../../types/events.gen";
import { DASH, metric } from "../../ui/format";

/** Places of the models whose value is the best of a metric; none where fewer than two have one. */
export function bestOf(figures: readonly (JudgedFigure | undefined)[]): number[] {
  const there = figures.flatMap((figure, place) => (figure?.value == null ? [] : [{ place, value: figure.direction === "minimise" ? -figure.value : figure.value }]));
  if (there.length < 2) return [];
  const best = Math.max(...there.map((item) => item.value));
  return there.filter((item) => item.value === best).map((item) => item.place);
}

export function MetricTable({ models }: { models: readonly JudgedModel[] }) {
  const rows = models[0]?.figures ?? [];
  const absent = rows.filter((figure) => figure.value === null && figure.reason);
  return (
    <div className="metric-table">
      <table className="table">
        <caption>Beside simple models on the same data; the best of each row is marked</caption>
        <thead>
          <tr>
            {models.map((model) => (
              <th scope="col" className="num" key={model.name} title={model.note || undefined}>
                {model.title}
              </th>
            ))}
          </tr>
        </thead>
        {rows.map((row) => {
          const figures = models.map((model) => model.figures.find((figure) => figure.metric === row.metric));
          const best = bestOf(figures);
          return (
            <tbody key={row.metric}>
              <tr>
                <th scope="rowgroup" colSpan={models.length}>
                  {row.name}{" "}
                  <span>
                    {row.unit}, {row.direction === "minimise" ? "lower is better" : "higher is better"}
                  </span>
                </th>
              </tr>
              <tr>
                {figures.map((figure, place) => (
                  <td className={`num${best.includes(place) ? " metric-best" : ""}`} key={models[place]?.name} title={figure?.reason || undefined}>
                    {figure?.value == null ? DASH : metric(figure.value)}
                  </td>
                ))}
              </tr>
            </tbody>
          );
        })}
      </table>
      {absent.map((figure) => (
        <p className="run-hint" key={figure.metric}>
          No {figure.name}: {figure.reason}.
        </p>
      ))}
      {models.slice(1).map((model) => (
        <p className="run-hint" key={model.name}>
          {model.title}: {model.note}.
        </p>
      ))}
    </div>
  );
}
