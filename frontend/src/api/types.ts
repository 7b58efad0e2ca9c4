/** What the REST API sends and takes (`/api/v1/schema/` is its full description); the events' types are generated (src/types). */

import type { JsonSchema } from "../schema/jsonSchema";
import type {
  Assessment, Chart, ClassScores, EventRecord, FinalistChosen, ControlScored, GrowthStep, Incumbent, Notice, PhaseStarted, PopulationBlock, GraphData, Report, Score,
} from "../types/events.gen";

/** In the order in which a form offers them. */
export const BUDGET_KINDS = ["trials", "samples", "flops", "seconds"] as const;
export type BudgetKind = (typeof BUDGET_KINDS)[number];
/** What a run may spend. `count_repeats`: whether repeated trials, which cost nothing, count as trials of it. */
export interface BudgetInfo {
  kind: BudgetKind;
  limit: number;
  count_repeats: boolean;
}
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
  /** Kind of data (image, vector, series) for which it has no space -> why. */
  no_space_for: Record<string, string>;
  datasets: string[];
  budgets: BudgetKind[];
  /** Whether it has no plan that ends it. */
  needs_budget: boolean;
  /** What beginning with a finished model is called; empty = it cannot. */
  begins_with_model: string;
  /** Whether its first population can begin with architectures that are given. */
  begins_with_architectures: boolean;
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
  /** Ready-made choices of its options. */
  presets?: { id: string; title: string; sentence: string; options: Options }[];
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
  input_kind: "image" | "vector" | "series" | "none";
  task: "classification" | "regression" | "reconstruction";
  shape: { input: number[]; classes: number } | null;
  budgets: BudgetKind[];
  spaces: string[] | null;
  sizes: Record<string, number>;
  /** A sentence without which scores on it would be misread, or empty. */
  notice: string;
  metric: string;
  /** Where whoever asks has brought it: its id among their own. */
  own: string | null;
  available: boolean;
  missing_files: string[];
  schema: JsonSchema;
}

// ---- a person's own data, and what there is to see of any

export type OwnState = "uploading" | "uploaded" | "examining" | "examined" | "keeping" | "ready" | "failed";
export const COLUMN_KINDS = ["number", "category", "dropped", "target", "group", "time", "split"] as const;
export type ColumnKind = (typeof COLUMN_KINDS)[number];
export const SPLIT_KINDS = ["random", "stratified", "group", "time", "own"] as const;
export type SplitKind = (typeof SPLIT_KINDS)[number];
export type OwnTask = "classification" | "regression";

/** What its owner settles of an import; null and what is left out are as the file proposes. */
export interface DataChoices {
  title?: string | null;
  target?: string | null;
  task?: OwnTask | null;
  types?: Record<string, ColumnKind>;
  split?: SplitKind | null;
  split_column?: string | null;
  test_share?: number;
  validation_share?: number;
  seed?: number;
  side?: number | null;
  channels?: 1 | 3 | null;
  series?: "series" | "values" | "statistics" | null;
  encoding?: string | null;
  separator?: string | null;
  decimal?: "." | "," | null;
  duplicates?: "keep" | "drop";
}

export interface DataColumn {
  name: string;
  kind: ColumnKind;
  inferred: ColumnKind;
  why: string;
  missing: number;
  distinct: number;
  least: number | null;
  largest: number | null;
  mean: number | null;
  categories: string[];
  gives_away: number | null;
}

/** An example to look at: a picture (a PNG file in base64), a row, or one list of values for each channel. */
export interface DataSample {
  label: string;
  part: "search" | "test";
  row: string[] | null;
  picture: string | null;
  series: number[][] | null;
}

export interface DataFindings {
  kind: "vector" | "image" | "series";
  task: OwnTask;
  format: string;
  rows: number;
  columns: DataColumn[];
  target: string;
  class_names: string[];
  balance: { name: string; count: number; test: number }[];
  split: { kind: SplitKind; column: string | null; test_share: number; validation_share: number; seed: number; train: number; validation: number; pool: number; test: number; words: string };
  shape: number[];
  samples: DataSample[];
  notices: { code: string; message: string; count: number }[];
  source: { name: string; bytes: number; sha256: string };
}

export interface OwnDataset {
  id: string;
  purpose: "data" | "run";
  title: string;
  file_name: string;
  size: number;
  received: number;
  stored: number;
  state: OwnState;
  reason: string;
  progress: { done: number; text: string } | null;
  /** What experiments call it; empty until it is kept. */
  dataset: string;
  version: number;
  previous: string | null;
  created: string;
  touched: string;
  kind: "" | DataFindings["kind"];
  task: "" | OwnTask;
  rows: number | null;
  choices: DataChoices | null;
  findings: DataFindings | null;
}

