/** Every endpoint the application uses, as one typed function each. */
import { apiPath, del, get, getPage, post, request } from "./client";
import type {
  Algorithm,
  ApiToken,
  Architecture,
  ArchitectureBody,
  Atlas,
  AtlasEntry,
  BundlePart,
  Candidate,
  Compatible,
  DataChoices,
  DataRoom,
  Dataset,
  DatasetLook,
  DatasetUse,
  Estimate,
  EventPage,
  Experiment,
  ExperimentBody,
  Genome,
  Me,
  Model,
  ModelAssessment,
  ModelContents,
  ModelCurves,
  ModelInput,
  Moment,
  OwnDataset,
  RunImport,
  Page,
  Plugin,
  Prediction,
  Preset,
  Retraining,
  Run,
  RunSchema,
  SearchSpace,
  Snapshot,
  TokenScope,
  Trial,
  Validation,
  Worker,
} from "./types";

type Signal = AbortSignal | undefined;
type Cursor = string | null;

/** A list endpoint answers with a bare list or with a page; either is taken. */
async function list<Item>(path: string, signal?: AbortSignal): Promise<Item[]> {
  const answer = await get<Item[] | Page<Item>>(path, signal);
  return Array.isArray(answer) ? answer : answer.results;
}

// ---- account
export const getMe = (signal?: Signal) => get<Me>("me", signal);
export const login = (username: string, password: string) => post<Me>("auth/login", { username, password });
export const logout = () => post<null>("auth/logout");
export const getTokens = (signal?: Signal) => list<ApiToken>("tokens", signal);
export const createToken = (name: string, scope: TokenScope) => post<ApiToken>("tokens", { name, scope });
export const deleteToken = (id: string) => del(`tokens/${id}`);

// ---- catalogue
export const getAlgorithms = (signal?: Signal) => list<Algorithm>("algorithms", signal);
export const getSpaces = (signal?: Signal) => list<SearchSpace>("search-spaces", signal);
export const getDatasets = (signal?: Signal) => list<Dataset>("datasets", signal);
export const getCompatibility = (signal?: Signal) => list<Compatible>("compatibility", signal);
export const getRunSchema = (signal?: Signal) => get<RunSchema>("run-schema", signal);
export const getPresets = (signal?: Signal) => list<Preset>("presets", signal);

/** What a text describes. */
export const readArchitecture = (body: ArchitectureBody, signal?: Signal) => post<Architecture>("architectures", body, signal ? { signal } : {});

export const getAtlas = (signal?: Signal) => get<Atlas>("atlas", signal);
export const getAtlasEntry = (id: string, signal?: Signal) => get<AtlasEntry>(`atlas/${encodeURIComponent(id)}`, signal);

// ---- data
export const getOwnDatasets = (cursor: Cursor, signal?: Signal) => getPage<OwnDataset>("own-datasets", cursor, {}, signal);
export const getOwnDataset = (id: string, signal?: Signal) => get<OwnDataset>(`own-datasets/${id}`, signal);
export const examineDataset = (id: string, choices: DataChoices) => post<OwnDataset>(`own-datasets/${id}/examine`, choices);
export const keepDataset = (id: string) => post<OwnDataset>(`own-datasets/${id}/keep`);
export const cancelImport = (id: string) => post<OwnDataset>(`own-datasets/${id}/cancel`);
/** `inUse`: although experiments use it. */
export const deleteOwnDataset = (id: string, inUse: boolean) => del(apiPath(`own-datasets/${id}`, { in_use: inUse ? "remove" : "" }));
// ---- runs from elsewhere
export const getRunImports = (cursor: Cursor, signal?: Signal) => getPage<RunImport>("run-imports", cursor, {}, signal);
export const cancelRunImport = (id: string) => post<RunImport>(`run-imports/${id}/cancel`);
export const deleteRunImport = (id: string) => del(`run-imports/${id}`);
export const runExportUrl = (id: string) => apiPath(`/api/v1/runs/${id}/export`, {});
export const experimentExportUrl = (id: string) => apiPath(`/api/v1/experiments/${id}/export`, {});

export const getDataRoom = (signal?: Signal) => get<DataRoom>("data-room", signal);
export const getDatasetUses = (dataset: string, cursor: Cursor, signal?: Signal) =>
  getPage<DatasetUse>(`datasets/${encodeURIComponent(dataset)}/uses`, cursor, {}, signal);
/** Asks a worker for it where nobody did. */
export const askDatasetLook = (dataset: string, signal?: Signal) =>
  post<DatasetLook>(`datasets/${encodeURIComponent(dataset)}/look`, {}, signal ? { signal } : {});

