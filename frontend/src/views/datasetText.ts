/** Words about data sets that several pages use. */
import type { Dataset, Options } from "../api/types";
import { equal, textOf } from "../schema/model";
import { exact, plural } from "../ui/format";

/** What a data set without examples gives a search. */
export function noSamples(dataset: Dataset): string {
  return dataset.provides === "table" ? "no samples: a table answers for each genome" : "no samples: a formula scores each genome";
}

/** [0, 1, 2, 5] -> "0–2, 5"; anything else as it is typed. */
function rangesText(value: unknown): string {
  if (!Array.isArray(value) || value.length < 3 || !value.every((item) => Number.isInteger(item))) return textOf(value);
  const parts: string[] = [];
  for (let start = 0; start < value.length; ) {
    let end = start;
    while (end + 1 < value.length && value[end + 1] === value[end] + 1) end++;
    parts.push(end - start > 1 ? `${value[start]}–${value[end]}` : value.slice(start, end + 1).join(", "));
    start = end + 1;
  }
  return parts.join(", ");
}

/** "10 classes", "1 real target": what the labels of a data set are. */
export function targetsText({ task, shape }: Pick<Dataset, "task" | "shape">): string {
  const count = shape?.classes ?? 0;
  return task === "regression" ? plural(count, "real target") : plural(count, "class", "classes");
}

/** Shape of one example and the number of classes, as a choice shows it: "1 × 8 × 8, 5 of 10 classes". */
export function shapeNote(dataset: Dataset, options: Options = {}): string {
  if (dataset.input_kind === "none") return noSamples(dataset);
  if (!dataset.shape) return "shape known once the files are read";
  const { input, classes } = dataset.shape;
  const labels = options["labels"];
  const some = Array.isArray(labels) && labels.length > 0 && labels.length < classes;
  return `${input.join(" × ")}, ${some ? `${labels.length} of ` : ""}${targetsText(dataset)}`;
}

/** What a data set is, in a few words for a choice. */
export function choiceNote(dataset: Dataset): string {
  const shape = shapeNote(dataset);
  if (dataset.provides === "table" && dataset.input_kind !== "none") return `${shape}, answers from a table`;
  const size = Object.entries(dataset.sizes).find(([name]) => name.startsWith("train"));
  return dataset.provides === "samples" && size ? `${shape}, by default ${exact(size[1])} for ${size[0]}` : shape;
}

/**
 * A name for each data set of a run. Where an id stands there more than once, the options that tell its places apart follow:
 * "digits, labels 0–4"; where none does, its place does.
 */
export function domainNames(ids: readonly string[], options: readonly Options[] = []): string[] {
  return ids.map((id, place) => {
    const twins = ids.flatMap((other, index) => (other === id ? [index] : []));
    if (twins.length < 2) return id;
    const own = options[place] ?? {};
    const names = [...new Set(twins.flatMap((index) => Object.keys(options[index] ?? {})))];
    const telling = names.filter((name) => twins.some((index) => !equal(options[index]?.[name], own[name])) && textOf(own[name]) !== "");
    return telling.length === 0 ? `${id} (${place + 1})` : `${id}, ${telling.map((name) => `${name} ${rangesText(own[name])}`).join(", ")}`;
  });
}
