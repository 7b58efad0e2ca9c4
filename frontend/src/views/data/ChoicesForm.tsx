/** What a person settles of an import: the target, the task, what becomes of each column, how the parts are divided. */
import { useId, useState, type ReactNode } from "react";
import { COLUMN_KINDS, SPLIT_KINDS, type ColumnKind, type DataChoices, type DataColumn, type DataFindings, type OwnTask, type SplitKind } from "../../api/types";
import { Button } from "../../ui/Button";
import { exact, share } from "../../ui/format";

const COLUMN_WORDS: Record<ColumnKind, string> = {
  number: "number",
  category: "category",
  dropped: "leave out",
  target: "target: to be predicted",
  group: "group: stays in one part",
  time: "time: the latest are the test",
  split: "says the part",
};
const SPLIT_WORDS: Record<SplitKind, string> = {
  random: "at random",
  stratified: "at random, each class in proportion",
  group: "whole groups, by a column",
  time: "the latest rows are the test, by a column",
  own: "as a column of mine says",
};
/** Splits that follow a column. */
const BY_COLUMN: readonly SplitKind[] = ["group", "time", "own"];

function Field({ label, about, children }: { label: string; about?: string; children: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <div className="data-field">
      <label htmlFor={id}>{label}</label>
      {children(id)}
      {about && <span className="muted small">{about}</span>}
    </div>
  );
}

