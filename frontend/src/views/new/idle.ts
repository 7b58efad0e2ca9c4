/** Which settings do nothing with what is chosen, by path in the experiment's body: from the server's list of combinations. */
import type { Idle } from "../../schema/idle";
import type { Catalogue } from "./compatibility";
import type { Draft } from "./draft";

export function idleOf(catalogue: Catalogue, draft: Pick<Draft, "algorithms" | "space" | "datasets">): Map<string, Idle> {
  const found = new Map<string, Idle>();
  const dataset = draft.datasets[0]?.id;
  const users = new Map<string, { why: string; without: string[] }>();
  draft.algorithms.forEach(({ id }, index) => {
    const row = catalogue.compatibility.find((item) => item.algorithm === id && item.space === draft.space && item.dataset === dataset);
    const title = catalogue.algorithms.find((item) => item.id === id)?.title ?? id;
    for (const { fields, why } of row?.idle ?? []) {
      for (const field of fields) {
        if (field.startsWith("options.")) found.set(`algorithms.${index}.${field}`, { why, by: null });
        else {
          const known = users.get(field);
          users.set(field, { why: known?.why ?? why, without: [...(known?.without ?? []), title] });
        }
      }
    }
  });
  for (const [field, { why, without }] of users) {
    // Used by another of the algorithms: offered, with a word of who leaves it aside.
    found.set(field, { why, by: without.length === draft.algorithms.length ? null : [...new Set(without)].join(", ") });
  }
  return found;
}
