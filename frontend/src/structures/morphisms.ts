/** Where every network of a search by morphisms stands in its tree, and what is said of it. */
import type { Morphed, MorphismsFrame } from "../types/events.gen";
import { metric, plural } from "../ui/format";

export const COLUMN = 236;
export const ROW = 50;
/** Room around the tree. */
export const MARGIN = 20;
/** Letters of operators that an edge has room for. */
const LETTERS = 34;

export interface Placed {
  network: Morphed;
  x: number;
  y: number;
  parent: Placed | null;
  /** On the way from the seed to the current network. */
  onWay: boolean;
}

export interface Tree {
  places: Placed[];
  width: number;
  height: number;
}

/** A column for every generation from the seed on; in a column networks stand in the order of their parents, so that no two edges cross. */
export function treeOf({ networks, current }: MorphismsFrame): Tree {
  const known = new Set(networks.map(({ candidate }) => candidate));
  const children = new Map<number | null, Morphed[]>();
  for (const network of networks) {
    // The ancestors of what is shown are shown: who has no parent here has none.
    const parent = network.parent !== null && known.has(network.parent) ? network.parent : null;
    children.set(parent, [...(children.get(parent) ?? []), network]);
  }
  const parents = new Map(networks.map(({ candidate, parent }) => [candidate, parent]));
  const way = new Set<number>();
  for (let at: number | null | undefined = current; at !== null && at !== undefined; at = parents.get(at)) way.add(at);
  const places: Placed[] = [];
  let level: Placed[] = (children.get(null) ?? []).map((network) => ({ network, x: 0, y: 0, parent: null, onWay: way.has(network.candidate) }));
  let column = 0;
  let most = 1;
  while (level.length > 0) {
    most = Math.max(most, level.length);
    level.forEach((place, row) => {
      place.x = MARGIN + column * COLUMN;
      place.y = MARGIN + row * ROW;
    });
    places.push(...level);
    level = level.flatMap((parent) => (children.get(parent.network.candidate) ?? []).map((network) => ({ network, x: 0, y: 0, parent, onWay: way.has(network.candidate) })));
    column += 1;
  }
  return { places, width: 2 * MARGIN + (Math.max(column, 1) - 1) * COLUMN + 40, height: 2 * MARGIN + (most - 1) * ROW + 24 };
}

/** The operators on an edge, as far as there is room. */
export function edgeText({ morphs }: Morphed): string {
  if (morphs.length === 0) return "trained on";
  const shown: string[] = [];
  for (const morph of morphs) {
    if ([...shown, morph].join("; ").length > LETTERS) break;
    shown.push(morph);
  }
  if (shown.length === 0) return `${morphs[0]?.slice(0, LETTERS)}…`;
  const rest = morphs.length - shown.length;
  return rest > 0 ? `${shown.join("; ")} +${rest}` : shown.join("; ");
}

/** Before, right after the morphs, and trained. */
export function valuesText({ before, grown, value, state }: Morphed): string {
  if (state === "open") return before === null ? "in training" : `${metric(before)} → …`;
  if (state === "failed") return "failed";
  return [before, grown, value].filter((item) => item !== null).map((item) => metric(item)).join(" → ");
}

/** All of it, for a title. */
export function networkText(network: Morphed): string {
  const origin = network.parent === null ? "the network that growth starts from" : `from candidate ${network.parent}: ${network.morphs.join("; ") || "unchanged, trained on"}`;
  const size = `${plural(network.parameters, "parameter")}, ${metric(network.megaflops)} MFLOPs`;
  return `Candidate ${network.candidate}, ${origin}. ${valuesText(network)}. ${size}.${network.chosen ? " The search went on from it." : ""}`;
}
