/** Which curves a run has, out of its store: what the tabs of the progress panel are made of. */
import { movingAverage } from "../stream/candidates";
import type { RunStore, Series } from "../stream/store";
import type { Curve } from "./Curves";

export interface CurveTab {
  id: string;
  title: string;
  curves: Curve[];
}

const COLORS: Record<string, string> = {
  val_accuracy: "--accent",
  val_loss: "--accent",
  train_accuracy: "--op-sep-conv-5x5",
  train_loss: "--op-sep-conv-5x5",
  entropy: "--accent",
  structure_max: "--best",
  learning_rate: "--faint",
  best: "--best",
  mean: "--ink3",
  median_edges: "--op-sep-conv-3x3",
  median_nodes: "--op-dil-conv-3x3",
};

const NAMES: Record<string, string> = {
  val_accuracy: "validation",
  val_loss: "validation",
  train_accuracy: "training",
  train_loss: "training",
  structure_max: "largest γ",
  entropy: "entropy (normalised)",
  best: "best",
  mean: "mean of the population",
  median_edges: "edges (median)",
  median_nodes: "nodes (median)",
};

const TABS: { id: string; title: string; names: string[] }[] = [
  { id: "accuracy", title: "Accuracy", names: ["val_accuracy", "train_accuracy"] },
  { id: "loss", title: "Loss", names: ["val_loss", "train_loss"] },
  { id: "entropy", title: "Entropy", names: ["entropy", "structure_max"] },
  { id: "fitness", title: "Fitness", names: ["best", "mean"] },
  { id: "size", title: "Size", names: ["median_edges", "median_nodes"] },
];

export const MOVING_WINDOW = 10;

function cut(series: Series, seq: number): { x: number[]; y: number[] } {
  if (seq === Infinity) return { x: series.samples, y: series.values };
  const until = series.seqs.findIndex((value) => value > seq);
  const end = until < 0 ? series.seqs.length : until;
  return { x: series.samples.slice(0, end), y: series.values.slice(0, end) };
}

/** Best so far and moving average of a trial-based search over the samples charged; over trials where samples are not known. */
export function trialCurves(store: RunStore): { curves: Curve[]; xLabel: string } {
  const { candidates } = store;
  const told = candidates.told.slice(0, candidates.toldBefore(store.shown));
  // A formula costs no samples at all.
  const bySamples = (told.at(-1)?.samples ?? 0) > 0 && told.every((row) => Number.isFinite(row.samples));
  const x = told.map((row, index) => (bySamples ? row.samples : index + 1));
  const values = told.map((row) => row.value);
  return {
    xLabel: bySamples ? "samples processed" : "trials",
    curves: [
      { label: "trials", color: "--faint", x, y: values, dots: true },
      { label: `mean of ${MOVING_WINDOW}`, color: "--accent", x, y: movingAverage(values, MOVING_WINDOW) },
      { label: "best so far", color: "--best", x, y: told.map((row) => row.best), width: 2 },
    ],
  };
}

/** With many phases only what matters most of each: four phases with two curves each could not be told apart. */
function namesIn(store: RunStore, names: readonly string[], source: string, phases: number): readonly string[] {
  if (phases < 3) return names;
  const own = names.find((name) => store.series.get(source)?.has(name));
  return own === undefined ? [] : [own];
}

const PHASE_COLORS = ["--accent", "--op-sep-conv-5x5", "--op-dil-conv-3x3", "--op-skip-connect"];

/** Colour and name of one phase's curve; controls are pale and dashed: they are for comparison only. */
function phaseLook(store: RunStore, source: string, phases: readonly string[], name: string): Pick<Curve, "label" | "color" | "dash"> {
  const own = NAMES[name] ?? name;
  if (phases.length < 2) return { label: own, color: COLORS[name] ?? "--accent" };
  const number = Number(source.slice(6));
  const title = store.phases.find((item) => item.data.phase === number)?.data.title ?? `phase ${number + 1}`;
  const control = /^control/i.test(title);
  const short = title.replace(/^control: /i, "");
  const label = short.length > 24 ? `${short.slice(0, 23)}…` : short;
  if (phases.length < 3) return { label: `${own}, ${label}`, color: control ? "--ink3" : (COLORS[name] ?? "--accent"), ...(control ? { dash: [5, 4] } : {}) };
  return control ? { label, color: number % 2 === 0 ? "--ink3" : "--faint", dash: [5, 4] } : { label, color: PHASE_COLORS[phases.indexOf(source) % PHASE_COLORS.length] ?? "--accent" };
}

/** The tabs that have something to show at the shown moment. */
export function progressTabs(store: RunStore): CurveTab[] {
  const tabs: CurveTab[] = [];
  const trials = trialCurves(store);
  if (store.candidates.count > 0) tabs.push({ id: "trials", title: "Trials", curves: trials.curves });
  const phases = [...store.series.keys()].filter((source) => source.startsWith("phase:"));
  for (const tab of TABS) {
    const curves = phases.flatMap((source) =>
      namesIn(store, tab.names, source, phases.length).flatMap((name): Curve[] => {
        const series = store.series.get(source)?.get(name);
        if (!series) return [];
        const wide = name === "val_accuracy" || name === "best" ? { width: 2.2 } : {};
        return [{ ...phaseLook(store, source, phases, name), ...cut(series, store.shown), ...wide }];
      }),
    );
    if (curves.length > 0) tabs.push({ id: tab.id, title: tab.title, curves });
  }
  const finals = store.finalists.flatMap((finalist): Curve[] => {
    const series = store.series.get(`final:${finalist.index}`)?.get("val_accuracy");
    if (!series) return [];
    const own = finalist.role === "finalist";
    return [{ label: own ? "best architecture, retrained" : "random architecture, retrained", color: own ? "--accent" : "--ink3", ...cut(series, store.shown) }];
  });
  if (finals.length > 0) tabs.push({ id: "retraining", title: "Final", curves: finals });
  return tabs;
}
