/** The numbers that come with the frames of a picture, and draws of a structure: in its figures as well, so that they can be taken out with it. */
import { decodeFloats } from "../stream/floats";
import { drawsOf } from "../graph/simplex";
import { edgeName } from "../graph/labels";
import { sourceTitle } from "../run/sources";
import { valueFigures } from "../run/ValueRow";
import type { RunStore } from "../stream/store";
import type { FamilyGroup, EventRecord } from "../types/events.gen";
import { measured, whole, type Figures } from "../ui/figures";

type Payload = EventRecord["data"];
/** Frames with numbers of their own. */
export type ValuedKind = "policy" | "colony" | "pathways" | "domains" | "surrogate" | "mask" | "motifs" | "morphisms" | "coevolution" | "widths";
type Valued = Extract<Payload, { kind: ValuedKind }>;

/** "Search", "data set 2": whose history it is. */
const ownerOf = (store: RunStore, source: string): string => (/^\d+$/.test(source) ? `data set ${Number(source) + 1}` : sourceTitle(store, source));

/** Whose numbers a frame holds: its own, and those of each data set where it has several. */
function ownersOf(source: string, frame: Valued): { owner: string; values: Readonly<Record<string, number>> }[] {
  const parts = frame.kind === "domains" ? frame.domains.map((item) => ({ owner: item.name, values: item.values })) : [];
  return [{ owner: source, values: frame.values }, ...parts];
}

/** A picture's figures with the numbers of its frames behind them. */
export function withValues(kind: ValuedKind, title: string, figures: (store: RunStore) => Figures[]): (store: RunStore) => Figures[] {
  return (store) => [
    ...figures(store),
    ...valueFigures(`${title}: numbers of this moment`, store.pictures.latest(kind, store.shown).flatMap(({ source, data }) => ownersOf(ownerOf(store, source), data))),
  ];
}

/** Every draw of a group's weights at the shown moment, where its structure is a distribution. */
export function drawFigures(store: RunStore, group: FamilyGroup): Figures[] {
  const text = store.draws.get(group.name)?.at(store.shown)?.text;
  if (!text) return [];
  const draws = decodeFloats(text);
  const count = group.operations.length;
  const byEdge = group.edges.map((_, edge) => drawsOf(draws, group.edges.length, count, edge));
  return [
    {
      title: `${group.title}: draws of the weights`,
      head: ["draw", "edge", ...group.operations],
      rows: (byEdge[0] ?? []).flatMap((_, draw) => group.edges.map((edge, place) => [whole(draw + 1), edgeName(edge), ...Array.from(byEdge[place]?.[draw] ?? [], measured)])),
    },
  ];
}
