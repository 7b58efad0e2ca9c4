/** Masks over a network's weights: unpacked bits, shares, and the graph of what survives where layers are small. */
import type { MaskFrame, MaskLayer } from "../types/events.gen";
import { exact } from "../ui/format";

const known = new WeakMap<MaskLayer, Uint8Array>();

/** 1 for each weight that remains, row-major (outputs x inputs); null where the layer was too large to send. Packed with the first weight in the highest bit. */
export function maskBits(layer: MaskLayer): Uint8Array | null {
  if (!layer.bits) return null;
  const before = known.get(layer);
  if (before) return before;
  const packed = atob(layer.bits);
  const bits = new Uint8Array(layer.rows * layer.columns);
  for (let index = 0; index < bits.length; index++) bits[index] = (packed.charCodeAt(index >> 3) >> (7 - (index & 7))) & 1;
  known.set(layer, bits);
  return bits;
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
}

export interface MaskGraph {
  /** Neurons of each column, the inputs of the first layer first. */
  columns: number[];
  /** One between neighbouring columns; source and target neuron of every weight that remains. */
  layers: { layer: MaskLayer; links: [from: number, to: number][] }[];
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

function linksOf(layer: MaskLayer): [number, number][] {
  const bits = maskBits(layer);
  const links: [number, number][] = [];
  bits?.forEach((bit, index) => {
    if (bit) links.push([index % layer.columns, Math.floor(index / layer.columns)]);
  });
  return links;
}

/** How many connections of each neuron remain, column by column. */
function factsOf(columns: readonly number[], layers: MaskGraph["layers"]): NeuronFacts[][] {
  const facts = columns.map((count, column) =>
    Array.from({ length: count }, (): NeuronFacts => ({ in: column > 0 ? 0 : null, out: column < layers.length ? 0 : null, dead: false })),
  );
  layers.forEach(({ links }, column) => {
    for (const [from, to] of links) {
      const [source, target] = [facts[column]?.[from], facts[column + 1]?.[to]];
      if (source) source.out = (source.out ?? 0) + 1;
      if (target) target.in = (target.in ?? 0) + 1;
    }
  });
  for (const fact of facts.flat()) fact.dead = fact.in === 0 || fact.out === 0;
  return facts;
}
