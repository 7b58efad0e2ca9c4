/** What the REST API sends and takes (`/api/v1/schema/` is its full description); the events' types are generated (src/types). */

import type { JsonSchema } from "../schema/jsonSchema";
import type {
  EventRecord, FamilyDeclared, FinalistChosen, Champion, ControlScored, DecisionsDeclared, DerivedGenome, GrowthStep, Incumbent, Notice, PhaseStarted, GraphData,
  Report,
} from "../types/events.gen";

export type BudgetKind = "trials" | "samples" | "seconds";
export type RunState = "queued" | "running" | "pausing" | "paused" | "completed" | "failed" | "cancelled";

export interface Me {
  id: number | string;
  username: string;
  is_staff: boolean;
}

export interface Page<Item> {
  results: Item[];
  next: string | null;
}

// ---- catalogue

export interface Algorithm {
  id: string;
  title: string;
  family: string;
  summary: string;
  source: string;
  needs: string[];
  lives: string;
  /** Its kinds of picture, what it is about first. */
  structure: string[];
  spaces: string[];
  datasets: string[];
  budgets: BudgetKind[];
  domains: DomainsInfo;
  schema: JsonSchema;
}

/** What runs and models say of their algorithm. */
export interface AlgorithmName {
  id: string;
  title: string;
  /** Its kinds of picture, what it is about first; empty where it was uninstalled since. */
  structure: string[];
  /** How its results were measured where the metric's name does not say it. */
  metric_note: string;
}

/** How many data sets an algorithm searches at once, in order, and which it takes where none is named. */
export interface DomainsInfo {
  least: number;
  most: number;
  default: { dataset: string; options: Options }[];
}

export interface SearchSpace {
  id: string;
  title: string;
  description: string;
  source: string;
  offers: string[];
  inputs: string[];
  schema: JsonSchema;
}

export interface Dataset {
  id: string;
  title: string;
  description: string;
  source: string;
  licence: string;
  provides: "samples" | "table" | "objective";
  /** "none": a formula or a table answers for each genome, there is nothing to put into a network; its shape is then null, or [] with 0 classes. */
  input_kind: "image" | "vector" | "none";
  shape: { input: number[]; classes: number } | null;
  budgets: BudgetKind[];
  spaces: string[] | null;
  sizes: Record<string, number>;
  metric: string;
  available: boolean;
  missing_files: string[];
  schema: JsonSchema;
}

/** One combination that works. */
export interface Compatible {
  algorithm: string;
  space: string;
  dataset: string;
  budgets: BudgetKind[];
}

export interface RunSchema {
  training: JsonSchema;
  finale: JsonSchema;
  run: JsonSchema;
}

export interface Preset {
  id: string;
  title: string;
  description: string;
  experiment: ExperimentBody;
}

// ---- experiments and runs

export type Options = Record<string, unknown>;

export interface RuntimeOptions {
  threads?: number;
  device?: "auto" | "cpu" | "cuda";
  amp?: boolean;
  structure_every?: number;
  max_failures?: number;
}

/** What POST experiments takes. */
export interface ExperimentBody {
  name: string;
  algorithms: { id: string; options: Options }[];
  space: string;
  space_options: Options;
  datasets: string[];
  dataset_options: Options[];
  seeds: number[];
  budget: Partial<Record<BudgetKind, number>> | null;
  training: Options;
  finale: Options;
  runtime: RuntimeOptions;
}

export interface FieldProblem {
  field: string;
  message: string;
  code: string;
}

export interface Validation {
  valid: boolean;
  problems: FieldProblem[];
  /** What to know before the start although nothing is wrong. */
  advice: string[];
}

export interface RunEstimate {
  algorithm: string;
  seed: number;
  samples: number | null;
  seconds: number | null;
  steps: number | null;
  trials: number | null;
  note: string;
  advice: string[];
}

export interface Estimate {
  id: string;
  state: "queued" | "running" | "done" | "failed";
  result: { runs: RunEstimate[]; total_seconds: number | null } | null;
  reason: string;
}

export interface Model {
  id: string;
  run: string;
  experiment: { id: string; name: string };
  algorithm: AlgorithmName;
  space: string;
  datasets: string[];
  seed: number;
  index: number;
  role: "finalist" | "baseline";
  genome_hash: string;
  metrics: Record<string, number>;
  parameters: number | null;
  flops: number | null;
  bundle: { size: number; sha256: string } | null;
  reason: string;
  created: string;
}