/** A run, or an experiment, that is brought from elsewhere. */
export interface RunImport {
  id: string;
  file_name: string;
  size: number;
  received: number;
  state: "uploading" | "uploaded" | "examining" | "ready" | "failed";
  reason: string;
  progress: { done: number; text: string } | null;
  /** What it became. */
  experiment: string | null;
  runs: number;
  created: string;
}

export interface DataRoom {
  taken: number;
  most: number;
  most_of_a_file: number;
}

export interface DatasetUse {
  id: number;
  experiment: string;
  name: string;
  created: string;
  runs: number;
  open_runs: number;
}

export interface DatasetLook {
  dataset: string;
  state: "queued" | "running" | "done" | "failed";
  reason: string;
  result: {
    kind: DataFindings["kind"];
    task: string;
    shape: number[];
    train: number;
    validation: number;
    balance: { name: string; train: number; validation: number }[];
    samples: DataSample[];
    features: { name: string; mean: number; std: number; least: number; largest: number }[];
    features_left: number;
    notices: string[];
  } | null;
}

/** One combination that works. */
export interface Compatible {
  algorithm: string;
  space: string;
  dataset: string;
  budgets: BudgetKind[];
  /** Fields of an experiment's body that do nothing there; those of the algorithm begin with `options.`. */
  idle: { fields: string[]; why: string }[];
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
  /** Data files that it needs and that are not there. */
  missing_files?: string[];
  experiment: ExperimentBody;
}

// ---- experiments and runs

export type Options = Record<string, unknown>;

export interface RuntimeOptions {
  threads?: number;
  together?: number;
  device?: "auto" | "cpu" | "cuda";
  amp?: boolean;
  structure_every?: number;
  max_failures?: number;
}

/** What stands beside the scores of a model; no parts where its answers were not looked at. */
export type ModelAssessment = Pick<Assessment, "parts"> & { warnings: string[] };

/** One file of a download that can be had alone. */
export interface BundlePart {
  part: "onnx" | "program" | "card";
  file: string;
  size: number;
}

/** Whether the probabilities of a classifier mean what they say, on the test part at its one visit. */
export interface Calibration {
  error: number;
  examples: number;
  bins: { low: number; high: number; examples: number; confidence: number; accuracy: number }[];
}

interface Passes {
  seconds: number;
  /** Quartiles; null where an earlier version measured. */
  low?: number | null;
  high?: number | null;
  repeats: number;
  examples: number;
}

/** What of a model's download can be had alone, and what was measured beside its scores; null where it was not. */
export interface ModelContents {
  parts: BundlePart[];
  calibration: Calibration | null;
  /** How fast it answered on the machine that made it. */
  latency: { one: Passes; many: Passes; threads: number; processor: string; torch: string } | null;
}

/** The final training of a model, epoch by epoch; no points where the search itself finished it. */
export interface ModelCurves {
  points: { step: number; values: Record<string, number> }[];
}

/** What one gives to a model to be told something. */
export interface InputForm {
  kind: "picture" | "row" | "series" | "array";
  task: "classification" | "regression";
  /** Of one example: channels, height and width; channels and moments; or columns. */
  shape: number[];
  /** Of a row, in the model's order; empty where it has no names. */
  columns: { name: string; kind: "number" | "category"; categories: string[]; may_miss: boolean }[];
  /** Names of what it tells: classes, or values. */
  targets: string[];
  /** In the download: the text of a table, a picture in base64, or neither (an array). */
  sample: { file: string; text: string; picture: string; labels: string[] } | null;
}

/** `form` is null where nothing can be asked of the model here, and `reason` says why. */
export interface ModelInput {
  form: InputForm | null;
  reason: string;
  most_bytes: number;
  most_examples: number;
  seconds: number;
}

/** What a model says of one example: classes, the likeliest first, or values. */
export interface AnsweredExample {
  classes: { name: string; probability: number }[];
  values: { name: string; value: number }[];
}

export interface Answered {
  examples: AnsweredExample[];
  notes: string[];
  picture: { width: number; height: number; format: string; taken: number[] } | null;
  seconds: number;
  model_seconds: number;
}

/** A question to a model, and its answer once a worker has it. */
export interface Prediction {
  id: string;
  model: string;
  state: "queued" | "running" | "done" | "failed";
  /** Of a queued one: why it is not being answered yet. */
  waiting: string;
  reason: string;
  result: Answered | null;
  created: string;
}

