/** What another option must be, or must not be, for one to do anything. */
export interface Condition {
  is?: unknown[];
  not?: unknown[];
}

/** The part of JSON Schema (2020-12) that pydantic writes for our config classes. */
export interface JsonSchema {
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  type?: string | string[];
  title?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  multipleOf?: number;
  /** Our own: a number that people like to try out by a slider. */
  slider?: boolean;
  /** Our own: by the name of another option, what that must be for this one to do anything. */
  works_with?: Record<string, Condition>;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  items?: JsonSchema | boolean;
  prefixItems?: JsonSchema[];
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  [extension: string]: unknown;
}