/** One of a few values; "" stands for what the file proposes. */
function Pick({ label, about, value, options, proposed, onChange }: { label: string; about?: string; value: string; options: readonly [string, string][]; proposed?: string; onChange: (value: string) => void }) {
  return (
    <Field label={label} {...(about ? { about } : {})}>
      {(id) => (
        <select id={id} className="select" value={value} onChange={(event) => onChange(event.target.value)}>
          {proposed !== undefined && <option value="">{proposed}</option>}
          {options.map(([key, words]) => (
            <option key={key} value={key}>
              {words}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function NumberField({ label, about, value, min, max, step, onChange }: { label: string; about?: string; value: number; min: number; max: number; step: number; onChange: (value: number) => void }) {
  return (
    <Field label={label} {...(about ? { about } : {})}>
      {(id) => (
        <input
          id={id}
          className="input"
          type="number"
          value={Number.isNaN(value) ? "" : value}
          min={min}
          max={max}
          step={step}
          aria-invalid={!(value >= min && value <= max) || undefined}
          onChange={(event) => onChange(event.target.valueAsNumber)}
        />
      )}
    </Field>
  );
}

function columnNote(column: DataColumn): string {
  const parts = [`${exact(column.distinct)} different`];
  if (column.missing > 0) parts.push(`${exact(column.missing)} missing`);
  if (column.mean !== null) parts.push(`${Number(column.least?.toPrecision(4))} to ${Number(column.largest?.toPrecision(4))}, mean ${Number(column.mean.toPrecision(4))}`);
  else if (column.categories.length > 0) parts.push(column.categories.slice(0, 4).join(", ") + (column.categories.length > 4 ? ", …" : ""));
  return parts.join("; ");
}

function Columns({ columns, kinds, onChange }: { columns: readonly DataColumn[]; kinds: (column: DataColumn) => ColumnKind; onChange: (name: string, kind: ColumnKind) => void }) {
  return (
    <div className="panel-flush columns-table">
      <table className="table">
        <caption className="visually-hidden">Columns and what becomes of them</caption>
        <thead>
          <tr>
            <th scope="col">Column</th>
            <th scope="col">Becomes</th>
            <th scope="col">Holds</th>
          </tr>
        </thead>
        <tbody>
          {columns.map((column) => (
            <tr key={column.name}>
              <th scope="row">{column.name}</th>
              <td>
                <select className="select" aria-label={`What becomes of ${column.name}`} value={kinds(column)} onChange={(event) => onChange(column.name, event.target.value as ColumnKind)}>
                  {COLUMN_KINDS.map((kind) => (
                    <option key={kind} value={kind}>
                      {COLUMN_WORDS[kind]}
                    </option>
                  ))}
                </select>
              </td>
              <td>
                {columnNote(column)}
                {column.why && <span className="sub">{column.why}</span>}
                {column.gives_away !== null && <span className="sub error-text">gives the target away: alone it is right for {share(column.gives_away)}</span>}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The choices with what was changed in the list of columns: a new target takes the place of the old one. */
export function withKind(choices: DataChoices, findings: DataFindings, name: string, kind: ColumnKind): DataChoices {
  const types = { ...choices.types, [name]: kind };
  if (kind === "target") {
    for (const other of Object.keys(types)) if (other !== name && types[other] === "target") delete types[other];
    delete types[name];
    return { ...choices, types, target: name };
  }
  const inferred = findings.columns.find((column) => column.name === name)?.inferred;
  if (kind === inferred) delete types[name];
  return { ...choices, types, target: choices.target === name ? null : (choices.target ?? null) };
}

/** What becomes of a column under these choices. */
export function kindOf(choices: DataChoices, column: DataColumn): ColumnKind {
  if (choices.target) {
    if (choices.target === column.name) return "target";
    const settled = choices.types?.[column.name] ?? column.kind;
    // Another column is the target now: what was one is again what its values are.
    return settled === "target" ? (column.inferred === "target" ? "category" : column.inferred) : settled;
  }
  return choices.types?.[column.name] ?? column.kind;
}

export interface ChoicesFormProps {
  /** What it is called where nothing else is chosen. */
  title: string;
  findings: DataFindings | null;
  choices: DataChoices;
  busy: boolean;
  onExamine: (choices: DataChoices) => void;
  /** Whether what stands here is what was examined. */
  onDirty: (dirty: boolean) => void;
}

export function ChoicesForm({ title, findings, choices: given, busy, onExamine, onDirty }: ChoicesFormProps) {
  const [choices, setChoices] = useState(given);
  const change = (values: DataChoices) => {
    setChoices(values);
    onDirty(JSON.stringify(values) !== JSON.stringify(given));
  };
  const set = (values: Partial<DataChoices>) => change({ ...choices, ...values });
  const table = findings === null || findings.columns.length > 0;
  const names = (findings?.columns ?? []).map((column) => [column.name, column.name] as [string, string]);
  const shares = [choices.test_share ?? 0.2, choices.validation_share ?? 0.2];
  const split = choices.split ?? findings?.split.kind;
  const byColumn = split !== undefined && BY_COLUMN.includes(split);
  const wrong = shares.some((value) => !(value >= 0.02 && value <= 0.9)) || (choices.title ?? "").length > 120;
  return (
    <form
      className="stack"
      aria-label="Choices"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!wrong) onExamine({ ...choices, title: choices.title || null });
      }}
    >
      <div className="data-fields">
        <Field label="Title">
          {(id) => <input id={id} className="input" maxLength={120} value={choices.title ?? ""} placeholder={title} onChange={(event) => set({ title: event.target.value })} />}
        </Field>
        {names.length > 0 && (
          <Pick label="Target" about="What is to be predicted." value={choices.target ?? ""} proposed={`as proposed: ${findings?.target ?? ""}`} options={names} onChange={(target) => set({ target: target || null })} />
        )}
        {findings === null && (
          <Field label="Target" about="The column that is to be predicted; the file's own proposal where it is empty.">
            {(id) => <input id={id} className="input" value={choices.target ?? ""} onChange={(event) => set({ target: event.target.value || null })} />}
          </Field>
        )}
        <Pick
          label="Task"
          value={choices.task ?? ""}
          proposed={`as proposed${findings ? `: ${findings.task}` : ""}`}
          options={[["classification", "classification"], ["regression", "regression"]]}
          onChange={(task) => set({ task: (task || null) as OwnTask | null })}
        />
        <Pick
          label="Parts are divided"
          value={choices.split ?? ""}
          proposed={`as proposed${findings ? `: ${SPLIT_WORDS[findings.split.kind]}` : ""}`}
          options={SPLIT_KINDS.map((kind) => [kind, SPLIT_WORDS[kind]])}
          onChange={(kind) => set({ split: (kind || null) as SplitKind | null })}
        />
        {byColumn && names.length > 0 && (
          <Pick label="By the column" value={choices.split_column ?? ""} proposed={findings?.split.column ? `as proposed: ${findings.split.column}` : "choose one"} options={names} onChange={(column) => set({ split_column: column || null })} />
        )}
        <NumberField label="Test part" about="Of all; opened once, at the end of a run." value={shares[0] ?? 0.2} min={0.02} max={0.9} step={0.01} onChange={(value) => set({ test_share: value })} />
        <NumberField label="Validation part" about="Of the rest; chooses the structure." value={shares[1] ?? 0.2} min={0.02} max={0.9} step={0.01} onChange={(value) => set({ validation_share: value })} />
        <NumberField label="Seed of the split" value={choices.seed ?? 0} min={0} max={2 ** 32 - 1} step={1} onChange={(seed) => set({ seed })} />
        <Pick label="Examples that repeat" value={choices.duplicates ?? "keep"} options={[["keep", "keep"], ["drop", "drop, the first stays"]]} onChange={(value) => set({ duplicates: value as "keep" | "drop" })} />
        {findings?.kind === "image" && (
          <>
            <NumberField label="Side in pixels" about="Pictures are brought to it." value={choices.side ?? findings.shape[1] ?? 32} min={4} max={1024} step={1} onChange={(side) => set({ side: Number.isNaN(side) ? null : side })} />
            <Pick label="Colour" value={choices.channels ? String(choices.channels) : ""} proposed={`as proposed: ${findings.shape[0] === 1 ? "grey" : "colour"}`} options={[["1", "grey"], ["3", "colour"]]} onChange={(value) => set({ channels: value ? (Number(value) as 1 | 3) : null })} />
          </>
        )}
        {(findings?.kind === "series" || choices.series) && (
          <Pick
            label="Series become"
            value={choices.series ?? ""}
            proposed="as proposed"
            options={[["series", "series, as they are"], ["values", "a vector of their values"], ["statistics", "a vector of statistics of every channel"]]}
            onChange={(value) => set({ series: (value || null) as DataChoices["series"] })}
          />
        )}
        {table && (
          <>
            <Pick label="Cells are separated by" value={choices.separator ?? ""} proposed="as found" options={[[",", "comma"], [";", "semicolon"], ["\t", "tab"], ["|", "bar"]]} onChange={(value) => set({ separator: value || null })} />
            <Pick label="Decimal sign" value={choices.decimal ?? ""} proposed="as found" options={[[".", "point"], [",", "comma"]]} onChange={(value) => set({ decimal: (value || null) as "." | "," | null })} />
            <Pick label="Letters" value={choices.encoding ?? ""} proposed="as found" options={[["utf-8", "UTF-8"], ["cp1252", "Windows-1252"], ["utf-16", "UTF-16"]]} onChange={(value) => set({ encoding: value || null })} />
          </>
        )}
      </div>
      {findings && findings.columns.length > 0 && <Columns columns={findings.columns} kinds={(column) => kindOf(choices, column)} onChange={(name, kind) => change(withKind(choices, findings, name, kind))} />}
      <div className="row">
        <Button type="submit" busy={busy} disabled={wrong}>
          Examine again
        </Button>
        <span className="muted small">Nothing is stored yet: the preview shows what these choices give.</span>
      </div>
    </form>
  );
}
