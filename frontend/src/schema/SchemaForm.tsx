/** A form out of a JSON schema: one row per hyper-parameter with its name, meaning, control, range and default. */
import { useState } from "react";
import { Marked } from "../ui/Marked";
import { withCode } from "../ui/linkified";
import { ValueInput } from "./inputs";
import { lacks, type Idle } from "./idle";
import { setValue, textOf, rangeOf, valueOf, equal, type Field, type Values } from "./model";

/** Messages by dotted path from the root of the experiment, for example "algorithms.0.options.population". */
export type Problems = ReadonlyMap<string, string>;

export interface SchemaFormProps {
  fields: Field[];
  values: Values;
  onChange: (values: Values) => void;
  /** Dotted path of `values`, the start of every field's id and of its problems' paths; "" where they are the experiment's own. */
  path: string;
  problems: Problems;
  /** Show problems of fields that nobody has touched yet (after an attempt to start). */
  eager?: boolean;
  /** Settings that do nothing here, by path. */
  idle?: ReadonlyMap<string, Idle> | undefined;
  /** Longer forms show this many rows first; changed and wrong ones are always shown. */
  fold?: number;
}

/** A field's path; of the experiment itself the fields stand at the root. */
const within = (path: string, name: string) => (path ? `${path}.${name}` : name);

/** The DOM id of the control for a path, so that a list of problems can lead to it. */
export const fieldId = (path: string) => `field-${path.replaceAll(".", "-")}`;

/** The message for a path or for anything inside it (a list's third item shows at the list). */
export function problemAt(problems: Problems, path: string): string | undefined {
  const own = problems.get(path);
  if (own !== undefined) return own;
  for (const [key, message] of problems) if (key.startsWith(`${path}.`)) return message;
  return undefined;
}

function defaultText(field: Field): string {
  if (field.default === undefined) return field.required ? "needed" : "";
  if (field.default === null) return "default none";
  if (typeof field.default === "boolean") return field.default ? "default on" : "default off";
  const text = textOf(typeof field.default === "number" ? Number(field.default.toPrecision(6)) : field.default);
  return text === "" ? "default empty" : `default ${text}`;
}

interface RowProps extends Pick<SchemaFormProps, "values" | "path" | "problems" | "eager"> {
  field: Field;
  /** Why it does nothing as things stand. */
  aside: string | null;
  onChange: (value: unknown) => void;
}

function Row({ field, values, onChange, path, problems, eager, aside }: RowProps) {
  const [touched, setTouched] = useState(false);
  const here = within(path, field.name);
  const id = fieldId(here);
  const value = valueOf(field, values);
  const changed = !equal(value, field.default);
  const problem = problemAt(problems, here);
  const shown = problem !== undefined && (touched || eager || changed) ? problem : undefined;
  if (field.control.kind === "group") return null;
  return (
    <div className={`option${changed ? " option-changed" : ""}${aside !== null ? " option-idle" : ""}`}>
      <div className="option-text">
        <label htmlFor={id}>
          <Marked text={field.title} />
        </label>
        <code className="option-name">{field.name}</code>
        {field.description && <p id={`${id}-about`}>{withCode(field.description)}</p>}
        {aside !== null && <p id={`${id}-idle`}>{aside}</p>}
      </div>
      <div className="option-control">
        <ValueInput
          id={id}
          label={field.title}
          control={field.control}
          nullable={field.nullable}
          value={value}
          onChange={onChange}
          onBlur={() => setTouched(true)}
          invalid={shown !== undefined}
          describedBy={`${field.description ? `${id}-about ` : ""}${aside !== null ? `${id}-idle ` : ""}${id}-range${shown ? ` ${id}-problem` : ""}`}
        />
        {shown !== undefined && (
          <p className="error-text" id={`${id}-problem`}>
            {shown}
          </p>
        )}
      </div>
      <div className="option-range" id={`${id}-range`}>
        <span>{rangeOf(field.schema)}</span>
        <span>
          {defaultText(field)}
          {changed && field.default !== undefined && (
            <button type="button" className="link-button" aria-label={`Reset ${field.title}`} onClick={() => onChange(undefined)}>
              reset
            </button>
          )}
        </span>
      </div>
    </div>
  );
}

