/** Which curves a run has, out of its store: what the tabs of the progress panel are made of. */
import { movingAverage } from "../stream/candidates";
import type { RunStore, Series } from "../stream/store";
import { measured, whole, type Figures } from "../ui/figures";
import { metricName } from "../ui/format";
import { scoreKey } from "../ui/score";
import type { Curve } from "./Curves";
import { sourceTitle } from "../run/sources";
import { measureAxis } from "../run/valueNames";
import { lastAtMost } from "../stream/search";
import { RANKING, sorted, type TabRule } from "./metricTabs";

export interface CurveTab {
  id: string;
  title: string;
  curves: Curve[];
  /** What lies across. */
  xLabel: string;
  /** What goes up: measure, unit, and which way is better where one is. */
  yLabel: string;
  /** Names among which one may be chosen, where the tab has several; `name` is the chosen one, null = all of them. */
  names: string[];
  name: string | null;
}

const COLORS: Record<string, string> = {
  val_accuracy: "--accent",
  val_r2: "--accent",
  train_r2: "--op-sep-conv-5x5",
  val_loss: "--accent",
  train_accuracy: "--op-sep-conv-5x5",
  train_loss: "--op-sep-conv-5x5",
  entropy: "--accent",
  entropy_share: "--accent",
  population_mean: "--ink3",
  population_max: "--op-sep-conv-5x5",
  population_min: "--faint",
  reward: "--ink3",
  baseline: "--accent",
  structure_max: "--best",
  learning_rate: "--faint",
  best: "--best",
  mean: "--ink3",
  median_edges: "--op-sep-conv-3x3",
  median_nodes: "--op-dil-conv-3x3",
};

const NAMES: Record<string, string> = {
  val_accuracy: "validation",
  val_r2: "validation",
  train_r2: "training",
  val_loss: "validation",
  train_accuracy: "training",
  train_loss: "training",
  structure_max: "largest γ",
  entropy: "entropy (normalised)",
  entropy_share: "entropy (share of uniform)",
  population_mean: "mean alive",
  population_max: "best alive",
  population_min: "worst alive",
  queue_mean: "mean of the priority queue",
  unique: "unique among those alive",
  failed_share: "failed",
  coverage: "of the space tried",
  agreement: "probability of the parent's choices",
  best: "best",
  mean: "mean of the population",
  median_edges: "edges (median)",
  median_nodes: "nodes (median)",
};

export const MOVING_WINDOW = 10;
const SAMPLES = "samples processed";

/** A series up to a moment, over samples or over steps. */
function cut(series: Series, seq: number, over: "samples" | "steps"): { x: number[]; y: number[] } {
  const end = lastAtMost(series.seqs, seq) + 1;
  return end === series.seqs.length ? { x: series[over], y: series.values } : { x: series[over].slice(0, end), y: series.values.slice(0, end) };
}

/** Where the figures of a search come from: the search itself (trials are told to it), or a phase that trains. */
const ofTheSearch = (source: string): boolean => source === "run" || source.startsWith("phase:");

/** Best so far and moving average of a trial-based search over the samples charged; over trials where samples are not known. */
export function trialCurves(store: RunStore): { curves: Curve[]; xLabel: string } {
  const { candidates } = store;
  const told = candidates.told.slice(0, candidates.toldBefore(store.shown));
  // A formula costs no samples at all.
  const bySamples = (told.at(-1)?.samples ?? 0) > 0 && told.every((row) => Number.isFinite(row.samples));
  const x = told.map((row, index) => (bySamples ? row.samples : index + 1));
  const values = told.map((row) => row.value);
  return {
    xLabel: bySamples ? SAMPLES : "trials",
    curves: [
      { label: "trials", color: "--faint", x, y: values, dots: true },
      { label: `mean of ${MOVING_WINDOW}`, color: "--accent", x, y: movingAverage(values, MOVING_WINDOW) },
      { label: "best so far", color: "--best", x, y: told.map((row) => row.best), width: 2 },
    ],
  };
}

/** Which names a tab shows: the chosen one; without a choice all, but only the first where they are of different kinds. */
function shownNames(names: readonly string[], chosen: string | null, alone: boolean): { names: readonly string[]; name: string | null } {
  if (chosen !== null && names.includes(chosen)) return { names: [chosen], name: chosen };
  return alone && names[0] !== undefined ? { names: [names[0]], name: names[0] } : { names, name: null };
}

const NAME_COLORS = ["--accent", "--best", "--op-dil-conv-3x3", "--op-skip-connect", "--op-sep-conv-5x5", "--gold", "--path-first", "--ink3"];
const PHASE_COLORS = ["--accent", "--op-sep-conv-5x5", "--op-dil-conv-3x3", "--op-skip-connect"];

/** Colour and name of one phase's curve; controls are pale and dashed: they are for comparison only. */
function phaseLook(store: RunStore, source: string, phases: readonly string[], name: string, place: number, inNats: boolean): Pick<Curve, "label" | "color" | "dash"> {
  const own = inNats ? `${name} (nats)` : (NAMES[name] ?? metricName(name));
  const hue = COLORS[name] ?? NAME_COLORS[place % NAME_COLORS.length] ?? "--accent";
  if (phases.length < 2) return { label: own, color: hue };
  const number = Number(source.split(":")[1] ?? 0);
  const title = sourceTitle(store, source);
  const control = /^control/i.test(title);
  const label = title.replace(/^control: /i, "");
  if (phases.length < 3) return { label: `${own}, ${label}`, color: control ? "--ink3" : hue, ...(control ? { dash: [5, 4] } : {}) };
  return control ? { label, color: number % 2 === 0 ? "--ink3" : "--faint", dash: [5, 4] } : { label, color: PHASE_COLORS[phases.indexOf(source) % PHASE_COLORS.length] ?? "--accent" };
}