/** What POST experiments takes. */
export interface ExperimentBody {
  name: string;
  algorithms: { id: string; options: Options }[];
  space: string;
  space_options: Options;
  datasets: string[];
  dataset_options: Options[];
  /** Id of the finished model that every run begins with. */
  model?: string | null;
  /** Id of the run with whose initial population every run begins. */
  population?: string | null;
  /** Id of the finished model whose architecture its runs train again. */
  retrains?: string | null;
  /** Architectures with which every run's first population begins, each as its space writes it or a genome's JSON. */
  start?: string[];
  seeds: number[];
  budget: Partial<Record<BudgetKind, number>> | null;
  count_repeats?: boolean;
  training: Options;
  /** Of a cross-validation by which candidates are scored; 1 or none = the data set's validation part. */
  folds?: number;
  /** By which metric runs are ranked; none = the data set's own. */
  objective?: string;
  finale: Options;
  runtime: RuntimeOptions;
}

/** What it takes to train a model's architecture again; `body` is null where it cannot be (`reason`). */
export interface Retraining {
  body: ExperimentBody | null;
  reason: string;
  /** Of the model's own training; null where it cannot be changed (`length_note`). */
  length: { unit: "epochs" | "steps"; count: number } | null;
  length_note: string;
  weights_note: string;
  /** To the test part so far. */
  visits: { part: string; data: number } | null;
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
  /** How the networks of each algorithm's finale are trained. */
  finish: string[];
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
  /** What the neediest piece between two checks for a stop takes: bytes of the whole worker, FLOPs. */
  unit?: { what: string; memory: number; flops: number } | null;
  /** Why it would be refused: one unit needs more than a worker may take. */
  problem?: FieldProblem | null;
}

export interface Estimate {
  id: string;
  state: "queued" | "running" | "done" | "failed";
  /** `data`: what to know of the data, split as the first run's seed divides them. Estimates of an earlier version lack it. */
  result: { runs: RunEstimate[]; data?: string[]; total_seconds: number | null } | null;
  reason: string;
}

/** Three figures that are never mixed. */
export interface Scores {
  /** By which the search ranked it; null where the search scores no architecture of its own. */
  search_score: Score | null;
  validation_score: Score | null;
  /** Taken once, when the network was finished; not to choose by. */
  test_score: Score | null;
}

/** How many finished networks were scored on the test part: of the run, of its experiment, of all of the person's runs that open the same one. */
export interface TestVisits {
  run: number;
  experiment: number;
  data: number;
  /** That test part in words: "digits (labels 3, 8)". */
  part: string;
  /** The same of each other test part that further data sets open. */
  further: { part: string; data: number }[];
}

/** A download as it was recorded, and what was found of it since. */
export interface Bundle {
  size: number;
  sha256: string;
  /** When its bytes were last held against that. */
  checked: string | null;
  /** What was found then; empty = it is whole. */
  damage: string;
  /** Of a damaged one: what can be done, or is being done, in words. */
  repair: string;
  rebuild: "no" | "possible" | "waiting";
}

export interface Model extends Scores {
  id: string;
  run: string;
  experiment: { id: string; name: string };
  algorithm: AlgorithmName;
  space: string;
  datasets: string[];
  seed: number;
  index: number;
  role: "finalist" | "baseline";
  /** What it is in the finale. */
  title: string;
  genome_hash: string;
  metrics: Record<string, number>;
  by_class: ClassScores[];
  warnings: string[];
  parameters: number | null;
  flops: number | null;
  bundle: Bundle | null;
  /** Searches that can begin with it. */
  begins: { algorithm: string; title: string; label: string }[];
  reason: string;
  created: string;
}

export interface Charged {
  samples: number;
  trials: number;
  seconds: number;
  flops: number;
}

export interface Continues {
  run: string | null;
  unit: string;
  have: number;
}

