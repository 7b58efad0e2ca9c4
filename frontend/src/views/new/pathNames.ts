import type { Field } from "../../schema/model";
import type { Draft, Forms } from "./draft";

const PLAIN: Record<string, string> = {
  name: "Name",
  space: "Search space",
  algorithms: "Algorithms",
  seeds: "Seeds",
  budget: "Budget",
  start: "Given architecture",
};

function inside(fields: Field[] | undefined, parts: string[]): string {
  const names: string[] = [];
  let level = fields;
  for (const part of parts) {
    const field = level?.find((item) => item.name === part);
    // A list's index says nothing; an unknown name is an option that does not exist and is quoted as it is.
    if (!field) {
      if (!/^\d+$/.test(part)) names.push(part);
      break;
    }
    names.push(field.title);
    level = field.control.kind === "group" ? field.control.fields : undefined;
  }
  return names.join(", ");
}

/** "algorithms.0.options.population" -> "Regularized evolution: Population". */
export function nameOfPath(path: string, forms: Forms, draft: Draft, titleOf: (algorithm: string) => string): string {
  const [head = "", ...rest] = path.split(".");
  const named = (title: string, fields: Field[] | undefined, parts: string[]) => [title, inside(fields, parts)].filter(Boolean).join(": ");
  const dataName = (place: string | undefined) => (draft.datasets.length > 1 ? `Data set ${Number(place) + 1}` : "Data");
  switch (head) {
    case "algorithms": {
      const id = draft.algorithms[Number(rest[0])]?.id;
      if (id === undefined) break;
      return named(titleOf(id), forms.algorithms.get(id), rest.slice(2));
    }
    case "space_options":
      return named("Search space", forms.spaces.get(draft.space), rest);
    case "datasets":
      return rest[0] === undefined ? "Data" : dataName(rest[0]);
    case "dataset_options":
      return named(dataName(rest[0]), forms.datasets.get(draft.datasets[Number(rest[0])]?.id ?? ""), rest.slice(1));
    case "training":
      return named("Training", forms.training, rest);
    case "folds":
    case "objective":
      return named("Training", forms.evaluation, [head]);
    case "finale":
      return named("Finale", forms.finale, rest);
    case "runtime":
      return named("Machine", forms.runtime, rest);
  }
  return PLAIN[head] ?? path;
}
