/** What was decided when, for searches without trials: rows over time, out of the pictures' history. */
import { entropyShare } from "../decisions/facts";
import { policyOf } from "../decisions/frames";
import { blocksOf, offsetsOf } from "../decisions/blocks";
import { domainsOf } from "../structures/domainPaths";
import { pathwayFlow } from "../structures/pathwayFlow";
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
  /** What no colour and full colour mean. */
  ends: readonly [string, string];
  /** What is so where every row is without colour; "" where that says nothing. */
  pale: string;
}

/** More columns than this cannot be seen. */
const MOST_COLUMNS = 400;

function thinned<Item>(items: readonly Item[]): Item[] {
  const every = Math.max(1, Math.ceil(items.length / MOST_COLUMNS));
  return items.filter((_, index) => index % every === 0 || index === items.length - 1);
}

/** One way of filling the picture: out of the history of one kind of frame. */
interface Source {
  kind: "mask" | "pathways" | "domains" | "policy";
  title: string;
  note: string;
  ends: RowsOverTime["ends"];
  pale: string;
  rows: (store: RunStore, names: readonly string[]) => Pick<RowsOverTime, "rows" | "columns">;
}

const CERTAIN = { ends: ["undecided", "sure of one choice"], pale: "Nothing is decided yet: every choice is about as probable as the others." } as const;

function ofPolicies(store: RunStore): Pick<RowsOverTime, "rows" | "columns"> {
  const { decisions } = store;
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
    rows: ordered.map(({ label, group }) => ({ label, group })),
    columns: thinned(store.pictures.items("policy")).map((frame) => {
      const { probabilities } = policyOf(frame);
      return {
        seq: frame.seq, step: frame.step,
        values: Float32Array.from(ordered, ({ place }) => {
          const [first = 0, last = 0] = [offsets[place], offsets[place + 1]];
          // An inactive decision's vector is empty: nothing is known of it.
          return probabilities.subarray(first, last).some((value) => value > 0) ? 1 - entropyShare(probabilities, first, last) : 0;
        }),
      };
    }),
  };
}

function ofDomains(store: RunStore, names: readonly string[]): Pick<RowsOverTime, "rows" | "columns"> {
  const frames = store.pictures.items("domains");
  const last = frames.at(-1);
  const modules = last?.modules.length ?? 0;
  return {
    rows: (last?.domains ?? []).flatMap((item, domain) => Array.from({ length: last?.layers ?? 0 }, (_, layer) => ({ label: `layer ${layer + 1}`, group: layer === 0 ? (names[domain] ?? item.name) : "" }))),
    columns: thinned(frames).map((frame) => ({
      seq: frame.seq, step: frame.step,
      values: Float32Array.from(domainsOf(frame).domains.flatMap((item) => Array.from({ length: frame.layers }, (_, layer) => 1 - entropyShare(item.probabilities, layer * modules, (layer + 1) * modules)))),
    })),
  };
}

function ofPathways(store: RunStore): Pick<RowsOverTime, "rows" | "columns"> {
  const frames = store.pictures.items("pathways");
  const { layers, modules } = frames.at(-1) ?? { layers: 0, modules: 0 };
  return {
    rows: Array.from({ length: layers * modules }, (_, index) => ({
      label: String((index % modules) + 1),
      group: index % modules === 0 ? `layer ${index / modules + 1}` : "",
    })),
    columns: thinned(frames).map((frame) => ({
      seq: frame.seq, step: frame.step,
      values: Float32Array.from(pathwayFlow(frame).usage.flat(), (count) => count / Math.max(frame.population.length, 1)),
    })),
  };
}

/** The share that each layer keeps; of several masked networks the one that spoke last. */
function ofMasks(store: RunStore): Pick<RowsOverTime, "rows" | "columns"> {
  const source = store.pictures.latest("mask", Infinity)[0]?.source;
  const frames = store.pictures.of("mask").get(source ?? "")?.items ?? [];
  return {
    rows: (frames.at(-1)?.layers ?? []).map((layer) => ({ label: layer.title, group: "" })),
    columns: thinned(frames).map((frame) => ({ seq: frame.seq, step: frame.step, values: Float32Array.from(frame.layers, shareKept) })),
  };
}

/** The first of these that a run has fills the picture. */
const SOURCES: readonly Source[] = [
  { kind: "mask", title: "Layers", note: "share of its weights that each layer keeps, over time", ends: ["none kept", "all kept"], pale: "", rows: ofMasks },
  { kind: "pathways", title: "Modules", note: "share of the paths that use each module, over time", ends: ["no path", "every path"], pale: "", rows: ofPathways },
  { kind: "domains", title: "Decisions", note: "how sure each data set is of its layers, over time", ...CERTAIN, rows: ofDomains },
  { kind: "policy", title: "Decisions", note: "how sure the policy is of each, over time", ...CERTAIN, rows: ofPolicies },
];

/** What fills the picture of a run; undefined where nothing does. Of several controllers there is no one policy to show. */
export function rowsSource({ pictures, decisions }: RunStore): Source | undefined {
  return SOURCES.find(({ kind }) => pictures.has(kind) && (kind !== "policy" || (decisions.length > 0 && pictures.of("policy").size === 1)));
}

/** The rows of a run, or null where it has no such pictures. */
export function rowsOverTime(store: RunStore, names: readonly string[] = []): RowsOverTime | null {
  const source = rowsSource(store);
  return source ? { title: source.title, note: source.note, ends: source.ends, pale: source.pale, ...source.rows(store, names) } : null;
}
