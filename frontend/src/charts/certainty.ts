/** What was decided when, for searches without trials: rows over time, out of the pictures' history. */
import { entropyShare } from "../decisions/facts";
import { blocksOf, offsetsOf } from "../decisions/blocks";
import { pathwayFlow } from "../structures/pathwayFlow";
import { Pictures } from "../stream/pictures";
import type { RunStore } from "../stream/store";
import { shareKept } from "../structures/mask";

export interface Row {
  label: string;
  /** Where a group of rows begins: written above it. */
  group: string;
}

export interface Column {
  seq: number;
  step: number;
  /** Of each row, 0..1. */
  values: Float32Array;
}

export interface RowsOverTime {
  title: string;
  note: string;
  rows: Row[];
  columns: Column[];
}

/** More columns than this cannot be seen. */
const MOST_COLUMNS = 400;

function thinned<Item>(items: readonly Item[]): Item[] {
  const every = Math.max(1, Math.ceil(items.length / MOST_COLUMNS));
  return items.filter((_, index) => index % every === 0 || index === items.length - 1);
}

function ofPolicies(store: RunStore): RowsOverTime | null {
  const { decisions, policies } = store.pictures;
  const [log] = policies.values();
  if (!log || decisions.length === 0 || policies.size > 1) return null;
  const offsets = offsetsOf(decisions);
  const ordered = blocksOf(decisions).flatMap((block) =>
    block.decisions.map((place, index) => {
      const cell = block.cells[index] ?? { row: index, column: 0 };
      const row = block.rows[cell.row] ?? "";
      const label = block.shape === "matrix" ? `${row} from ${block.columns[cell.column] ?? ""}` : row;
      return { place, label, group: index === 0 ? (block.title.split(":")[0] ?? "") : "" };
    }),
  );
  return {
    title: "Decisions",
    note: "how sure the policy is of each, over time",
    rows: ordered.map(({ label, group }) => ({ label, group })),
    columns: thinned(log.items).map(({ seq, data }) => ({
      seq, step: data.step,
      values: Float32Array.from(ordered, ({ place }) => {
        const [first = 0, last = 0] = [offsets[place], offsets[place + 1]];
        // An inactive decision's vector is empty: nothing is known of it.
        return data.probabilities.subarray(first, last).some((value) => value > 0) ? 1 - entropyShare(data.probabilities, first, last) : 0;
      }),
    })),
  };
}

function ofDomains(store: RunStore, names: readonly string[]): RowsOverTime | null {
  const { items } = store.pictures.domains;
  const last = items.at(-1)?.data;
  if (!last) return null;
  const modules = last.modules.length;
  return {
    title: "Decisions",
    note: "how sure each data set is of its layers, over time",
    rows: last.domains.flatMap((item, domain) => Array.from({ length: last.layers }, (_, layer) => ({ label: `layer ${layer + 1}`, group: layer === 0 ? (names[domain] ?? item.name) : "" }))),
    columns: thinned(items).map(({ seq, data }) => ({
      seq, step: data.step,
      values: Float32Array.from(data.domains.flatMap((item) => Array.from({ length: data.layers }, (_, layer) => 1 - entropyShare(item.probabilities, layer * modules, (layer + 1) * modules)))),
    })),
  };
}

function ofPathways(store: RunStore): RowsOverTime | null {
  const { items } = store.pictures.pathways;
  const last = items.at(-1)?.data;
  if (!last) return null;
  return {
    title: "Modules",
    note: "share of the paths that use each module, over time",
    rows: Array.from({ length: last.layers * last.modules }, (_, index) => ({
      label: String((index % last.modules) + 1),
      group: index % last.modules === 0 ? `layer ${index / last.modules + 1}` : "",
    })),
    columns: thinned(items).map(({ seq, data }) => ({
      seq, step: data.step,
      values: Float32Array.from(pathwayFlow(data).usage.flat(), (count) => count / Math.max(data.population.length, 1)),
    })),
  };
}

/** The share that each layer keeps; of several masked networks the one that spoke last. */
function ofMasks(store: RunStore): RowsOverTime | null {
  const source = Pictures.latest(store.pictures.masks, Infinity)[0]?.source;
  const items = store.pictures.masks.get(source ?? "")?.items ?? [];
  const last = items.at(-1)?.data;
  if (!last) return null;
  return {
    title: "Layers",
    note: "share of its weights that each layer keeps, over time",
    rows: last.layers.map((layer) => ({ label: layer.title, group: "" })),
    columns: thinned(items).map(({ seq, data }) => ({ seq, step: data.step, values: Float32Array.from(data.layers, shareKept) })),
  };
}

/** The rows of a run, or null where it has no such pictures. */
export function rowsOverTime(store: RunStore, names: readonly string[] = []): RowsOverTime | null {
  return ofMasks(store) ?? ofPathways(store) ?? ofDomains(store, names) ?? ofPolicies(store);
}
