/** The reports of a run in the large panel. */
import { plotOf, pointsOf } from "../plots/chartData";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import { measured, type Figures } from "../ui/figures";
import { figureName } from "./ControlTable";
import { Reports } from "./Reports";

/** Each report's figures, then every point of its charts. */
export function reportFigures(store: RunStore): Figures[] {
  return store.reports.flatMap(({ data }) => [
    { title: data.title, head: ["figure", "value"], rows: Object.entries(data.values).map(([name, value]) => [figureName(name), measured(value)]) },
    ...data.charts.map((chart) => {
      const figures = pointsOf(plotOf(chart));
      return { ...figures, title: `${data.title}: ${figures.title}` };
    }),
  ]);
}

export function ReportsView({ store }: { store: RunStore }) {
  useTopic(store, "end");
  return (
    <div className="charts-view" tabIndex={0} role="group" aria-label="Reports">
      <Reports reports={store.reports.map((item) => item.data)} />
    </div>
  );
}