export interface Run extends Scores {
  id: string;
  experiment: { id: string; name: string };
  algorithm: AlgorithmName;
  options: Options;
  seed: number;
  space: string;
  datasets: string[];
  state: RunState;
  reason: string;
  /** Folder where another process (command line, Python) searches it: it is only shown here until it has ended. Empty = it is computed here. */
  elsewhere: string;
  /** It waits for space on the disk and then goes on by itself; pause it, and it stays paused. */
  resumes_itself: boolean;
  budget: BudgetInfo | null;
  charged: Charged;
  progress: { fraction: number | null; text: string; eta_seconds: number | null; eta_low_seconds?: number | null; eta_high_seconds?: number | null };
  phase: string;
  /** What the search prefers so far; its score is `search_score`. */
  best: { candidate: number | null; genome_hash: string } | null;
  /** What every value of its trials and candidates is. */
  search_measure: Pick<Score, "metric" | "name" | "unit" | "direction"> & { kind: "search" };
  test_visits: TestVisits;
  last_seq: number;
  created: string;
  started: string | null;
  finished: string | null;
  reproducible: boolean;
  reproducible_note: string;
  worker: { name: string; device: string; threads: number } | null;
  counts: { candidates: number; trials: number; failed: number; repeated: number; architectures: number };
  /** Its owner wants what it has found: its search ends, or has ended so. */
  ending: boolean;
  /** With how much of what its search could go on; `why_not` where `unit` is empty. */
  more: { unit: string; have: number; why_not: string };
  /** The search that it goes on with; its `run` is null where that was deleted. */
  continues: Continues | null;
  /** Why its best so far is not trained as an architecture; empty = it can be. */
  no_best: string;
  models: Model[];
  /** Only in the detail of one run: the whole RunConfig. */
  config?: Record<string, unknown>;
  /** Only there: how the networks of its finale are trained, in words, and what differs from the algorithm's own recipe. */
  finish?: { sentences: string[]; other_recipe: { fields: Record<string, { own: unknown; used: unknown }>; meaning: string } | null };
  /** Only there: the searches that it goes on with, the first in front, with their visits to the test part; runs that go on with its own. */
  lineage?: (Continues & { test_visits: number })[];
  continued_by?: string[];
  /** Only there: seconds of workers. */
  took?: { search: number; finale: number };
  /** Only there: the run whose best so far it trains. */
  best_of?: string | null;
}

export interface Imported {
  at: string;
  file: string;
  origin: "archive" | "folder" | "zipped folder";
  /** Of the NAScope that computed it; empty where that is not known. */
  version: string;
  versions: Record<string, string>;
  machine: string;
  /** When it was exported; null for a folder. */
  made: string | null;
  /** Found right when it was opened; empty for a folder. */
  digest: string;
}

export interface Experiment {
  id: string;
  name: string;
  created: string;
  space: string;
  datasets: string[];
  budget: BudgetInfo | null;
  seeds: number[];
  config: ExperimentBody;
  states: Partial<Record<RunState, number>>;
  test_visits: number;
  runs: Run[];
  /** Where its runs came from; null where they were made here. */
  imported?: Imported | null;
  /** Shared settings that some of its algorithms do not use, in words; only in the detail of one experiment. */
  unused?: string[];
}

export interface EventPage {
  events: EventRecord[];
  last_seq: number;
  has_more: boolean;
}

/** What an event said, with the event's number. */
export interface At<Data> {
  seq: number;
  data: Data;
}

/** Named numbers that one source says together, as columns; `seqs`, `steps` and `samples` each as what they are more than the one before. */
export interface Track {
  source: string;
  names: string[];
  seqs: number[];
  steps: number[];
  samples: number[];
  /** Of each name; null where it was no finite number. */
  values: (number | null)[][];
}

/** Candidates in birth order. `number`, `born` and `samples` each as what they are more than the one before. */
export interface CandidateColumns {
  number: number[];
  /** Number of the event. */
  born: number[];
  /** So many events after its birth; 0 = not yet. */
  told: number[];
  value: (number | null)[];
  samples: number[];
  statuses: string[];
  status: number[];
  operators: string[];
  operator: number[];
  parents: number[][];
  /** Number of the first candidate with the same genome; null = itself. */
  same_as: (number | null)[];
  reused_from: (number | null)[];
  /** By number: why it failed. */
  reasons: Record<string, string>;
  /** By number: what makes a candidate's figures say less than they seem to. */
  warnings: Record<string, string[]>;
}

/** When things happened; `seqs`, `ticks` and `marks` each as what they are more than the one before. */
export interface TimelineColumns {
  seqs: number[];
  /** Active seconds. */
  at: number[];
  /** Seconds since the epoch of the newest event. */
  time: number | null;
  /** Where the picture changes. */
  ticks: number[];
  /** New bests and champions. */
  marks: number[];
}

/** What a run showed when its event `at` had come: the newest of every kind of which only the newest matters. */
export interface Moment {
  at: number;
  events: EventRecord[];
  /** Where the run has more than a snapshot holds. */
  candidates: CandidateColumns | null;
}

