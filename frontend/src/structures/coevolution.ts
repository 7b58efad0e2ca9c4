/** Blueprints and modules evolving side by side: what belongs together in a frame's two graphs, its species, and their stripes. */
import { decodeFloats } from "../stream/floats";
import { once } from "../stream/pictures";
import type { CoevolutionFrame, GraphData, SpeciesTable } from "../types/events.gen";

/** The blueprint's own names of its ends. */
const [INPUT, OUTPUT] = ["0", "1"];

/** The node of the blueprint to which a node of the assembled network belongs. */
export function placeOf(node: string): string {
  if (node === "input") return INPUT!;
  if (node === "output") return OUTPUT!;
  return node.split(".")[0] ?? node;
}

/** A colour for each species, far from those of its neighbours by number. */
export const speciesColour = (number: number): string => `hsl(${Math.round((number * 137.5 + 220) % 360)} ${number % 2 ? 48 : 62}% ${46 + 8 * (number % 3)}%)`;

/** The blueprint with the species of modules at its nodes. */
export function blueprintGraph({ blueprint, species }: CoevolutionFrame): GraphData {
  return { ...blueprint, nodes: blueprint.nodes.map((node) => ({ ...node, label: species[node.id] === undefined ? node.label : `species ${species[node.id]}` })) };
}

/** The assembled network with the channels after each step at its nodes: all of a shape ("24×4×4") has no room there. */
export function networkGraph({ network }: CoevolutionFrame): GraphData {
  return { ...network, nodes: network.nodes.map((node) => ({ ...node, label: node.kind === "hidden" ? (node.label.split("×")[0] ?? node.label) : node.label })) };
}

/** What the layers and joins of a place of the assembled network are, in the order of computation. */
export function layersAt({ network }: CoevolutionFrame, place: string): string[] {
  const does = new Map<string, string>();
  for (const edge of network.edges) if (placeOf(edge.target) === place) does.set(edge.target, String(edge.attributes["does"] ?? edge.operation ?? ""));
  return [...does.values()];
}

export interface Species {
  number: number;
  living: boolean;
  members: Float32Array;
  used: Float32Array;
  credit: Float32Array;
}

export interface Population {
  species: Species[];
  /** Species without a row of their own, and the members of all of them together. */
  others: number;
  ofOthers: Float32Array;
}

export const populationOf = once<SpeciesTable, Population>((table) => ({
  species: table.species.map(({ number, living, members, used, credit }) => ({ number, living, members: decodeFloats(members), used: decodeFloats(used), credit: decodeFloats(credit) })),
  others: table.others,
  ofOthers: table.members_of_others ? decodeFloats(table.members_of_others) : new Float32Array(),
}));

export interface Stripe {
  key: string;
  /** null: species that have no stripe of their own. */
  number: number | null;
  title: string;
  /** By generation, from where to where it lies. */
  from: number[];
  to: number[];
}

const extinctOf = ({ species }: Population) => species.filter(({ living }) => !living);

/** How many species died out. */
export const extinctCount = (population: Population): number => extinctOf(population).length + population.others;

/**
 * Stripes on top of each other, generation by generation: the living by number, above them the extinct, as one stripe unless `unfolded`.
 * Those without a row are always one.
 */
export function stripesOf(population: Population, unfolded: boolean): Stripe[] {
  const length = Math.max(population.ofOthers.length, ...population.species.map(({ members }) => members.length), 0);
  const ground = new Array<number>(length).fill(0);
  const stacked = (key: string, number: number | null, title: string, members: readonly number[]): Stripe => {
    const from = [...ground];
    members.forEach((count, at) => (ground[at] = (ground[at] ?? 0) + count));
    return { key, number, title, from, to: [...ground] };
  };
  const single = ({ number, living, members }: Species) => stacked(String(number), number, `species ${number}${living ? "" : ", extinct"}`, Array.from(members));
  const extinct = extinctOf(population);
  const found = population.species.filter(({ living }) => living).map(single);
  if (unfolded) found.push(...extinct.map(single));
  const folded = unfolded ? [] : extinct;
  const count = folded.length + population.others;
  if (count > 0) {
    const members = Array.from({ length }, (_, at) => folded.reduce((sum, item) => sum + (item.members[at] ?? 0), population.ofOthers[at] ?? 0));
    found.push(stacked("extinct", null, `${count} extinct species`, members));
  }
  return found;
}

/** The outline of a stripe as a staircase: each generation is as wide as the others. */
export function stripePath({ from, to }: Stripe, x: (generation: number) => number, y: (members: number) => number): string {
  const steps = (values: readonly number[], places: readonly number[]) => places.flatMap((at) => [`${x(at)} ${y(values[at] ?? 0)}`, `${x(at + 1)} ${y(values[at] ?? 0)}`]);
  const forth = to.map((_, at) => at);
  const back = [...forth].reverse().flatMap((at) => [`${x(at + 1)} ${y(from[at] ?? 0)}`, `${x(at)} ${y(from[at] ?? 0)}`]);
  return `M${[...steps(to, forth), ...back].join("L")}Z`;
}

/** The last generation (its place) in which a species lived. */
export const lastOf = ({ members }: Species): number => members.findLastIndex((count) => count > 0);
