import { useCallback, useMemo, useRef, useState } from "react";
import { ApiError } from "../../api/problem";
import { createExperiment } from "../../api/resources";
import type { RunSchema } from "../../api/types";
import { navigate } from "../../app/router";
import { paths } from "../../app/routes";
import { useShortcuts } from "../../app/shortcuts";
import { fieldId, SchemaForm } from "../../schema/SchemaForm";
import type { Field, Values } from "../../schema/model";
import { Button } from "../../ui/Button";
import { Panel } from "../../ui/Panel";
import { linkified } from "../../ui/linkified";
import { toastError } from "../../ui/toast";
import { exact } from "../../ui/format";
import { newKey } from "../newKey";
import { AlgorithmOptions } from "./AlgorithmOptions";
import { Choices } from "./Choices";
import { algorithmClosed, budgetsFor, datasetClosed, needBudget, spaceClosed, type Catalogue } from "./compatibility";
import { bodyOf, readSeeds, withDataset, withSpace, type Draft, type Forms } from "./draft";
import { Fold } from "./Fold";
import { nameOfPath } from "./pathNames";
import { SeedsAndBudget } from "./SeedsAndBudget";
import { StartBox } from "./StartBox";
import { byPath, localProblems, useEstimate, useServerCheck } from "./useChecks";

export interface ExperimentFormProps {
  catalogue: Catalogue;
  schemas: RunSchema;
  forms: Forms;
  draft: Draft;
}

const startsWith = (problems: ReadonlyMap<string, string>, prefix: string) => [...problems.keys()].some((path) => path === prefix || path.startsWith(`${prefix}.`));

function OwnOptions({ fields, ...props }: { fields: Field[] | undefined; values: Values; onChange: (values: Values) => void; path: string; problems: ReadonlyMap<string, string>; eager: boolean }) {
  if (!fields || fields.length === 0) return null;
  return (
    <div className="own-options">
      <SchemaForm fields={fields} fold={4} {...props} />
    </div>
  );
}

