/** What an address, an earlier experiment or a run names and this server does not have: said above the form, not silently replaced. */
import type { Plugin } from "../../api/types";
import type { Catalogue } from "./compatibility";
import type { Draft } from "./draft";

type Room = "algorithm" | "search space" | "data set";

const GROUPS: Record<Room, string> = { algorithm: "nascope.algorithms", "search space": "nascope.spaces", "data set": "nascope.datasets" };

export interface Named {
  room: Room;
  id: string;
}

const LONGEST = 60;
const quoted = (id: string) => `'${id.length > LONGEST ? `${id.slice(0, LONGEST)} ...` : id}'`;

/** What the address asks for and what the draft is made of. */
export function namedBy(query: URLSearchParams, draft: Draft): Named[] {
  const asked: [Room, string | null][] = [["algorithm", query.get("algorithm")], ["search space", query.get("space")], ["data set", query.get("dataset")]];
  const used: [Room, string][] = [
    ...draft.algorithms.map(({ id }): [Room, string] => ["algorithm", id]),
    ["search space", draft.space],
    ...draft.datasets.map(({ id }): [Room, string] => ["data set", id]),
  ];
  const all = [...asked, ...used].flatMap(([room, id]) => (id ? [{ room, id }] : []));
  return all.filter((item, place) => all.findIndex((other) => other.room === item.room && other.id === item.id) === place);
}

/** Those that the catalogue lacks. */
export function unknownOf(named: readonly Named[], catalogue: Catalogue): Named[] {
  const known: Record<Room, readonly { id: string }[]> = { algorithm: catalogue.algorithms, "search space": catalogue.spaces, "data set": catalogue.datasets };
  return named.filter(({ room, id }) => !known[room].some((item) => item.id === id));
}

/** One sentence for each: that a package would have brought it and why it is left out, or that there is none. */
export function sentences(unknown: readonly Named[], plugins: readonly Plugin[]): string[] {
  return unknown.map(({ room, id }) => {
    const plugin = plugins.find((item) => item.group === GROUPS[room] && item.name === id);
    if (!plugin) return `There is no ${room} ${quoted(id)} on this server.`;
    const origin = plugin.package ? ` of ${plugin.package}` : "";
    return `The ${room} ${quoted(id)}${origin} was left out: ${plugin.reason}. The Workers page says what to do.`;
  });
}
