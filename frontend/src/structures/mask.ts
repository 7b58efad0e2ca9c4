/** Masks over a network's weights: unpacked bits, shares, and the graph of what survives where layers are small. */
import type { MaskFrame, MaskLayer } from "../types/events.gen";
import { exact } from "../ui/format";

const known = new WeakMap<MaskLayer, Record<"bits" | "before", Uint8Array | null>>();

/** What became of a weight since the frame before. */
export type Fate = "kept" | "back" | "gone" | "removed";

/** Of each weight of a layer, row-major; null where the bits were not sent. `gone`: removed just now, `back`: kept again just now. */
export function fates(layer: MaskLayer): Fate[] | null {
  const now = maskBits(layer);
  const before = maskBits(layer, "before");
  return now && Array.from(now, (bit, index): Fate => (bit ? (before && !before[index] ? "back" : "kept") : before?.[index] ? "gone" : "removed"));
}

/** How many weights of a frame were removed just now, and how many are kept again; null where there is no frame before. */
export function changesOf(frame: MaskFrame): { gone: number; back: number } | null {
  const known = frame.layers.filter((layer) => layer.before);
  if (known.length === 0) return null;
  const all = known.flatMap((layer) => fates(layer) ?? []);
  return { gone: all.filter((fate) => fate === "gone").length, back: all.filter((fate) => fate === "back").length };
}

/** 1 for each weight that remains, row-major (outputs x inputs); null where the layer was too large to send. Packed with the first weight in the highest bit. */
export function maskBits(layer: MaskLayer, which: "bits" | "before" = "bits"): Uint8Array | null {
  let found = known.get(layer);
  if (!found) known.set(layer, (found = { bits: unpacked(layer, layer.bits), before: unpacked(layer, layer.before) }));
  return found[which];
}

/** Runs from before it was said have no mask of the frame before. */
function unpacked({ rows, columns }: MaskLayer, text: string | undefined): Uint8Array | null {
  if (!text) return null;
  const packed = atob(text);
  return Uint8Array.from({ length: rows * columns }, (_, index) => (packed.charCodeAt(index >> 3) >> (7 - (index & 7))) & 1);
}

export const shareKept = (layer: Pick<MaskLayer, "kept" | "total">): number => (layer.total > 0 ? layer.kept / layer.total : 0);

/** "29.4 %", with more digits where little is left. */
export function percent(share: number): string {
  const value = 100 * share;
  return `${value >= 99.95 || value === 0 ? value.toFixed(0) : value < 1 ? value.toPrecision(2) : value.toFixed(1)} %`;
}

export function keptText(layer: Pick<MaskLayer, "kept" | "total">): string {
  return `${exact(layer.kept)} of ${exact(layer.total)}`;
}

export function totalOf(frame: MaskFrame): { kept: number; total: number } {
  return frame.layers.reduce((sum, layer) => ({ kept: sum.kept + layer.kept, total: sum.total + layer.total }), { kept: 0, total: 0 });
}

/** A column of neurons taller than this is not drawn one by one. */
export const MOST_NEURONS = 64;
const MOST_LINES = 6000;

export interface NeuronFacts {
  /** Connections that remain; null where the graph has no layer on that side. */
  in: number | null;
  out: number | null;
  /** Nothing reaches it, or it reaches nothing. */
  dead: boolean;
  /** That came about with what was removed just now. */
  cutNow: boolean;
}

/** A weight between two neurons that remains, or that was removed just now. */
export type Link = readonly [from: number, to: number, fate: Exclude<Fate, "removed">];

export interface MaskGraph {
  /** Neurons of each column, the inputs of the first layer first. */
  columns: number[];
  /** One between neighbouring columns: every weight that remains, and every one that was removed just now. */
  layers: { layer: MaskLayer; links: Link[] }[];
  neurons: NeuronFacts[][];
}

/** The longest row of layers that follow each other, are small enough, and fit: the outputs of one are the inputs of the next. */
export function maskGraph(frame: MaskFrame): MaskGraph | null {
  let best: MaskLayer[] = [];
  let run: MaskLayer[] = [];
  for (const layer of frame.layers) {
    const small = layer.bits !== "" && layer.rows <= MOST_NEURONS && layer.columns <= MOST_NEURONS && layer.rows * layer.columns === layer.total;
    if (!small) run = [];
    else if (run.length > 0 && run.at(-1)?.rows === layer.columns) run = [...run, layer];
    else run = [layer];
    if (run.length > best.length) best = run;
  }
  const [first] = best;
  if (!first) return null;
  const layers = best.map((layer) => ({ layer, links: linksOf(layer) }));
  if (layers.reduce((sum, item) => sum + item.links.length, 0) > MOST_LINES) return null;
  const columns = [first.columns, ...best.map((layer) => layer.rows)];
  return { columns, layers, neurons: factsOf(columns, layers) };
}

function linksOf(layer: MaskLayer): Link[] {
  return (fates(layer) ?? []).flatMap((fate, index): Link[] => (fate === "removed" ? [] : [[index % layer.columns, Math.floor(index / layer.columns), fate]]));
}

/** How many connections each neuron has, column by column, of those that count. */
function connections(columns: readonly number[], layers: MaskGraph["layers"], counts: (fate: Link[2]) => boolean): Pick<NeuronFacts, "in" | "out" | "dead">[][] {
  const facts = columns.map((count, column) =>
    Array.from({ length: count }, () => ({ in: column > 0 ? 0 : null, out: column < layers.length ? 0 : null, dead: false })),
  );
  layers.forEach(({ links }, column) => {
    for (const [from, to, fate] of links) {
      if (!counts(fate)) continue;
      const [source, target] = [facts[column]?.[from], facts[column + 1]?.[to]];
      if (source) source.out = (source.out ?? 0) + 1;
      if (target) target.in = (target.in ?? 0) + 1;
    }
  });
  for (const fact of facts.flat()) fact.dead = fact.in === 0 || fact.out === 0;
  return facts;
}

/** What each neuron is left with, and whether it was cut off just now. */
function factsOf(columns: readonly number[], layers: MaskGraph["layers"]): NeuronFacts[][] {
  const before = connections(columns, layers, (fate) => fate !== "back");
  return connections(columns, layers, (fate) => fate !== "gone").map((column, place) =>
    column.map((fact, neuron) => ({ ...fact, cutNow: fact.dead && before[place]?.[neuron]?.dead === false })),
  );
}