// ---- experiments
export const getExperiments = (cursor: Cursor, signal?: Signal, limit?: number) => getPage<Experiment>("experiments", cursor, { limit }, signal);
export const getExperiment = (id: string, signal?: Signal) => get<Experiment>(`experiments/${id}`, signal);
export const deleteExperiment = (id: string) => del(`experiments/${id}`);
export const validateExperiment = (body: ExperimentBody, signal?: Signal) =>
  post<Validation>("experiments/validate", body, signal ? { signal } : {});
/** `key` makes a repeated click or a retried request start one experiment, not two. */
export const createExperiment = (body: ExperimentBody, key: string) =>
  post<Experiment>("experiments", body, { headers: { "Idempotency-Key": key } });
export const createEstimate = (body: ExperimentBody, signal?: Signal) => post<Estimate>("estimates", body, signal ? { signal } : {});
export const getEstimate = (id: string, signal?: Signal) => get<Estimate>(`estimates/${id}`, signal);

// ---- runs
export const getRuns = (cursor: Cursor, experiment?: string, signal?: Signal) => getPage<Run>("runs", cursor, { experiment }, signal);
export const getRun = (id: string, signal?: Signal) => get<Run>(`runs/${id}`, signal);
export const deleteRun = (id: string) => del(`runs/${id}`);
export const pauseRun = (id: string) => post<Run>(`runs/${id}/pause`);
export const resumeRun = (id: string) => post<Run>(`runs/${id}/resume`);
export const cancelRun = (id: string) => post<Run>(`runs/${id}/cancel`);
export const cloneRun = (id: string, seed?: number) => post<Run>(`runs/${id}/clone`, seed === undefined ? {} : { seed });
export const finishRun = (id: string) => post<Run>(`runs/${id}/finish`);
export const moreOfRun = (id: string, unit: string, more: number) => post<Run>(`runs/${id}/more`, { unit, more });
export const bestOfRun = (id: string) => post<Experiment>(`runs/${id}/best`);
export const getRunEvents = (id: string, after: number, limit = 1000, signal?: Signal) =>
  get<EventPage>(apiPath(`runs/${id}/events`, { after, limit }), signal);
export const getSnapshot = (id: string, signal?: Signal) => get<Snapshot>(`runs/${id}/snapshot`, signal);
export const getMoment = (id: string, at: number, signal?: Signal) => get<Moment>(apiPath(`runs/${id}/moment`, { at }), signal);
export const getTrials = (run: string, cursor: Cursor, order: "number" | "-value" = "number", signal?: Signal) =>
  getPage<Trial>("trials", cursor, { run, order }, signal);
export const getCandidates = (run: string, from: number, limit: number, signal?: Signal) => getPage<Candidate>("candidates", null, { run, from, limit }, signal);
export const getGenome = (id: string, signal?: Signal) => get<Genome>(`genomes/${id}`, signal);
export const findGenomes = (run: string, hash: string, signal?: Signal) => getPage<Genome>("genomes", null, { run, hash }, signal);

// ---- models and machinery
export const getModels = (cursor: Cursor, signal?: Signal) => getPage<Model>("models", cursor, {}, signal);
export const getModel = (id: string, signal?: Signal) => get<Model>(`models/${id}`, signal);
export const getModelAssessment = (id: string, signal?: Signal) => get<ModelAssessment>(`models/${id}/assessment`, signal);
export const rebuildModel = (id: string) => post<Model>(`models/${id}/rebuild`, {});
export const getModelContents = (id: string, signal?: Signal) => get<ModelContents>(`models/${id}/contents`, signal);
export const getRetraining = (id: string, signal?: Signal) => get<Retraining>(`models/${id}/retraining`, signal);
export const getModelCurves = (id: string, signal?: Signal) => get<ModelCurves>(`models/${id}/curves`, signal);
export const getModelInput = (id: string, signal?: Signal) => get<ModelInput>(`models/${id}/input`, signal);
/** Asks a model about the bytes of a file; null asks about the sample in its download. */
export const askModel = (id: string, file: Blob | null, name: string, invert: boolean) =>
  request<Prediction>("POST", apiPath(`models/${id}/predictions`, { name, sample: file ? null : "yes", invert: invert ? "yes" : null }), { bytes: file ?? new Blob([]) });
export const getPrediction = (id: string, signal?: Signal) => get<Prediction>(`predictions/${id}`, signal);
export const deletePrediction = (id: string) => del(`predictions/${id}`);
export const modelDownloadUrl = (id: string, part?: BundlePart["part"]) => apiPath(`/api/v1/models/${id}/download`, { part });
export const getWorkers = (signal?: Signal) => list<Worker>("workers", signal);
export const getPlugins = (signal?: Signal) => list<Plugin>("plugins", signal);
