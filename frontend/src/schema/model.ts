/** From a pydantic JSON schema to what a form needs: fields with a control, a meaning, a default and a range. */
import type { JsonSchema } from "./jsonSchema";
import { sliderOf, type SliderRange } from "./slider";

export type Values = Record<string, unknown>;

export type Control =
  /** `slider`: where the schema asks for one and says both ends. */
  | { kind: "number"; integer: boolean; slider?: SliderRange }
  | { kind: "choice"; options: unknown[] }
  | { kind: "boolean" }
  | { kind: "text" }
  /** Several numbers or texts, written with commas. */
  | { kind: "list"; item: "number" | "integer" | "text" }
  /** Several of a fixed set. */
  | { kind: "choices"; options: unknown[] }
  | { kind: "group"; fields: Field[] }
  /** Whatever has no better control. */
  | { kind: "json" };

export interface Field {
  name: string;
  title: string;
  description: string;
  /** References resolved, and the null branch taken away. */
  schema: JsonSchema;
  control: Control;
  nullable: boolean;
  required: boolean;
  /** What holds if the person changes nothing (for a group: every value of it). */
  default: unknown;
}

/** Follow `$ref` and a single `allOf`; what stands beside them wins. */
export function resolve(schema: JsonSchema, root: JsonSchema): JsonSchema {
  let current = schema;
  for (let depth = 0; depth < 32; depth++) {
    if (current.$ref !== undefined) {
      const { $ref, ...beside } = current;
      const target = root.$defs?.[$ref.replace("#/$defs/", "")];
      if (!target) return beside;
      current = { ...target, ...beside };
    } else if (current.allOf?.length === 1 && current.allOf[0]) {
      const { allOf, ...beside } = current;
      current = { ...allOf[0], ...beside };
    } else {
      return current;
    }
  }
  return current;
}

const isNull = (schema: JsonSchema) => schema.type === "null";

/** `X | None` gives X and true; every other schema itself. */
export function withoutNull(schema: JsonSchema, root: JsonSchema): { schema: JsonSchema; nullable: boolean } {
  const resolved = resolve(schema, root);
  const branches = resolved.anyOf ?? resolved.oneOf;
  if (branches) {
    const rest = branches.filter((branch) => !isNull(resolve(branch, root)));
    if (rest.length === 1 && rest[0]) {
      const { anyOf: _anyOf, oneOf: _oneOf, ...beside } = resolved;
      return { schema: { ...resolve(rest[0], root), ...beside }, nullable: rest.length < branches.length };
    }
    return { schema: resolved, nullable: rest.length < branches.length };
  }
  if (Array.isArray(resolved.type) && resolved.type.includes("null")) {
    const types = resolved.type.filter((type) => type !== "null");
    return { schema: { ...resolved, type: types.length === 1 ? types[0]! : types }, nullable: true };
  }
  return { schema: resolved, nullable: false };
}

