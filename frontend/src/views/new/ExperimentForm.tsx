import { useCallback, useMemo, useRef, useState } from "react";
import { ApiError } from "../../api/problem";
import { createExperiment } from "../../api/resources";
import type { Model, RunSchema } from "../../api/types";
import { Link, navigate } from "../../app/router";
import { paths } from "../../app/routes";
import { useShortcuts } from "../../app/shortcuts";
import { fieldId, SchemaForm } from "../../schema/SchemaForm";
import type { Field, Values } from "../../schema/model";
import { Button } from "../../ui/Button";
import { Panel } from "../../ui/Panel";
import { linkified } from "../../ui/linkified";
import { toastError } from "../../ui/toast";
import { count, metric, plural } from "../../ui/format";
import { choiceNote } from "../datasetText";
import { newKey } from "../newKey";
import { AlgorithmOptions } from "./AlgorithmOptions";
import { Choices } from "./Choices";
import { algorithmClosed, budgetsFor, datasetClosed, needBudget, spaceClosed, type Catalogue } from "./compatibility";
import { DatasetList } from "./DatasetList";
import { bodyOf, readSeeds, withAlgorithms, withDataset, withOnly, withSpace, type Draft, type Forms } from "./draft";
import { Fold } from "./Fold";
import { idleOf } from "./idle";
import { OwnOptions } from "./OwnOptions";
import { nameOfPath } from "./pathNames";
import { SpacePresets } from "./SpacePresets";
import { SeedsAndBudget } from "./SeedsAndBudget";
import { StartBox } from "./StartBox";
import { adviceOf, byPath, estimatedProblems, localProblems, useEstimate, useServerCheck } from "./useChecks";

export interface ExperimentFormProps {
  catalogue: Catalogue;
  schemas: RunSchema;
  forms: Forms;
  draft: Draft;
  given: Model | null;
}

const startsWith = (problems: ReadonlyMap<string, string>, prefix: string) => [...problems.keys()].some((path) => path === prefix || path.startsWith(`${prefix}.`));

