/** What a run says at the end of something in charts and figures: redundancy and robustness of a network, a control, a comparison. */
import { plotOf } from "../plots/chartData";
import { PlotGrid } from "../plots/PlotCard";
import type { Report } from "../types/events.gen";
import { figureName, figureText } from "./ControlTable";

function OneReport({ report }: { report: Report }) {
  const values = Object.entries(report.values);
  return (
    <section className="report" aria-label={report.title}>
      <h5>{report.title}</h5>
      {report.message && <p className="run-hint">{report.message}</p>}
      {values.length > 0 && (
        <table className="four-numbers">
          <tbody>
            {values.map(([name, value]) => (
              <tr key={name}>
                <th scope="row">{figureName(name)}</th>
                <td>{figureText(name, value)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {report.charts.length > 0 && <PlotGrid plots={report.charts.map(plotOf)} />}
    </section>
  );
}

export function Reports({ reports }: { reports: readonly Report[] }) {
  if (reports.length === 0) return null;
  return (
    <section className="controls" aria-label="Reports">
      <h4>In detail</h4>
      {reports.map((report, index) => (
        <OneReport key={`${report.name} ${index}`} report={report} />
      ))}
    </section>
  );
}
