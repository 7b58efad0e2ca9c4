import { useEffect, useId, useRef, useState } from "react";
import type { Algorithm } from "../../api/types";
import { fieldId, type Problems } from "../../schema/SchemaForm";
import { Button } from "../../ui/Button";
import { shapeNote } from "../datasetText";
import { countOf, countText, placeClosed, type Catalogue } from "./compatibility";
import type { Chosen, Forms } from "./draft";
import { OwnOptions } from "./OwnOptions";

interface DatasetListProps {
  catalogue: Catalogue;
  forms: Forms;
  datasets: Chosen[];
  space: string;
  /** The chosen algorithms: they decide how many data sets there are. */
  algorithms: Algorithm[];
  problems: Problems;
  eager: boolean;
  onChange: (datasets: Chosen[]) => void;
}

/** `list` with the item at `from` moved to `to`. */
export function moved<Item>(list: readonly Item[], from: number, to: number): Item[] {
  const rest = list.filter((_, place) => place !== from);
  return [...rest.slice(0, to), ...list.slice(from, from + 1), ...rest.slice(to)];
}

/** The data sets of an algorithm that searches several, in order, each with its own options. */
export function DatasetList({ catalogue, forms, datasets, space, algorithms, problems, eager, onChange }: DatasetListProps) {
  const about = useId();
  const next = useRef(datasets.length);
  const [keys, setKeys] = useState(() => datasets.map((_, place) => place));
  const [said, setSaid] = useState("");
  const focus = useRef<string | null>(null);
  useEffect(() => {
    if (focus.current !== null) document.getElementById(focus.current)?.focus();
    focus.current = null;
  });
  // A list that was replaced from outside (another algorithm) is another list.
  const own = keys.length === datasets.length ? keys : datasets.map((_, place) => place);
  const titleOf = (id: string) => catalogue.datasets.find((item) => item.id === id)?.title ?? id;
  const { least, most } = countOf(algorithms);
  const open = least <= most;
  const full = open && datasets.length >= most;

  const add = () => {
    if (full) return;
    // The same data again: mostly it is another part of them that makes the next task.
    const id = datasets.at(-1)?.id ?? catalogue.datasets[0]?.id ?? "";
    focus.current = fieldId(`datasets.${datasets.length}`);
    setKeys([...own, next.current++]);
    setSaid(`Data set ${datasets.length + 1} was added.`);
    onChange([...datasets, { id, options: {} }]);
  };
  const remove = (place: number) => {
    focus.current = fieldId("datasets");
    setKeys(own.filter((_, other) => other !== place));
    setSaid(`Data set ${place + 1} was removed.`);
    onChange(datasets.filter((_, other) => other !== place));
  };
  const move = (place: number, to: number) => {
    if (to < 0 || to >= datasets.length) return;
    setKeys(moved(own, place, to));
    setSaid(`${titleOf(datasets[place]?.id ?? "")} is now data set ${to + 1} of ${datasets.length}.`);
    onChange(moved(datasets, place, to));
  };
  const set = (place: number, item: Chosen) => onChange(datasets.map((old, other) => (other === place ? item : old)));

  return (
    <div className="data-sets" id={fieldId("datasets")} tabIndex={-1} role="group" aria-label="Data sets in order" aria-describedby={about}>
      <p id={about} className="muted small">
        {open && algorithms.length > 0 && `${algorithms.map((item) => item.title).join(" and ")} ${algorithms.length > 1 ? "search" : "searches"} ${countText({ least, most })}.`}
      </p>
      <ol>
        {datasets.map(({ id, options }, place) => {
          const dataset = catalogue.datasets.find((item) => item.id === id);
          const path = `datasets.${place}`;
          const problem = problems.get(path);
          const name = `data set ${place + 1}`;
          return (
            <li key={own[place]}>
              <div className="data-set-head">
                <label htmlFor={fieldId(path)}>Data set {place + 1}</label>
                <select
                  id={fieldId(path)}
                  className="select"
                  value={id}
                  aria-invalid={problem ? true : undefined}
                  aria-describedby={`${fieldId(path)}-about`}
                  onChange={(event) => set(place, { id: event.target.value, options: {} })}
                >
                  {!dataset && <option value={id}>{id}</option>}
                  {catalogue.datasets.map((item) => {
                    const closed = item.id === id ? null : placeClosed(catalogue, item, space, algorithms);
                    return (
                      <option key={item.id} value={item.id} disabled={closed !== null} title={closed ?? undefined}>
                        {item.title}
                      </option>
                    );
                  })}
                </select>
                <span className="muted small">{dataset && shapeNote(dataset, options)}</span>
                <span className="data-set-actions">
                  <Button small kind="quiet" aria-label={`Move ${name} up`} aria-disabled={place === 0 || undefined} onClick={() => move(place, place - 1)}>
                    Up
                  </Button>
                  <Button small kind="quiet" aria-label={`Move ${name} down`} aria-disabled={place === datasets.length - 1 || undefined} onClick={() => move(place, place + 1)}>
                    Down
                  </Button>
                  <Button small kind="quiet" aria-label={`Remove ${name}`} aria-disabled={datasets.length === 1 || undefined} onClick={() => datasets.length > 1 && remove(place)}>
                    Remove
                  </Button>
                </span>
              </div>
              <p id={`${fieldId(path)}-about`} className="error-text">
                {problem}
              </p>
              <OwnOptions
                key={id}
                fields={forms.datasets.get(id)}
                values={options}
                onChange={(values) => set(place, { id, options: values })}
                path={`dataset_options.${place}`}
                problems={problems}
                eager={eager}
              />
            </li>
          );
        })}
      </ol>
      {problems.has("datasets") && (
        <p className="error-text" role="alert">
          {problems.get("datasets")}
        </p>
      )}
      <Button small onClick={add} aria-disabled={full || undefined} {...(full ? { title: `At most ${most} data sets.` } : {})}>
        Add a data set
      </Button>
      <p className="visually-hidden" role="status">
        {said}
      </p>
    </div>
  );
}
