import { useMemo } from "react";
import {
  getAlgorithms,
  getCompatibility,
  getDatasets,
  getExperiment,
  getModel,
  getPlugins,
  getPresets,
  getRun,
  getRunSchema,
  getSpaces,
  readArchitecture,
} from "../../api/resources";
import { ApiError } from "../../api/problem";
import type { Model, RunSchema } from "../../api/types";
import { useResource } from "../../api/useResource";
import { Link, useLocation } from "../../app/router";
import { paths } from "../../app/routes";
import { useTitle } from "../../app/useTitle";
import { Failure, Skeleton } from "../../ui/States";
import type { Catalogue } from "./compatibility";
import { fromAddress, readOptions } from "../architecture/address";
import { draftFromBody, draftFromRun, draftOfArchitecture, formsOf, newDraft, type Draft, type Forms } from "./draft";
import { ExperimentForm } from "./ExperimentForm";
import { namedBy, sentences, unknownOf } from "./unknown";
import "./new.css";

interface Loaded {
  catalogue: Catalogue;
  schemas: RunSchema;
  forms: Forms;
  draft: Draft;
  /** What every run begins with, if that is a finished model. */
  given: Model | null;
  origin: string;
  /** What was asked for and is not here, in sentences. */
  missing: string[];
}

async function load(query: URLSearchParams, signal: AbortSignal): Promise<Loaded> {
  const [algorithms, spaces, datasets, compatibility, schemas] = await Promise.all([
    getAlgorithms(signal),
    getSpaces(signal),
    getDatasets(signal),
    getCompatibility(signal),
    getRunSchema(signal),
  ]);
  const catalogue: Catalogue = { algorithms, spaces, datasets, compatibility };
  const forms = formsOf(catalogue, schemas);
  const { draft, origin, unread } = await firstDraft(query, catalogue, forms, signal);
  const given = draft.model === null ? null : await modelOrNothing(draft.model, signal);
  const unknown = unknownOf(namedBy(query, draft), catalogue);
  const missing = unknown.length > 0 ? sentences(unknown, await getPlugins(signal)) : [];
  if (unread) missing.push(unread);
  const preset = query.get("preset");
  if (preset && !origin) missing.push("There is no ready-made search of that name on this server.");
  if (draft.model !== null && given === null) missing.push("The model that its runs began with is not among yours any more.");
  return { catalogue, schemas, forms, draft, given, origin, missing };
}

async function modelOrNothing(id: string, signal: AbortSignal): Promise<Model | null> {
  try {
    return await getModel(id, signal);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

interface First {
  draft: Draft;
  origin: string;
  /** Why what was asked for is not there. */
  unread?: string;
}

/** `?architecture=` of `?space=` with `?options=`, to `?use=`. */
async function fromArchitecture(query: URLSearchParams, catalogue: Catalogue, forms: Forms, signal: AbortSignal): Promise<First> {
  const text = fromAddress(query.get("architecture") ?? "");
  const nothing = (unread: string) => ({ draft: newDraft(catalogue), origin: "", unread });
  if (!text) return nothing("The architecture is too long for an address, and this tab does not keep it any more: paste it again.");
  try {
    const found = await readArchitecture({ text, space: query.get("space") ?? "", space_options: readOptions(query.get("options")) }, signal);
    const train = query.get("use") !== "start";
    const origin = train ? `Trains an architecture of the space '${found.space_title}'.` : `A search that starts from an architecture of the space '${found.space_title}'.`;
    return { draft: draftOfArchitecture(found, train ? "train" : "start", forms, catalogue), origin };
  } catch (error) {
    if (error instanceof ApiError && error.status === 400) return nothing(`The architecture could not be read. ${error.message}`);
    throw error;
  }
}

/** What the form starts from: `?architecture=`, `?population=`, `?run=`, `?experiment=`, `?preset=`, `?model=`, or `?dataset=`; with `?algorithm=`. */
async function firstDraft(query: URLSearchParams, catalogue: Catalogue, forms: Forms, signal: AbortSignal): Promise<First> {
  if (query.has("architecture")) return fromArchitecture(query, catalogue, forms, signal);
  const population = query.get("population");
  if (population) {
    const source = await getRun(population, signal);
    return { draft: draftFromRun(source, forms, catalogue, { population }), origin: `Settings of ${source.algorithm.title}, seed ${source.seed}, in '${source.experiment.name}', with its initial population.` };
  }
  const run = query.get("run");
  if (run) {
    const source = await getRun(run, signal);
    const given = source.config?.["model"] || source.config?.["population"] ? (await getExperiment(source.experiment.id, signal)).config : {};
    return { draft: draftFromRun(source, forms, catalogue, given), origin: `Settings of ${source.algorithm.title}, seed ${source.seed}, in '${source.experiment.name}'.` };
  }
  const experiment = query.get("experiment");
  if (experiment) {
    const source = await getExperiment(experiment, signal);
    return { draft: draftFromBody(source.config, forms, catalogue), origin: `Settings of '${source.name}'.` };
  }
  const preset = query.get("preset");
  if (preset) {
    const source = (await getPresets(signal)).find((item) => item.id === preset);
    if (source) return { draft: draftFromBody(source.experiment, forms, catalogue), origin: `Settings of the ready-made search '${source.title}'.` };
  }
  const model = query.get("model");
  if (model) {
    const source = await getModel(model, signal);
    const its = draftFromRun(await getRun(source.run, signal), forms, catalogue);
    const draft = newDraft(catalogue, { model: source, algorithm: query.get("algorithm") });
    // The same examples with the same options; the test part stays the one that was set aside.
    return { draft: { ...draft, datasets: its.datasets.filter(({ id }) => id === source.datasets[0]) }, origin: "" };
  }
  return { draft: newDraft(catalogue, { dataset: query.get("dataset"), algorithm: query.get("algorithm") }), origin: "" };
}

/** Loads the catalogue and what to start from, then shows the form. */
export function NewExperimentPage() {
  useTitle("New experiment");
  const { query } = useLocation();
  const text = query.toString();
  const loaded = useResource(`new?${text}`, (signal) => load(new URLSearchParams(text), signal));
  const form = useMemo(() => loaded.data && <ExperimentForm key={text} {...loaded.data} />, [loaded.data, text]);
  return (
    <div className="page page-new">
      <div className="page-head">
        <div>
          <h1>New experiment</h1>
          <p>
            {loaded.data?.origin || "Each algorithm and each seed becomes one run. All of them get the same data, search space and budget."}{" "}
            {!loaded.data?.origin && (
              <>
                You have an architecture already? <Link to={paths.architecture()}>Paste it</Link>.
              </>
            )}
          </p>
        </div>
      </div>
      {loaded.loading && <Skeleton lines={8} label="Loading the catalogue" />}
      {loaded.error !== undefined && !loaded.data && <Failure what="The form could not be prepared" error={loaded.error} retry={loaded.reload} />}
      {loaded.data?.missing.map((sentence) => (
        <p key={sentence} className="error-text" role="alert">
          {sentence}
        </p>
      ))}
      {form}
    </div>
  );
}
