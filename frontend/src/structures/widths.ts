/** Shrunk networks layer by layer: where the histograms and the widths lie, and what they say in words. */
import type { NarrowedLayer, NarrowedNetwork, WidthsFrame } from "../types/events.gen";
import { exact, metric } from "../ui/format";

export const ROW = 40;
const TOP = 18;
const BOTTOM = 30;
const GAP = 14;

export interface Columns {
  width: number;
  height: number;
  /** The names end here, the histograms lie between `left` and `right`, the widths between `bars` and `end`. */
  left: number;
  right: number;
  bars: number;
  end: number;
}

/** The columns of a picture of so many layers; names and widths take no more than they need. */
export function columnsOf(layers: number, width: number): Columns {
  const left = Math.min(96, width * 0.2);
  const bars = width - Math.min(190, width * 0.36);
  return { width, height: TOP + layers * ROW + BOTTOM, left, right: bars - GAP, bars, end: width - 8 };
}

/**
 * Names of layers in at most `fits` letters each: where one is longer, all without the parts at both ends that they have in common
 * ("nodes.1.weights" and "nodes.3.weights" are 1 and 3); what is longer even then begins where only its end has room.
 */
export function layerNames(names: readonly string[], fits: number): string[] {
  let parts = names.map((name) => name.split("."));
  const whole = () => parts.map((own) => own.join("."));
  if (names.length > 1 && names.some((name) => name.length > fits)) {
    for (const [at, rest] of [[0, [1, undefined]], [-1, [0, -1]]] as const) {
      while (parts.every((own) => own.length > 1 && own.at(at) === parts[0]?.at(at))) parts = parts.map((own) => own.slice(...rest));
    }
  }
  return whole().map((name) => (name.length <= fits ? name : `…${name.slice(1 - fits)}`));
}

/** The ground line of a layer's histogram. */
export const groundOf = (place: number): number => TOP + (place + 1) * ROW - 6;
export const TALLEST = ROW - 10;

/** Where a bin begins; the bins are equally wide. */
export function binX({ left, right }: Columns, bins: number, bin: number): number {
  return left + (bin / bins) * (right - left);
}

/** The share of its layer's channels that the fullest bin of the network has: the scale of all its histograms. */
export function fullest(network: NarrowedNetwork): number {
  return Math.max(...network.layers.flatMap(({ before, counts }) => counts.map((count) => count / Math.max(before, 1))), 1e-9);
}

/** How wide a layer of the network may be drawn: the widest one. */
export const widest = (network: NarrowedNetwork): number => Math.max(...network.layers.map(({ before, after }) => Math.max(before, after)), 1);

/** "0.01 to 0.015"; what lies further out is in the outermost bins. */
export function binText(ends: readonly number[], bin: number): string {
  const [from, to] = [ends[bin] ?? 0, ends[bin + 1] ?? 0];
  if (bin === 0) return `to ${short(to)}`;
  return bin === ends.length - 2 ? `over ${short(from)}` : `${short(from)} to ${short(to)}`;
}

/** Three digits are enough for an end of a bin. */
export const short = (value: number): string => String(Number(value.toPrecision(3)));

/** So much room has the number of an end. */
const TICK = 44;

/** Ends that have a number below the axis: the threshold, the outermost, and those half-way where there is room. */
export function tickBins(ends: readonly number[], { left, right }: Columns): number[] {
  const middle = (ends.length - 1) / 2;
  const every = (right - left) / 4 < TICK ? middle : middle / 2;
  return ends.map((_, bin) => bin).filter((bin) => (bin - middle) % every === 0);
}

export function layerText({ name, before, after, held }: NarrowedLayer, unit: string): string {
  return `${name}: ${exact(before)} to ${exact(after)} ${unit}${held ? ", kept by the floor" : ""}`;
}

/** "The best so far, candidate 4". */
export function networkTitle({ title, candidate }: NarrowedNetwork): string {
  const begun = title.charAt(0).toUpperCase() + title.slice(1);
  return candidate === null || candidate === undefined ? begun : `${begun}, candidate ${candidate}`;
}

/** A name for each network of a frame that stays while its place is the same. */
export const keysOf = (frame: WidthsFrame): string[] => frame.networks.map(({ title }, place) => `${title} ${frame.networks.slice(0, place).filter((other) => other.title === title).length + 1}`);

/** What is left of a network, in words. */
export function costText({ cost }: NarrowedNetwork): string {
  return `${metric(100 * cost)} % of its cost`;
}