/** A run as it stands, with all of its past that adds up. */
export interface Snapshot {
  as_of_seq: number;
  run: Run;
  /** What a moment gives, at the newest. */
  events: EventRecord[];
  timeline: TimelineColumns;
  curves: Track[];
  candidates: CandidateColumns;
  /** Without their genomes. */
  incumbents: At<Incumbent>[];
  phases: At<PhaseStarted>[];
  notices: At<Notice>[];
  finalists: At<FinalistChosen>[];
  controls: At<ControlScored>[];
  reports: At<Report>[];
  /** Thinned, but for the newest. */
  growth: At<GrowthStep>[];
  /** Generations that live in memory, thinned. */
  population: At<PopulationBlock>[];
  /** The newest that a log tells of, without genomes, graphs and charts. */
  log: EventRecord[];
}

export interface Candidate {
  number: number;
  /** Id of its genome. */
  genome: string;
  genome_hash: string;
  /** Its genome in the space's own text form. */
  string: string;
  parents: number[];
  operator: string;
  born_seq: number;
  /** What its trial measured; empty while it is open, and where it failed. */
  metrics: Record<string, number>;
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
  warnings: string[];
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

export interface ArchitectureBody {
  text: string;
  /** Empty = as the text says. */
  space?: string;
  space_options?: Options;
}

/** What a text describes. */
export interface Architecture {
  space: string;
  space_title: string;
  space_options: Options;
  /** As its space writes it. */
  string: string;
  /** What a run is given of it. */
  text: string;
  genome: { space: string; content: Record<string, unknown> };
  hash: string;
  drawings: Record<string, GraphData>;
  /** Whether some data set fits on which it can be trained. */
  trains: boolean;
  /** Algorithms whose first population can begin with it. */
  searches: { id: string; title: string }[];
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

// ---- the atlas

export interface AtlasSource {
  id: string;
  authors: string;
  title: string;
  kind: string;
  where: string;
  year: number;
  language: string;
}

/** The newest fitting run of whoever asks. */
export interface AtlasRun {
  id: string;
  experiment: { id: string; name: string };
  seed: number;
  dataset: string;
  finished: string | null;
}

export interface AtlasPicture {
  title: string;
  /** Id of a picture of the run page. */
  picture: string;
  algorithm: string;
  run: AtlasRun | null;
  /** What it needs and this installation does not have. */
  lacking: string[];
}

/** A ready-made search. */
export interface AtlasSearch {
  id: string;
  title: string;
  installed: boolean;
}

export interface AtlasForm {
  title: string;
  algorithm: string;
  dataset: string;
  installed: boolean;
}

export interface AtlasEntryInfo {
  id: string;
  source: string;
  kind: "figure" | "table";
  number: number;
  section: string;
  title: string;
  shows: string;
  here: string;
  notes: string[];
  pictures: AtlasPicture[];
  searches: AtlasSearch[];
  forms: AtlasForm[];
  explore: string;
  page: string;
  lacking: string[];
}

export interface Atlas {
  sources: AtlasSource[];
  entries: AtlasEntryInfo[];
}

export interface AtlasEstimate {
  value: number;
  runs: number;
  low: number | null;
  high: number | null;
  /** Pairs of equal seeds that the interval is of; 0 where it is of single runs. */
  pairs: number;
}

export interface AtlasCell {
  column: string;
  published: number;
  recomputed: number | null;
  agrees: boolean | null;
  /** From the runs that come with the program. */
  recorded: AtlasEstimate | null;
  /** From the runs of whoever asks. */
  ours: AtlasEstimate | null;
}

export interface AtlasRow {
  key: string;
  title: string;
  unit: string;
  decimals: number;
  /** Of which group of runs it is; empty where it compares two. */
  group: string;
  cells: AtlasCell[];
}

export interface AtlasScale {
  title: string;
  published: number | null;
  stated: string;
  ours: number[];
}

/** The runs that stand beside one column, and how far they can be compared with what is published. */
export interface AtlasRuns {
  dataset: string;
  dataset_title: string;
  notice: string;
  same_data: boolean;
  runs: Record<string, number>;
  failed: number;
  scale: AtlasScale[];
}

/** All of one experiment of whoever asks. */
export interface AtlasOurs extends AtlasRuns {
  experiment: { id: string; name: string };
}

/** Those that come with the program: of a ready-made search, run once by the project. */
export interface AtlasRecorded extends AtlasRuns {
  search: AtlasSearch;
  date: string;
  machine: string;
}

export interface AtlasColumn {
  key: string;
  title: string;
  setup: Record<string, string>;
  searches: AtlasSearch[];
  available: boolean;
  recorded: AtlasRecorded | null;
  ours: AtlasOurs | null;
}

export interface AtlasEntry extends AtlasEntryInfo {
  published: AtlasSource;
  table: { columns: AtlasColumn[]; rows: AtlasRow[] } | null;
  charts: Chart[];
}