/** The whole form. The draft is its only state; what may be chosen, what is wrong and what it costs follow from it. */
export function ExperimentForm({ catalogue, schemas, forms, draft: first, given }: ExperimentFormProps) {
  const [draft, setDraft] = useState(first);
  const [eager, setEager] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<{ body: string; problems: Map<string, string> } | null>(null);
  const change = useCallback((part: Partial<Draft>) => setDraft((old) => ({ ...old, ...part })), []);

  const datasets = draft.datasets.flatMap(({ id }) => catalogue.datasets.find((item) => item.id === id) ?? []);
  const [dataset] = datasets;
  const space = catalogue.spaces.find((item) => item.id === draft.space);
  const ids = draft.algorithms.map((item) => item.id);
  const chosen = ids.flatMap((id) => catalogue.algorithms.find((item) => item.id === id) ?? []);
  const inOrder = draft.datasets.length > 1 || chosen.some((item) => item.domains.most > 1);
  const idle = useMemo(() => idleOf(catalogue, draft), [catalogue, draft]);

  const body = useMemo(() => bodyOf(draft), [draft]);
  const text = useMemo(() => JSON.stringify(body), [body]);
  const local = useMemo(() => localProblems(draft, catalogue, schemas, forms), [draft, catalogue, schemas, forms]);
  const server = useServerCheck(local.size === 0 ? body : null);
  const known = useMemo(() => {
    const all = new Map(local);
    const more = refused?.body === text ? [...server.problems, ...refused.problems] : server.problems;
    for (const [path, message] of more) if (!all.has(path)) all.set(path, message);
    return all;
  }, [local, server.problems, refused, text]);
  const checked = server.fresh && server.error === null;
  const estimate = useEstimate(checked && known.size === 0 ? body : null);
  const problems = useMemo(() => (known.size > 0 ? known : estimatedProblems(estimate.estimate)), [known, estimate]);

  const seeds = readSeeds(draft.seeds);
  const seedCount = typeof seeds === "string" ? 0 : seeds.length;
  const titleOf = (id: string) => catalogue.algorithms.find((item) => item.id === id)?.title ?? id;
  const nameOf = (path: string) => nameOfPath(path, forms, draft, titleOf);

  const key = useRef({ body: "", key: "" });
  const start = async () => {
    if (busy) return;
    const wrong = [...problems.keys()][0];
    if (wrong !== undefined) {
      setEager(true);
      requestAnimationFrame(() => document.getElementById(fieldId(wrong))?.focus());
      return;
    }
    // The same body keeps its key, so a repeated click after a lost answer cannot start a second experiment.
    if (key.current.body !== text) key.current = { body: text, key: newKey() };
    setBusy(true);
    try {
      const experiment = await createExperiment(body, key.current.key);
      const only = experiment.runs.length === 1 ? experiment.runs[0] : undefined;
      navigate(only ? paths.run(only.id) : paths.experiment(experiment.id));
    } catch (error) {
      const found = error instanceof ApiError ? byPath(error.problems.length > 0 ? error.problems : error.field ? [{ field: error.field, message: error.message, code: error.code }] : []) : new Map();
      if (found.size > 0) {
        setRefused({ body: text, problems: found });
        setEager(true);
      } else {
        toastError(error);
      }
      if (error instanceof ApiError && error.status !== 0) key.current = { body: "", key: "" };
      setBusy(false);
    }
  };
  useShortcuts("New experiment", [{ keys: "Ctrl+Enter", what: "Start", run: () => void start() }]);

  const setAlgorithm = (index: number, options: Values) =>
    change({ algorithms: draft.algorithms.map((item, place) => (place === index ? { ...item, options } : item)) });
  const setAlgorithms = (algorithms: Draft["algorithms"]) => setDraft((old) => withAlgorithms(catalogue, old, algorithms));
  const unused = (path: string, fields: Field[]) => {
    const whys = fields.map((field) => idle.get(`${path}.${field.name}`));
    return whys.every((item) => item?.by === null) ? `not used: ${whys[0]?.why}` : null;
  };
  const kinds = budgetsFor(catalogue, ids, draft.space, draft.datasets.map((item) => item.id));
  const mustStop = needBudget(catalogue, ids).map((item) => item.title);

  return (
    <div className="new-columns">
      <div className="new-form">
        {draft.model !== null && (
          <Panel title="Begins with a finished model" actions={<Button small onClick={() => change({ model: null })}>Begin with nothing instead</Button>}>
            <div id={fieldId("model")} tabIndex={-1}>
              {given && (
                <p>
                  {given.title || "The network"} of <Link to={paths.run(given.run)}>{given.experiment.name}</Link>, found by {given.algorithm.title} in {given.space}, seed {given.seed}
                  {given.parameters !== null && `, ${count(given.parameters)} parameters`}
                  {given.test_score && `; ${given.test_score.name} ${metric(given.test_score.value)}`}.
                </p>
              )}
              <p className="muted small">Its architecture and its weights. Whatever comes out of it is scored on the same test part once more: each such visit is counted.</p>
            </div>
            {problems.has("model") && <p className="error-text">{problems.get("model")}</p>}
          </Panel>
        )}
        {draft.population !== null && (
          <Panel title="Begins with a given population" actions={<Button small onClick={() => change({ population: null })}>Draw one instead</Button>}>
            <div id={fieldId("population")} tabIndex={-1}>
              <p>
                The initial population of <Link to={paths.run(draft.population)}>this run</Link>, whatever the seed: the space, its options and the sizes of the population must be its own.
              </p>
            </div>
            {problems.has("population") && <p className="error-text">{problems.get("population")}</p>}
          </Panel>
        )}
        {draft.start.length > 0 && (
          <Panel
            title={draft.start.length === 1 ? "Begins with a given architecture" : `Begins with ${draft.start.length} given architectures`}
            actions={<Button small onClick={() => change({ start: [] })}>Draw the population instead</Button>}
          >
            <div id={fieldId("start")} tabIndex={-1} className="stack">
              {draft.start.map((text) => (
                <code key={text} className="given-text">
                  {text}
                </code>
              ))}
              <p className="muted small">The first of each run's population. The others are children by one mutation each, drawn by the run's seed.</p>
            </div>
            {problems.has("start") && <p className="error-text">{problems.get("start")}</p>}
          </Panel>
        )}
        <Panel title="Data" note={inOrder ? `${plural(draft.datasets.length, "data set")}, in order` : dataset?.description}>
          {inOrder ? (
            <DatasetList
              catalogue={catalogue}
              forms={forms}
              datasets={draft.datasets}
              space={draft.space}
              algorithms={chosen}
              problems={problems}
              eager={eager}
              onChange={(list) => change({ datasets: list })}
            />
          ) : (
            <>
              <div id={fieldId("datasets.0")} tabIndex={-1}>
                <Choices
                  label="Data set"
                  chosen={draft.datasets.map((item) => item.id)}
                  onChange={(id) => setDraft((old) => withDataset(catalogue, old, id))}
                  choices={catalogue.datasets.map((item) => ({ id: item.id, title: item.title, note: choiceNote(item), closed: datasetClosed(catalogue, item) }))}
                />
              </div>
              {["datasets.0", "datasets"].flatMap((path) => problems.get(path) ?? []).map((message) => (
                <p key={message} className="error-text">
                  {message}
                </p>
              ))}
              <OwnOptions
                key={dataset?.id}
                fields={forms.datasets.get(dataset?.id ?? "")}
                values={draft.datasets[0]?.options ?? {}}
                onChange={(options) => dataset && change({ datasets: [{ id: dataset.id, options }] })}
                path="dataset_options.0"
                problems={problems}
                eager={eager}
              />
            </>
          )}
        </Panel>

        <Panel title="Search space" note={space && linkified(space.source)}>
          <div id={fieldId("space")} tabIndex={-1}>
            <Choices
              label="Search space"
              chosen={[draft.space]}
              onChange={(id) => setDraft((old) => withSpace(catalogue, old, id))}
              choices={catalogue.spaces.map((item) => {
                const closed = spaceClosed(catalogue, item, dataset);
                const opening = closed?.dataset;
                return {
                  id: item.id,
                  title: item.title,
                  note: item.description,
                  closed: closed?.reason ?? null,
                  remedy: opening && (
                    <Button small kind="quiet" onClick={() => setDraft((old) => withSpace(catalogue, withDataset(catalogue, old, opening.id), item.id))}>
                      Take {opening.title} with it
                    </Button>
                  ),
                };
              })}
            />
          </div>
          {problems.has("space") && <p className="error-text">{problems.get("space")}</p>}
          <SpacePresets space={space} fields={forms.spaces.get(draft.space)} values={draft.spaceOptions} onChange={(spaceOptions) => change({ spaceOptions })} />
          <OwnOptions
            key={draft.space}
            fields={forms.spaces.get(draft.space)}
            values={draft.spaceOptions}
            onChange={(spaceOptions) => change({ spaceOptions })}
            path="space_options"
            problems={problems}
            eager={eager}
            idle={idle}
          />
        </Panel>

        <Panel title="Algorithms" note="one, or several to compare">
          <div id={fieldId("algorithms")} tabIndex={-1}>
            <Choices
              label="Algorithms"
              several
              chosen={ids}
              onChange={(id, on) => setAlgorithms(on ? [...draft.algorithms, { id, options: {} }] : draft.algorithms.filter((item) => item.id !== id))}
              choices={catalogue.algorithms.map((item) => {
                const closed = algorithmClosed(catalogue, item, space, datasets, chosen, { model: draft.model !== null, architectures: draft.start.length > 0 });
                const opening = closed?.space ?? (closed?.alone ? space : null);
                return {
                  id: item.id,
                  title: item.title,
                  note: item.summary,
                  closed: closed?.reason ?? null,
                  remedy: opening && (
                    <Button small kind="quiet" onClick={() => setDraft((old) => withOnly(catalogue, old, item.id, opening.id))}>
                      {closed?.alone ? "Search with it alone" : `Search ${opening.title} with it`}
                    </Button>
                  ),
                };
              })}
            />
          </div>
          {problems.has("algorithms") && <p className="error-text">{problems.get("algorithms")}</p>}
        </Panel>

        {draft.algorithms.map(({ id, options }, index) => {
          const algorithm = catalogue.algorithms.find((item) => item.id === id);
          if (!algorithm) return null;
          const variant = ids.slice(0, index + 1).filter((other) => other === id).length;
          return (
            <AlgorithmOptions
              key={`${id} ${variant}`}
              algorithm={algorithm}
              index={index}
              variant={variant}
              fields={forms.algorithms.get(id) ?? []}
              values={options}
              problems={problems}
              eager={eager}
              idle={idle}
              onChange={(values) => setAlgorithm(index, values)}
              onVariant={() => setAlgorithms([...draft.algorithms.slice(0, index + 1), { id, options }, ...draft.algorithms.slice(index + 1)])}
              onRemove={() => setAlgorithms(draft.algorithms.filter((_, place) => place !== index))}
            />
          );
        })}

        <SeedsAndBudget
          draft={draft}
          kinds={kinds}
          needed={mustStop.length > 0 ? `${mustStop.join(" and ")} stop only by a budget.` : null}
          problems={problems}
          onChange={change}
        />

        <Fold
          title="Training"
          note={unused("training", forms.training) ?? "of one candidate in a trial, and on which parts of the data it is scored"}
          changed={Object.keys(draft.training).length + Object.keys(draft.evaluation).length}
          wrong={startsWith(problems, "training") || problems.has("folds") || problems.has("objective")}
        >
          <SchemaForm fields={forms.evaluation} values={draft.evaluation} onChange={(evaluation) => change({ evaluation })} path="" problems={problems} eager={eager} idle={idle} />
          <SchemaForm fields={forms.training} values={draft.training} onChange={(training) => change({ training })} path="training" problems={problems} eager={eager} idle={idle} />
        </Fold>
        <Fold title="Finale" note="how the best are finished and tested" changed={Object.keys(draft.finale).length} wrong={startsWith(problems, "finale")}>
          {server.finish.map((text) => (
            <p key={text} className="muted small">
              {text}
            </p>
          ))}
          <SchemaForm fields={forms.finale} values={draft.finale} onChange={(finale) => change({ finale })} path="finale" problems={problems} eager={eager} idle={idle} />
        </Fold>
        <Fold title="Machine" note="threads, trials trained together, device, how often the structure is recorded" changed={Object.keys(draft.runtime).length} wrong={startsWith(problems, "runtime")}>
          <SchemaForm fields={forms.runtime} values={draft.runtime} onChange={(runtime) => change({ runtime })} path="runtime" problems={problems} eager={eager} idle={idle} />
        </Fold>
        <Panel title="Name">
          <input
            id={fieldId("name")}
            className="input"
            aria-label="Name of the experiment"
            maxLength={200}
            placeholder={`${[...new Set(ids.map(titleOf))].join(", ")} on ${[...new Set(datasets.map((item) => item.title))].join(", ")}`}
            value={draft.name}
            onChange={(event) => change({ name: event.target.value })}
          />
        </Panel>
      </div>
      <StartBox
        runs={draft.algorithms.length * seedCount}
        algorithms={draft.algorithms.length}
        seeds={seedCount}
        problems={[...problems]}
        nameOf={nameOf}
        checking={!checked}
        serverError={server.error}
        estimate={estimate}
        advice={adviceOf(server.advice, estimate.estimate, titleOf)}
        busy={busy}
        onStart={() => void start()}
      />
    </div>
  );
}
