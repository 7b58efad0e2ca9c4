/** Settings that do nothing: in the present combination, or beside the other values of their form. */
import type { Condition } from "./jsonSchema";
import { equal, textOf, valueOf, type Field, type Values } from "./model";

export interface Idle {
  why: string;
  /** Who does not use it, where another does; null: nobody uses it, and it is not offered. */
  by: string | null;
}

const holds = (condition: Condition, value: unknown) =>
  condition.is ? condition.is.some((item) => equal(item, value)) : !(condition.not ?? []).some((item) => equal(item, value));

const word = (value: unknown) => (typeof value === "boolean" ? (value ? "on" : "off") : textOf(value) || "empty");

/** What a field needs of the others of its form to do anything, in words; null where it has that. Conditions on other forms are the server's. */
export function lacks(field: Field, fields: Field[], values: Values): string | null {
  for (const [name, condition] of Object.entries(field.schema.works_with ?? {})) {
    const other = fields.find((item) => item.name === name);
    if (!other) continue;
    const value = valueOf(other, values);
    // An open field is decided elsewhere.
    if (value === null && other.nullable && other.default === null) continue;
    if (!holds(condition, value)) return `${other.title} ${condition.is ? "=" : "other than"} ${(condition.is ?? condition.not ?? []).map(word).join(" or ")}`;
  }
  return null;
}