/** Whether nobody needs to see it: it does nothing here, and stands at its default without anything said against it. */
function hidden(field: Field, { values, path, problems, idle }: Pick<SchemaFormProps, "values" | "path" | "problems" | "idle">): boolean {
  const here = within(path, field.name);
  if (field.control.kind === "group") {
    const inner = valueOf(field, values) as Values;
    return field.control.fields.length > 0 && field.control.fields.every((item) => hidden(item, { values: inner, path: here, problems, idle }));
  }
  return idle?.get(here)?.by === null && equal(valueOf(field, values), field.default) && problemAt(problems, here) === undefined;
}

/** The hidden fields of one form, in a line for each reason. */
function NotUsed({ fields, path, idle }: { fields: Field[]; path: string; idle: ReadonlyMap<string, Idle> | undefined }) {
  const reasons = new Map<string, string[]>();
  for (const field of fields) {
    const why = idle?.get(within(path, field.name))?.why;
    if (why !== undefined) reasons.set(why, [...(reasons.get(why) ?? []), field.title]);
  }
  return [...reasons].map(([why, names]) => (
    <p key={why} className="muted small">
      Not used here: {names.join(", ")} ({why}).
    </p>
  ));
}

export function SchemaForm({ fields: whole, values, onChange, path, problems, eager, idle, fold = Infinity }: SchemaFormProps) {
  const [all, setAll] = useState(false);
  const set = (field: Field) => (value: unknown) => onChange(setValue(whole, values, field.name, value));
  const fields = whole.filter((field) => !hidden(field, { values, path, problems, idle }));
  const gone = whole.filter((field) => !fields.includes(field) && field.control.kind !== "group");
  const rows = fields.filter((field) => field.control.kind !== "group");
  const groups = fields.filter((field) => field.control.kind === "group");
  const aside = (field: Field): string | null => {
    const here = idle?.get(within(path, field.name));
    if (here !== undefined) return here.by === null ? `Not used here: ${here.why}.` : `Not used by ${here.by}: ${here.why}.`;
    const needed = lacks(field, whole, values);
    return needed === null ? null : `No effect as things stand: needs ${needed}.`;
  };
  const foldable = rows.length > fold + 2;
  const visible =
    all || !foldable
      ? rows
      : rows.filter((field, index) => index < fold || !equal(valueOf(field, values), field.default) || problemAt(problems, within(path, field.name)) !== undefined);
  if (whole.length === 0) return <p className="muted">There is nothing to set here.</p>;
  return (
    <div className="options">
      {visible.map((field) => (
        <Row key={field.name} field={field} values={values} aside={aside(field)} onChange={set(field)} path={path} problems={problems} eager={eager ?? false} />
      ))}
      {foldable && (
        <button type="button" className="link-button options-more" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? "Show fewer settings" : `Show all ${rows.length} settings`}
        </button>
      )}
      {groups.map((field) => {
        const inner = field.control.kind === "group" ? field.control.fields : [];
        const value = valueOf(field, values);
        return (
          <fieldset key={field.name} className="options-group">
            <legend>
              <Marked text={field.title} />
            </legend>
            {field.description && <p className="muted small">{field.description}</p>}
            <SchemaForm
              fields={inner}
              values={value !== null && typeof value === "object" ? (value as Values) : {}}
              onChange={set(field)}
              path={within(path, field.name)}
              problems={problems}
              eager={eager ?? false}
              idle={idle}
              fold={fold}
            />
          </fieldset>
        );
      })}
      <NotUsed fields={gone} path={path} idle={idle} />
    </div>
  );
}