/** "learning_rate" and pydantic's own "Learning Rate" become "Learning rate"; a title that somebody wrote stays. */
export function titleOf(name: string, title: string | undefined): string {
  const words = name.replaceAll("_", " ").trim();
  const automatic = words.replace(/\b\w/g, (letter) => letter.toUpperCase());
  if (title && title !== automatic) return title;
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function controlOf(schema: JsonSchema, root: JsonSchema, given: unknown): Control {
  if (schema.enum) return { kind: "choice", options: schema.enum };
  if (schema.const !== undefined) return { kind: "choice", options: [schema.const] };
  switch (schema.type) {
    case "integer":
    case "number": {
      const slider = sliderOf(schema);
      return { kind: "number", integer: schema.type === "integer", ...(slider ? { slider } : {}) };
    }
    case "boolean":
      return { kind: "boolean" };
    case "string":
      return { kind: "text" };
    case "array": {
      const item = typeof schema.items === "object" ? resolve(schema.items, root) : undefined;
      if (item?.enum) return { kind: "choices", options: item.enum };
      if (item?.type === "integer" || item?.type === "number") return { kind: "list", item: item.type };
      if (item?.type === "string") return { kind: "list", item: "text" };
      return { kind: "json" };
    }
    case "object":
      return schema.properties ? { kind: "group", fields: fieldsOf(schema, root, given) } : { kind: "json" };
    default:
      return { kind: "json" };
  }
}

const isObject = (value: unknown): value is Values => value !== null && typeof value === "object" && !Array.isArray(value);

/**
 * The fields of an object schema, in the order of the config class. `given` are defaults from outside that replace the fields' own:
 * a nested config may have another default inside its parent than alone.
 */
export function fieldsOf(schema: JsonSchema, root: JsonSchema = schema, given?: unknown): Field[] {
  const resolved = resolve(schema, root);
  return Object.entries(resolved.properties ?? {}).map(([name, property]) => {
    const { schema: inner, nullable } = withoutNull(property, root);
    const outside = isObject(given) && name in given ? given[name] : inner.default;
    const control = controlOf(inner, root, outside);
    return {
      name,
      title: titleOf(name, property.title), // not the title of what a reference points at: that is a class's name
      description: sentence(inner.description ?? ""),
      schema: inner,
      control,
      nullable,
      required: (resolved.required ?? []).includes(name),
      default: control.kind === "group" && outside !== null ? { ...defaultsOf(control.fields), ...(isObject(outside) ? outside : {}) } : outside,
    };
  });
}

/** Every default by name; fields without one are left out. */
export function defaultsOf(fields: Field[]): Values {
  return Object.fromEntries(fields.filter((field) => field.default !== undefined).map((field) => [field.name, field.default]));
}

export function equal(first: unknown, second: unknown): boolean {
  if (Object.is(first, second)) return true;
  if (Array.isArray(first) && Array.isArray(second)) {
    return first.length === second.length && first.every((item, index) => equal(item, second[index]));
  }
  if (isObject(first) && isObject(second)) {
    const keys = Object.keys(first);
    return keys.length === Object.keys(second).length && keys.every((key) => key in second && equal(first[key], second[key]));
  }
  return false;
}

/** A field's value now: what was chosen, else its default. A group is always whole. */
export function valueOf(field: Field, values: Values): unknown {
  const chosen = values[field.name];
  if (chosen === undefined) return field.default;
  if (field.control.kind === "group" && isObject(chosen) && isObject(field.default)) return { ...field.default, ...chosen };
  return chosen;
}

/**
 * `values` with one field set. Only what differs from the defaults is kept, so that the form can say what was changed. A changed group
 * is kept whole: sent in part, the server would fill it from the group's own defaults and not from its parent's.
 */
export function setValue(fields: Field[], values: Values, name: string, value: unknown): Values {
  const field = fields.find((item) => item.name === name);
  const whole = field?.control.kind === "group" && isObject(value) && isObject(field.default) ? { ...field.default, ...value } : value;
  const next = { ...values };
  if (whole === undefined || (field && equal(whole, field.default))) delete next[name];
  else next[name] = whole;
  return next;
}

/** Drop what equals the defaults, for example from the full config of an earlier run. Unknown names stay, so that the check can name them. */
export function changedOnly(fields: Field[], values: Values): Values {
  return Object.entries(values).reduce<Values>((kept, [name, value]) => setValue(fields, kept, name, value), {});
}

const plain = (value: number) => {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-4)) return value.toExponential().replace("e+", "e");
  return String(value);
};

/** A value as it is shown and typed. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return plain(value);
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((item) => typeof item === "number" || typeof item === "string")) return value.map(textOf).join(", ");
  return JSON.stringify(value);
}

/** The admissible range in words: "1 to 64", "at least 1", "more than 0, at most 10"; "" where there is none. */
export function rangeOf(schema: JsonSchema): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
  const show = (value: number) => (Math.abs(value) >= 1e4 && Math.abs(value) < 1e10 ? value.toLocaleString("en-GB") : plain(value));
  if (minimum !== undefined && maximum !== undefined) return `${show(minimum)} to ${show(maximum)}`;
  const low = minimum !== undefined ? `at least ${show(minimum)}` : exclusiveMinimum !== undefined ? `more than ${show(exclusiveMinimum)}` : "";
  const high = maximum !== undefined ? `at most ${show(maximum)}` : exclusiveMaximum !== undefined ? `less than ${show(exclusiveMaximum)}` : "";
  return [low, high].filter(Boolean).join(", ");
}
