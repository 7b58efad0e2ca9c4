/** Made-up events and socket frames for the tests of the run page. */
import type { Model, Run } from "../../src/api/types";
import type { EventRecord, Score } from "../../src/types/events.gen";
import { metricName } from "../../src/ui/format";
import { scoreKey } from "../../src/ui/score";

export function event(seq: number, data: Partial<EventRecord["data"]> & { kind: string }, source = "run", time = seq): EventRecord {
  return { seq, time, science: data.kind !== "ops", source, step: seq, ordinal: 0, kind: data.kind, data: data as EventRecord["data"] };
}

/** Base64 of little-endian float32, as Python's encode_floats writes it. */
export function encodeFloats(values: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(values.length * 4));
  values.forEach((value, index) => view.setFloat32(index * 4, value, true));
  return btoa(String.fromCharCode(...new Uint8Array(view.buffer)));
}

export const family = {
  kind: "family",
  groups: [
    {
      name: "normal", title: "Normal cell",
      nodes: ["a", "b", "c"].map((id) => ({ id, label: id, kind: "hidden", aggregation: null, attributes: {} })),
      edges: [["a", "b"], ["a", "c"], ["b", "c"]] as [string, string][],
      operations: ["none", "skip_connect", "sep_conv_3x3", "max_pool_3x3"],
      fixed: [], layout: { a: [0, 0.5], b: [0.5, 0], c: [1, 1] }, constraint: "simplex",
    },
  ],
} as const;

export const structure = (seq: number, values: readonly number[]) => event(seq, { kind: "structure", step: seq, groups: { normal: encodeFloats(values) } });
export const born = (seq: number, number: number, parents: number[] = []) =>
  event(seq, { kind: "candidate_born", number, parents, operator: parents.length > 0 ? "mutation" : "sample", genome: {}, genome_hash: `h${number}`, string: `s${number}`, fidelity: {} });
export const told = (seq: number, number: number, value: number, status: "completed" | "failed" = "completed") =>
  event(seq, {
    kind: "trial_told", number, candidate: number, status, reason: status === "failed" ? "loss is not a number" : "",
    metrics: status === "completed" ? { val_accuracy: value } : {}, cost: { forward_backward: 0, forward: 0, flops: 0, seconds: 0 },
    reused_from: null, simulated: false, charged_samples: 100 * (number + 1), charged_trials: number + 1,
  });

/** Events 1 to `last` of which only these say something. */
export function filled(last: number, ...events: EventRecord[]): EventRecord[] {
  return Array.from({ length: last }, (_, place) => events.find((item) => item.seq === place + 1) ?? event(place + 1, { kind: "metrics", step: 0, samples: 0, values: {} }));
}

export const algorithm = (title: string, structure: string[] = [], metric_note = "") => ({ id: title.toLowerCase(), title, structure, metric_note });

export function run(changes: Partial<Run> = {}): Run {
  return {
    id: "r1", experiment: { id: "e1", name: "An experiment" }, algorithm: algorithm("DARTS"), options: {}, seed: 3, space: "cell", datasets: ["digits"],
    state: "running", reason: "", elsewhere: "", resumes_itself: false, budget: null, charged: { samples: 4801, trials: 0, seconds: 12, flops: 0 },
    progress: { fraction: 0.5, text: "step 38 of 72", eta_seconds: 48 }, phase: "DARTS", best: null,
    search_score: null, validation_score: null, test_score: null, test_visits: { run: 0, experiment: 0, data: 0, part: "digits", further: [] },
    search_measure: { kind: "search", metric: "val_accuracy", name: "validation accuracy", unit: "share of examples", direction: "maximise" }, last_seq: 0, created: "", started: null, finished: null,
    reproducible: true, reproducible_note: "", worker: { name: "cpu-1", device: "cpu", threads: 1 }, counts: { candidates: 0, trials: 0, failed: 0, repeated: 0, architectures: 0 }, models: [],
    ending: false, more: { unit: "", have: 0, why_not: "it is not over: what more it may use is asked for when it is" }, continues: null, no_best: "", ...changes,
  };
}

const UNITS: Record<string, string> = { accuracy: "share of examples", r2: "share of variance", elbo: "nats per example", reward: "points" };

/** A score with all that it says. */
export const score = (kind: Score["kind"], metric: string, value: number, changes: Partial<Score> = {}): Score => ({
  kind, metric, name: metricName(metric), unit: UNITS[metric.replace(/^(val|test)_/, "")] ?? "units", direction: "maximise", value,
  fidelity: { text: "trained for 12 epochs", epochs: 12, samples: null }, selected_from: 1, data_sets: 1, ...changes,
});

/** What a model's metrics say as its scores. */
export function scored(metrics: Record<string, number>): Pick<Model, "search_score" | "validation_score" | "test_score" | "by_class" | "warnings"> {
  const of = (kind: Score["kind"], split: "val" | "test") => {
    const key = scoreKey(metrics, split);
    if (key === null) return null;
    const several = `${key}_2` in metrics || `${key.replace(/^val/, "test")}_2` in metrics;
    return score(kind, key, metrics[key] ?? NaN, several ? { data_sets: 2, name: `${metricName(key)}, mean of 2 data sets` } : {});
  };
  return { search_score: null, validation_score: of("validation", "val"), test_score: of("test", "test"), by_class: [], warnings: [] };
}
