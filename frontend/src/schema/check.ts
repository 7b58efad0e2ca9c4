/**
 * A checker of JSON Schema for live messages beside the fields. It knows what pydantic writes for config classes; the server validates
 * everything again with the classes themselves, so a keyword that is missing here only delays a message.
 */
import type { JsonSchema } from "./jsonSchema";
import { equal, rangeOf, resolve, textOf } from "./model";

export interface Problem {
  /** Dotted path from the checked value, "" for the value itself. */
  path: string;
  message: string;
}

const join = (path: string, name: string | number) => (path ? `${path}.${name}` : String(name));

function typeMatches(type: string, value: unknown): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "boolean":
      return typeof value === "boolean";
    case "integer":
      return typeof value === "number" && Number.isInteger(value);
    case "number":
      return typeof value === "number" && Number.isFinite(value);
    case "string":
      return typeof value === "string";
    case "array":
      return Array.isArray(value);
    case "object":
      return value !== null && typeof value === "object" && !Array.isArray(value);
    default:
      return true;
  }
}

const TYPE_MESSAGES: Record<string, string> = {
  null: "Leave this empty.",
  boolean: "Use yes or no.",
  integer: "Use a whole number.",
  number: "Use a number.",
  string: "Use text.",
  array: "Use a list.",
  object: "Use a group of settings.",
};

function checkNumber(schema: JsonSchema, value: number): string | null {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const outside =
    (minimum !== undefined && value < minimum) ||
    (maximum !== undefined && value > maximum) ||
    (exclusiveMinimum !== undefined && value <= exclusiveMinimum) ||
    (exclusiveMaximum !== undefined && value >= exclusiveMaximum);
  if (outside) {
    const range = rangeOf(schema);
    return range.includes(" to ") ? `Use a number from ${range}.` : `This must be ${range}.`;
  }
  if (multipleOf !== undefined && Math.abs(value / multipleOf - Math.round(value / multipleOf)) > 1e-9) return `Use a multiple of ${textOf(multipleOf)}.`;
  return null;
}

function checkString(schema: JsonSchema, value: string): string | null {
  if (schema.minLength !== undefined && value.length < schema.minLength) {
    return schema.minLength === 1 ? "This cannot be empty." : `Use at least ${schema.minLength} characters.`;
  }
  if (schema.maxLength !== undefined && value.length > schema.maxLength) return `Use at most ${schema.maxLength} characters.`;
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value)) return `This must match ${schema.pattern}.`;
  return null;
}

function checkArray(schema: JsonSchema, root: JsonSchema, value: unknown[], path: string): Problem[] {
  const { minItems, maxItems } = schema;
  if ((minItems !== undefined && value.length < minItems) || (maxItems !== undefined && value.length > maxItems)) {
    const wanted = minItems === maxItems ? `exactly ${minItems}` : minItems === undefined ? `at most ${maxItems}` : maxItems === undefined ? `at least ${minItems}` : `${minItems} to ${maxItems}`;
    return [{ path, message: `Give ${wanted} of these, not ${value.length}.` }];
  }
  if (schema.uniqueItems && value.some((item, index) => value.slice(0, index).some((other) => equal(item, other)))) {
    return [{ path, message: "Name each only once." }];
  }
  const rest = typeof schema.items === "object" ? schema.items : undefined;
  return value.flatMap((item, index) => {
    const itemSchema = schema.prefixItems?.[index] ?? rest;
    return itemSchema ? check(itemSchema, item, root, join(path, index)) : [];
  });
}

function checkObject(schema: JsonSchema, root: JsonSchema, value: Record<string, unknown>, path: string): Problem[] {
  const problems: Problem[] = [];
  const properties = schema.properties ?? {};
  for (const name of schema.required ?? []) {
    if (value[name] === undefined) problems.push({ path: join(path, name), message: "This is needed." });
  }
  for (const [name, item] of Object.entries(value)) {
    if (item === undefined) continue;
    const property = properties[name];
    if (property) problems.push(...check(property, item, root, join(path, name)));
    else if (schema.additionalProperties === false) problems.push({ path: join(path, name), message: "There is no such option." });
    else if (typeof schema.additionalProperties === "object") problems.push(...check(schema.additionalProperties, item, root, join(path, name)));
  }
  return problems;
}

/** Of several alternatives, the messages of the one that comes closest: right type first, then fewest problems. */
function checkBranches(branches: JsonSchema[], root: JsonSchema, value: unknown, path: string): Problem[] {
  let best: Problem[] | undefined;
  let bestScore = Infinity;
  for (const branch of branches) {
    const problems = check(branch, value, root, path);
    if (problems.length === 0) return [];
    const resolved = resolve(branch, root);
    if (resolved.type === "null") continue;
    const types = resolved.type === undefined ? [] : [resolved.type].flat();
    const score = problems.length + (types.length === 0 || types.some((type) => typeMatches(type, value)) ? 0 : 1000);
    if (score < bestScore) [best, bestScore] = [problems, score];
  }
  return best ?? [{ path, message: TYPE_MESSAGES["null"]! }];
}

/** Every problem of `value` under `schema`, whose references lie in `root`. An empty list says that it fits. */
export function check(schema: JsonSchema, value: unknown, root: JsonSchema = schema, path = ""): Problem[] {
  const resolved = resolve(schema, root);
  const branches = resolved.anyOf ?? resolved.oneOf;
  if (branches) {
    const problems = checkBranches(branches, root, value, path);
    if (problems.length > 0) return problems;
  }
  for (const part of resolved.allOf ?? []) {
    const problems = check(part, value, root, path);
    if (problems.length > 0) return problems;
  }
  if (resolved.const !== undefined && !equal(value, resolved.const)) return [{ path, message: `This must be ${textOf(resolved.const)}.` }];
  if (resolved.enum && !resolved.enum.some((item) => equal(item, value))) {
    return [{ path, message: `Choose one of: ${resolved.enum.map((item) => (item === null ? "none" : textOf(item))).join(", ")}.` }];
  }
  const types = resolved.type === undefined ? [] : [resolved.type].flat();
  if (types.length > 0 && !types.some((type) => typeMatches(type, value))) {
    const wanted = types.find((type) => type !== "null") ?? "null";
    return [{ path, message: TYPE_MESSAGES[wanted] ?? `This must be ${wanted}.` }];
  }
  if (typeof value === "number") {
    const message = checkNumber(resolved, value);
    return message ? [{ path, message }] : [];
  }
  if (typeof value === "string") {
    const message = checkString(resolved, value);
    return message ? [{ path, message }] : [];
  }
  if (Array.isArray(value)) return checkArray(resolved, root, value, path);
  if (value !== null && typeof value === "object") return checkObject(resolved, root, value as Record<string, unknown>, path);
  return [];
}
