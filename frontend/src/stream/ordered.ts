/** Lists in the order of their events, into which the past is entered late. */
import { lastAtMost } from "./search";

/** Enters an item at the place of its event; what is held of the same event is replaced. */
export function enter<Item extends { seq: number }>(list: Item[], item: Item): void {
  const place = lastAtMost(list, item.seq, (held) => held.seq);
  const held = list[place]?.seq === item.seq;
  list.splice(held ? place : place + 1, held ? 1 : 0, item);
}

/** Enters a number at its place, once. */
export function enterNumber(list: number[], number: number): void {
  const place = lastAtMost(list, number);
  if (list[place] !== number) list.splice(place + 1, 0, number);
}

/** Numbers from what each is more than the one before it. */
export function added(deltas: readonly number[]): number[] {
  let sum = 0;
  return deltas.map((delta) => (sum += delta));
}
