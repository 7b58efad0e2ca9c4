/** The charts of several runs: which they have in common, and how they are laid over each other. */
import { newest } from "../api/snapshot";
import type { Snapshot } from "../api/types";
import { plotOf, type Plot } from "../plots/chartData";
import type { Chart } from "../types/events.gen";

/** Of one run, by name. The same name from a later phase (a control) gets the phase's title behind it. */
export type ChartsByName = ReadonlyMap<string, Chart>;

export function chartsOf(snapshot: Snapshot): ChartsByName {
  const found = new Map<string, Chart>();
  const add = (chart: Chart, source: string) => {
    if (!found.has(chart.name)) found.set(chart.name, chart);
    else found.set(`${chart.name} (${sourceName(snapshot, source)})`, chart);
  };
  const frames = newest(snapshot, "charts").sort((a, b) => a.source.localeCompare(b.source));
  for (const { data, source } of frames) for (const chart of data.charts) add(chart, source);
  for (const { data } of snapshot.reports) for (const chart of data.charts) add(chart, data.title);
  return found;
}

function sourceName(snapshot: Snapshot, source: string): string {
  const phase = snapshot.phases.find((item) => `phase:${item.data.phase}` === source);
  return phase?.data.title ?? source;
}

export interface SharedChart {
  name: string;
  title: string;
  /** Places of the runs that have it. */
  runs: number[];
}

/** Charts by how many runs have them; `runs` has null where a run's charts are not known (yet). */
export function sharedCharts(runs: readonly (ChartsByName | null)[]): SharedChart[] {
  const found = new Map<string, SharedChart>();
  runs.forEach((charts, run) => {
    for (const [name, chart] of charts ?? []) {
      const suffix = name.slice(chart.name.length);
      const entry = found.get(name) ?? { name, title: chart.title + suffix, runs: [] };
      entry.runs.push(run);
      found.set(name, entry);
    }
  });
  return [...found.values()].sort((a, b) => b.runs.length - a.runs.length);
}

/** Names of the series that the charts have, each once. */
export function seriesNames(plots: readonly Plot[]): string[] {
  return [...new Set(plots.flatMap((plot) => plot.series.map((series) => series.name)))];
}

export interface LabelledPlot {
  label: string;
  /** Number of the run's colour and shape. */
  hue: number;
  plot: Plot;
}

/** More series than this, and only the first name of each run is shown until the reader asks for others. */
export const MOST_SERIES = 12;

/**
 * All runs in one plane: coloured by run, named by what sets the run apart. `only` shows the series of that name alone; null all of them.
 */
export function overlay(parts: readonly LabelledPlot[], only: string | null): Plot | null {
  const [first] = parts;
  if (!first) return null;
  const several = only === null && parts.some(({ plot }) => plot.series.length > 1);
  const categories = parts.reduce<readonly string[]>((longest, { plot }) => (plot.categories.length > longest.length ? plot.categories : longest), []);
  // A colour is a run's; what one run says several times differs in dashes and shapes.
  const names = only === null ? seriesNames(parts.map(({ plot }) => plot)) : [only];
  const marks = new Map(parts.flatMap(({ plot }) => plot.marks.map((mark) => [`${mark.axis} ${mark.value} ${mark.title}`, mark] as const)));
  return {
    ...first.plot,
    categories,
    marks: [...marks.values()],
    series: parts.flatMap(({ label, hue, plot }) =>
      plot.series
        .filter((series) => only === null || series.name === only)
        .map((series) => ({ ...series, hue, variant: names.indexOf(series.name), name: several ? `${label}: ${series.name}` : label || series.name })),
    ),
  };
}

/** The plot of a chart as one run drew it, its series alone where only one name is wanted. */
export function alone(chart: Chart, only: string | null): Plot {
  const plot = plotOf(chart);
  if (only === null || !plot.series.some((series) => series.name === only)) return plot;
  return { ...plot, series: plot.series.filter((series) => series.name === only) };
}
