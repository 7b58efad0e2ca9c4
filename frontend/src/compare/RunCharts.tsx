/** A chart that several runs have: all in one plane, or side by side; where settings were varied against each other, as a grid. */
import { useMemo, useState } from "react";
import type { Run } from "../api/types";
import { useQueryState } from "../app/router";
import { plotOf, spansOf, type Plot, type Spans } from "../plots/chartData";
import { PlotCard, PlotDialog, PlotLarge } from "../plots/PlotCard";
import { PlotLegend } from "../plots/PlotFigure";
import { metricName, plural } from "../ui/format";
import { Panel } from "../ui/Panel";
import { Segmented } from "../ui/Segmented";
import { differences, fullGrid, gridBy, labelOf, type Factor } from "./differences";
import { LastGenerations } from "./LastGenerations";
import { alone, MOST_SERIES, overlay, seriesNames, sharedCharts, type ChartsByName, type LabelledPlot } from "./runCharts";
import { useRunCharts } from "./useRunCharts";
import "../run/run.css";
import "./compare.css";

const EVERYTHING = "*";

function Choice({ label, value, options, onChange }: { label: string; value: string; options: { value: string; text: string }[]; onChange: (value: string) => void }) {
  return (
    <label className="compare-choice">
      {label}
      <select className="time-speed" value={value} onChange={(event) => onChange(event.target.value)}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Rows and columns of small charts with their headings. */
function GridOfPlots({ parts, factors, column, spans, onLarge }: { parts: Part[]; factors: Factor[]; column: string; spans: Spans | null; onLarge: (plot: Plot) => void }) {
  const grid = gridBy(factors, column, parts.length);
  if (!grid) return null;
  const seeds = factors.filter((factor) => factor.name === "seed");
  return (
    <div className="compare-scroll" tabIndex={0} role="group" aria-label="Charts by rows and columns">
      <table className="compare-grid">
        <thead>
          <tr>
            <td />
            {grid.columns.map((text) => (
              <th scope="col" key={text}>
                {text}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {grid.rows.map((text, row) => (
            <tr key={text}>
              <th scope="row">{text}</th>
              {grid.columns.map((heading, place) => {
                const runs = grid.cells[row]?.[place] ?? [];
                const plot = runs.length === 1 ? parts[runs[0] ?? 0]?.plot : overlay(runs.flatMap((run): LabelledPlot[] => (parts[run] ? [{ ...parts[run], label: labelOf(seeds, run) }] : [])), null);
                return (
                  <td key={heading}>
                    {plot ? (
                      <PlotCard heading={false} plot={{ ...plot, title: [text, heading].filter(Boolean).join(", ") }} spans={spans} onLarge={() => onLarge({ ...plot, title: `${plot.title}: ${[text, heading].filter(Boolean).join(", ")}` })} />
                    ) : (
                      <span className="faint">no run</span>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface Part extends LabelledPlot {
  run: Run;
}

/** What the runs of an experiment say of themselves, side by side: their last generations, and their charts. */
export function RunCharts({ experiment, runs }: { experiment: string; runs: readonly Run[] }) {
  const { said, charts } = useRunCharts(experiment, runs);
  return (
    <>
      <LastGenerations runs={runs} said={said} />
      <SharedCharts runs={runs} charts={charts} />
    </>
  );
}

function SharedCharts({ runs, charts }: { runs: readonly Run[]; charts: ReadonlyMap<string, ChartsByName> }) {
  const [wanted, setWanted] = useQueryState("chart");
  const [lay, setLay] = useQueryState("lay");
  const [column, setColumn] = useQueryState("columns");
  const [seriesWanted, setSeries] = useQueryState("series");
  const [large, setLarge] = useState<Plot | null>(null);
  const shared = useMemo(() => sharedCharts(runs.map((run) => charts.get(run.id) ?? null)), [runs, charts]);
  const chosen = shared.find((item) => item.name === wanted) ?? shared[0];
  const own = useMemo(() => chosen?.runs.flatMap((place) => runs[place] ?? []) ?? [], [chosen, runs]);
  const factors = useMemo(() => differences(own), [own]);
  const whole = useMemo(
    () =>
      own.flatMap((run, hue): Part[] => {
        const chart = charts.get(run.id)?.get(chosen?.name ?? "");
        return chart ? [{ run, hue, label: labelOf(factors, hue), plot: plotOf(chart) }] : [];
      }),
    [own, charts, chosen, factors],
  );
  const names = useMemo(() => seriesNames(whole.map((part) => part.plot)), [whole]);
  const total = whole.reduce((sum, part) => sum + part.plot.series.length, 0);
  const only = seriesWanted === EVERYTHING ? null : seriesWanted !== null && names.includes(seriesWanted) ? seriesWanted : total > MOST_SERIES && names.length > 1 ? (names[0] ?? null) : null;
  const parts = useMemo(
    () =>
      whole.map((part) => {
        const chart = charts.get(part.run.id)?.get(chosen?.name ?? "");
        return chart ? { ...part, plot: alone(chart, only) } : part;
      }),
    [whole, charts, chosen, only],
  );
  const together = useMemo(() => overlay(parts, only), [parts, only]);
  const spans = useMemo(() => (parts.length > 0 ? spansOf(parts.map((part) => part.plot)) : null), [parts]);
  if (!chosen || !together) return null;

  const auto = fullGrid(factors, own.length);
  const across = column === EVERYTHING ? null : (factors.find((factor) => factor.name === column)?.name ?? auto);
  const view = lay === "over" || lay === "side" ? lay : auto !== null || parts.length > 12 ? "side" : "over";
  return (
    <Panel title="Charts of the runs" note={`${plural(own.length, "run")} ${own.length === 1 ? "has" : "have"} this chart`}>
      <div className="compare-tools">
        <Choice label="Chart" value={chosen.name} options={shared.map((item) => ({ value: item.name, text: item.title }))} onChange={setWanted} />
        {names.length > 1 && (
          <Choice label="Series" value={only ?? EVERYTHING} options={[{ value: EVERYTHING, text: "all" }, ...names.map((name) => ({ value: name, text: name }))]} onChange={setSeries} />
        )}
        {own.length > 1 && (
          <Segmented
            label="Lay out"
            options={[
              { value: "over", label: "One plane" },
              { value: "side", label: "Side by side" },
            ]}
            value={view}
            onChange={setLay}
          />
        )}
        {view === "side" && factors.length > 0 && (
          <Choice
            label="Columns"
            value={across ?? EVERYTHING}
            options={[{ value: EVERYTHING, text: "as they come" }, ...factors.map((factor) => ({ value: factor.name, text: metricName(factor.name) }))]}
            onChange={setColumn}
          />
        )}
      </div>
      {view === "over" ? (
        <div className="compare-over">
          <PlotLarge plot={together} />
        </div>
      ) : across !== null ? (
        <GridOfPlots parts={parts} factors={factors} column={across} spans={spans} onLarge={setLarge} />
      ) : (
        <div className="plot-grid">
          {parts.map(({ run, label, plot }) => (
            <PlotCard key={run.id} plot={{ ...plot, title: label || run.algorithm.title }} spans={spans} onLarge={() => setLarge({ ...plot, title: `${plot.title}: ${label}` })} />
          ))}
        </div>
      )}
      {view === "side" && across !== null && parts[0] && <PlotLegend plot={parts[0].plot} />}
      {view === "side" && together.note && <p className="plot-note">{together.note}</p>}
      {large && <PlotDialog plot={large} onClose={() => setLarge(null)} />}
    </Panel>
  );
}