/** The whole form. The draft is its only state; what may be chosen, what is wrong and what it costs follow from it. */
export function ExperimentForm({ catalogue, schemas, forms, draft: first }: ExperimentFormProps) {
  const [draft, setDraft] = useState(first);
  const [eager, setEager] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<{ body: string; problems: Map<string, string> } | null>(null);
  const change = useCallback((part: Partial<Draft>) => setDraft((old) => ({ ...old, ...part })), []);

  const dataset = catalogue.datasets.find((item) => item.id === draft.dataset);
  const space = catalogue.spaces.find((item) => item.id === draft.space);
  const ids = draft.algorithms.map((item) => item.id);

  const body = useMemo(() => bodyOf(draft), [draft]);
  const text = useMemo(() => JSON.stringify(body), [body]);
  const local = useMemo(() => localProblems(draft, catalogue, schemas, forms), [draft, catalogue, schemas, forms]);
  const server = useServerCheck(local.size === 0 ? body : null);
  const problems = useMemo(() => {
    const all = new Map(local);
    const more = refused?.body === text ? [...server.problems, ...refused.problems] : server.problems;
    for (const [path, message] of more) if (!all.has(path)) all.set(path, message);
    return all;
  }, [local, server.problems, refused, text]);
  const checked = server.fresh && server.error === null;
  const estimate = useEstimate(checked && problems.size === 0 ? body : null);

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
  const kinds = budgetsFor(catalogue, ids, draft.space, draft.dataset);
  const mustStop = needBudget(catalogue, ids).map((item) => item.title);

  return (
    <div className="new-columns">
      <div className="new-form">
        <Panel title="Data" note={dataset?.description}>
          <Choices
            label="Data set"
            chosen={[draft.dataset]}
            onChange={(id) => setDraft((old) => withDataset(catalogue, old, id))}
            choices={catalogue.datasets.map((item) => ({
              id: item.id,
              title: item.title,
              note: item.shape ? `${item.shape.input.join(" × ")}, ${item.shape.classes} classes${item.provides === "samples" && item.sizes["train"] ? `, ${exact(item.sizes["train"])} to train on` : ""}` : item.provides,
              closed: datasetClosed(catalogue, item),
            }))}
          />
          {problems.has("datasets.0") && <p className="error-text">{problems.get("datasets.0")}</p>}
          <OwnOptions
            key={draft.dataset}
            fields={forms.datasets.get(draft.dataset)}
            values={draft.datasetOptions}
            onChange={(datasetOptions) => change({ datasetOptions })}
            path="dataset_options.0"
            problems={problems}
            eager={eager}
          />
        </Panel>

        <Panel title="Search space" note={space && linkified(space.source)}>
          <Choices
            label="Search space"
            chosen={[draft.space]}
            onChange={(id) => setDraft((old) => withSpace(catalogue, old, id))}
            choices={catalogue.spaces.map((item) => ({ id: item.id, title: item.title, note: item.description, closed: spaceClosed(catalogue, item, dataset) }))}
          />
          {problems.has("space") && <p className="error-text">{problems.get("space")}</p>}
          <OwnOptions
            key={draft.space}
            fields={forms.spaces.get(draft.space)}
            values={draft.spaceOptions}
            onChange={(spaceOptions) => change({ spaceOptions })}
            path="space_options"
            problems={problems}
            eager={eager}
          />
        </Panel>

        <Panel title="Algorithms" note="one, or several to compare">
          <div id={fieldId("algorithms")} tabIndex={-1}>
            <Choices
              label="Algorithms"
              several
              chosen={ids}
              onChange={(id, on) => change({ algorithms: on ? [...draft.algorithms, { id, options: {} }] : draft.algorithms.filter((item) => item.id !== id) })}
              choices={catalogue.algorithms.map((item) => {
                const closed = algorithmClosed(catalogue, item, space, dataset);
                const opening = closed?.space;
                return {
                  id: item.id,
                  title: item.title,
                  note: item.summary,
                  closed: closed?.reason ?? null,
                  remedy: opening && (
                    <Button
                      small
                      kind="quiet"
                      onClick={() => setDraft((old) => ({ ...withSpace(catalogue, old, opening.id), algorithms: [{ id: item.id, options: {} }] }))}
                    >
                      Search {opening.title} with it
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
              onChange={(values) => setAlgorithm(index, values)}
              onVariant={() => change({ algorithms: [...draft.algorithms.slice(0, index + 1), { id, options }, ...draft.algorithms.slice(index + 1)] })}
              onRemove={() => change({ algorithms: draft.algorithms.filter((_, place) => place !== index) })}
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

        <Fold title="Training" note="of one candidate in a trial" changed={Object.keys(draft.training).length} wrong={startsWith(problems, "training")}>
          <SchemaForm fields={forms.training} values={draft.training} onChange={(training) => change({ training })} path="training" problems={problems} eager={eager} />
        </Fold>
        <Fold title="Finale" note="retraining and test of the best" changed={Object.keys(draft.finale).length} wrong={startsWith(problems, "finale")}>
          <SchemaForm fields={forms.finale} values={draft.finale} onChange={(finale) => change({ finale })} path="finale" problems={problems} eager={eager} />
        </Fold>
        <Fold title="Machine" note="threads, device, how often the structure is recorded" changed={Object.keys(draft.runtime).length} wrong={startsWith(problems, "runtime")}>
          <SchemaForm fields={forms.runtime} values={draft.runtime} onChange={(runtime) => change({ runtime })} path="runtime" problems={problems} eager={eager} />
        </Fold>
        <Panel title="Name">
          <input
            id={fieldId("name")}
            className="input"
            aria-label="Name of the experiment"
            maxLength={200}
            placeholder={`${[...new Set(ids.map(titleOf))].join(", ")} on ${dataset?.title ?? ""}`}
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
        busy={busy}
        onStart={() => void start()}
      />
    </div>
  );
}
