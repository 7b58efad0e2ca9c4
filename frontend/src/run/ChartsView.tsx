/** The charts that a search draws of itself, as they stood at the shown moment: all small, or one large with its figures. */
import { useQueryState } from "../app/router";
import { plotOf, pointsOf } from "../plots/chartData";
import { PlotCard, PlotLarge } from "../plots/PlotCard";
import type { Figures } from "../ui/figures";
import type { RunStore } from "../stream/store";
import { useCalm, useTopic } from "../stream/useRun";
import { sourceTitle } from "./sources";

/** Every point of every chart. */
export function chartFigures(store: RunStore): Figures[] {
  return store.pictures.latest("charts", store.shown).flatMap(({ source, data }) =>
    data.charts.map((chart) => {
      const figures = pointsOf(plotOf(chart));
      return { ...figures, title: `${sourceTitle(store, source)}: ${figures.title}` };
    }),
  );
}

export function ChartsView({ store }: { store: RunStore }) {
  useCalm(useTopic(store, "structure"), 120);
  const [chosen, setChosen] = useQueryState("chart");
  const parts = store.pictures.latest("charts", store.shown);
  const all = parts.flatMap(({ source, data }) => data.charts.map((chart) => ({ key: `${source}/${chart.name}`, chart })));
  const [only] = all;
  if (!only) return <p className="run-hint run-hint-center">No chart was drawn before this moment.</p>;
  const large = all.length === 1 ? only : all.find((item) => item.key === chosen);
  if (large) {
    return (
      <div className="panel-fill">
        <PlotLarge plot={plotOf(large.chart)} onBack={all.length > 1 ? () => setChosen(null) : undefined} />
      </div>
    );
  }
  return (
    <div className="charts-view" tabIndex={0} role="group" aria-label="Charts">
      {parts.map(({ source, data }) => (
        <section key={source} aria-label={sourceTitle(store, source)}>
          {parts.length > 1 && <h3>{sourceTitle(store, source)}</h3>}
          <div className="plot-grid">
            {data.charts.map((chart) => (
              <PlotCard key={chart.name} plot={plotOf(chart)} onLarge={() => setChosen(`${source}/${chart.name}`)} />
            ))}
          </div>
        </section>
      ))}
    </div>
  );
}