/** What stands at the y axis of a tab. The population's best and mean are of what the search ranks by. */
function axisOf(store: RunStore, rule: TabRule, names: readonly string[]): string {
  if (rule.id === RANKING) return measureAxis(store.run);
  return rule.axis ?? names.map((name) => NAMES[name] ?? metricName(name)).join(", ");
}

/** The tabs that have something to show at the shown moment; `chosen` is the one metric that the reader asked for. */
export function progressTabs(store: RunStore, chosen: string | null = null): CurveTab[] {
  const tabs: CurveTab[] = [];
  const trials = trialCurves(store);
  if (store.candidates.count > 0) tabs.push({ id: "trials", title: "Trials", curves: trials.curves, xLabel: trials.xLabel, yLabel: measureAxis(store.run), names: [], name: null });
  const phases = [...store.series.keys()].filter(ofTheSearch);
  const measured = new Set(phases.flatMap((source) => [...(store.series.get(source)?.keys() ?? [])]));
  for (const { rule, names } of sorted(measured)) {
    const shown = shownNames(names, chosen, rule.alone ?? false);
    // A table's trials and a formula cost no samples: then the steps lie across, which count trials in the search itself.
    const bySamples = phases.some((source) => names.some((name) => (store.series.get(source)?.get(name)?.samples.at(-1) ?? 0) > 0));
    const curves = phases.flatMap((source) => {
      // With many phases only what matters most of each: four phases with two curves each could not be told apart.
      const own = store.series.get(source);
      const wanted = shown.name === null && phases.length > 2 ? names.filter((name) => own?.has(name)).slice(0, 1) : shown.names;
      return wanted.flatMap((name): Curve[] => {
        const series = own?.get(name);
        if (!series) return [];
        const wide = name === "val_accuracy" || name === "val_r2" || name === "best" ? { width: 2.2 } : {};
        return [{ ...phaseLook(store, source, phases, name, names.indexOf(name), name === "entropy" && rule.id === "nats"), ...cut(series, store.shown, bySamples ? "samples" : "steps"), ...wide }];
      });
    });
    if (curves.length > 0) tabs.push({ id: rule.id, title: rule.title, curves, xLabel: bySamples ? SAMPLES : phases.includes("run") ? "trials" : "steps", yLabel: axisOf(store, rule, shown.names), names: rule.alone || names.length > 2 ? names : [], name: shown.name });
  }
  const finalKeys = new Set<string>();
  const finals = store.finalists.flatMap((finalist, place): Curve[] => {
    const own = store.series.get(`final:${finalist.index}`);
    const key = own && scoreKey(Object.fromEntries([...own.keys()].map((name) => [name, 0])), "val");
    const series = own?.get(key ?? "");
    if (!series || key == null) return [];
    finalKeys.add(key);
    const first = finalist.role === "finalist";
    return [{ label: finalist.title || (first ? "best architecture" : "baseline"), color: first && place === 0 ? "--accent" : first ? "--op-sep-conv-5x5" : "--ink3", ...cut(series, store.shown, "samples") }];
  });
  if (finals.length > 0) tabs.push({ id: "retraining", title: "Final", curves: finals, xLabel: SAMPLES, yLabel: sorted(finalKeys).map(({ rule, names }) => axisOf(store, rule, names)).join("; "), names: [], name: null });
  return tabs.map((tab) => ({ ...tab, curves: distinct(tab.curves) }));
}

const DASHES: readonly (readonly number[])[] = [[], [5, 4], [2, 3], [9, 3, 2, 3], [14, 4]];

/** The curves of one legend with no two drawn alike: a second one of a colour is dashed, a third otherwise dashed, and so on. */
export function distinct(curves: readonly Curve[]): Curve[] {
  const taken = new Set<string>();
  const names = new Set<string>();
  return curves.map((curve) => {
    const wanted = curve.dash ?? [];
    const styles = [curve.color, ...NAME_COLORS].flatMap((color) => [wanted, ...DASHES].map((dash) => ({ color, dash, key: `${color} ${dash.join(" ")} ${curve.dots ? "dots" : ""}` })));
    const style = styles.find(({ key }) => !taken.has(key)) ?? { color: curve.color, dash: wanted, key: "" };
    taken.add(style.key);
    let label = curve.label;
    for (let number = 2; names.has(label); number++) label = `${curve.label} (${number})`;
    names.add(label);
    const { dash: _, ...rest } = curve;
    return { ...rest, label, color: style.color, ...(style.dash.length > 0 ? { dash: [...style.dash] } : {}) };
  });
}

/** Every point of every curve. */
export function curveFigures(store: RunStore): Figures[] {
  return progressTabs(store, null).map(({ title, xLabel, yLabel, curves }) => ({
    title, head: ["curve", xLabel, yLabel],
    rows: curves.flatMap(({ label, x, y }) => x.map((at, index) => [label, whole(at), measured(y[index])])),
  }));
}
