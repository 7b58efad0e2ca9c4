/** A search that goes on with another: how far that one came, and the visits to the test part of the whole search, in words. */
import type { Run } from "../api/types";
import { amountOf } from "../views/experimentText";

/** 1st, 2nd, 3rd, 4th, 11th, 22nd. */
export function ordinal(number: number): string {
  const teens = number % 100 > 10 && number % 100 < 14;
  return `${number}${teens ? "th" : (["th", "st", "nd", "rd"][number % 10] ?? "th")}`;
}

/** "2nd visit to the test part of this search: the first was at 20 trials"; null where no search before it opened the test part. */
export function visitsOfSearch(run: Pick<Run, "lineage" | "state" | "test_visits">): string | null {
  const earlier = (run.lineage ?? []).filter((one) => one.test_visits > 0);
  const [first] = earlier;
  if (first === undefined) return null;
  const number = earlier.length + 1;
  const later = earlier.slice(1).map((one, place) => `, the ${ordinal(place + 2)} at ${amountOf(one.unit, one.have)}`);
  const over = run.test_visits.run > 0;
  return `${over ? "" : "its finale will be the "}${ordinal(number)} visit to the test part of this search: the first was at ${amountOf(first.unit, first.have)}${later.join("")}`;
}

/** What is wrong with the text of how much more; empty where nothing is. */
export function moreProblem(unit: string, text: string): string {
  const number = Number(text);
  if (text.trim() === "" || !Number.isFinite(number) || number <= 0) return `give a number of further ${unit} above 0`;
  const broken = ["samples", "flops", "seconds"].includes(unit);
  return broken || Number.isInteger(number) ? "" : `give a whole number of further ${unit}`;
}