export interface Charged {
  samples: number;
  trials: number;
  seconds: number;
  flops: number;
}

export interface Run {
  id: string;
  experiment: { id: string; name: string };
  algorithm: AlgorithmName;
  options: Options;
  seed: number;
  space: string;
  datasets: string[];
  state: RunState;
  reason: string;
  budget: { kind: BudgetKind; limit: number } | null;
  charged: Charged;
  progress: { fraction: number | null; text: string; eta_seconds: number | null };
  phase: string;
  best: { value: number; metric: string; candidate: number | null; genome_hash: string } | null;
  last_seq: number;
  created: string;
  started: string | null;
  finished: string | null;
  reproducible: boolean;
  reproducible_note: string;
  worker: { name: string; device: string; threads: number } | null;
  counts: { candidates: number; trials: number; failed: number };
  models: Model[];
  /** Only in the detail of one run: the whole RunConfig. */
  config?: Record<string, unknown>;
}

export interface Experiment {
  id: string;
  name: string;
  created: string;
  space: string;
  datasets: string[];
  budget: { kind: BudgetKind; limit: number } | null;
  seeds: number[];
  config: ExperimentBody;
  states: Partial<Record<RunState, number>>;
  runs: Run[];
}

export interface EventPage {
  events: EventRecord[];
  last_seq: number;
  has_more: boolean;
}

export interface MetricSeries {
  steps: number[];
  samples: number[];
  values: number[];
}

export interface Snapshot {
  as_of_seq: number;
  run: Run;
  family: FamilyDeclared | null;
  structure: { step: number; groups: Record<string, string>; samples?: Record<string, string> } | null;
  champion: Champion | null;
  derived: DerivedGenome | null;
  incumbent: Incumbent | null;
  phases: PhaseStarted[];
  /** By source (`phase:0`, `final:0`, ...), then by the metric's name. */
  metrics: Record<string, Record<string, MetricSeries>>;
  candidates: {
    number: number[];
    value: (number | null)[];
    status: string[];
    operator: string[];
    parents: number[][];
    genome_hash: string[];
  };
  finalists: FinalistChosen[];
  models: Model[];
  notices: Notice[];
  decisions?: DecisionsDeclared | null;
  /** The newest of each kind of live picture; of charts and masks that of each source. */
  pictures?: (EventRecord["data"] & { source?: string })[];
  controls?: ControlScored[];
  reports?: Report[];
  /** The newest few hundred, the oldest first. */
  growth?: GrowthStep[];
}

/** History of one edge: `values` is base64 of float32, steps x operations. */
export interface StructureHistory {
  group: string;
  edge: number;
  operations: string[];
  steps: number[];
  values: string;
}

export interface Trial {
  id: string;
  run: string;
  number: number;
  candidate: number;
  state: "queued" | "running" | "completed" | "failed" | "cancelled";
  reason: string;
  value: number | null;
  metrics: Record<string, number>;
  cost: Record<string, number>;
  fidelity: Record<string, unknown>;
  reused_from: number | null;
  /** Answered from a benchmark table. */
  simulated: boolean;
  genome: string;
  genome_hash: string;
}

export interface Genome {
  id: string;
  run: string;
  hash: string;
  space: string;
  content: Record<string, unknown>;
  string: string;
  drawings: Record<string, GraphData>;
  candidates: number[];
}

export interface Worker {
  id: string;
  name: string;
  device: string;
  threads: number;
  host: string;
  pid: number;
  alive: boolean;
  last_seen: string;
  /** `run` is null where the run is somebody else's. */
  job: { id: string | null; kind: string; run: string | null } | null;
}

/** An entry point of an installed package that was left out when the server started. */
export interface Plugin {
  /** nascope.algorithms, nascope.spaces or nascope.datasets */
  group: string;
  name: string;
  value: string;
  /** Empty where the package's metadata does not tell. */
  package: string;
  version: string;
  reason: string;
}

export type TokenScope = "read" | "write";

export interface ApiToken {
  id: string;
  name: string;
  scope: TokenScope;
  created: string;
  last_used: string | null;
  /** Only in the answer that made it. */
  token?: string;
}
