import { SchemaForm, type Problems } from "../../schema/SchemaForm";
import type { Idle } from "../../schema/idle";
import type { Field, Values } from "../../schema/model";

interface OwnOptionsProps {
  fields: Field[] | undefined;
  values: Values;
  onChange: (values: Values) => void;
  path: string;
  problems: Problems;
  eager: boolean;
  idle?: ReadonlyMap<string, Idle>;
}

/** The options of a data set or space below its choice; nothing where it has none. */
export function OwnOptions({ fields, ...props }: OwnOptionsProps) {
  if (!fields || fields.length === 0) return null;
  return (
    <div className="own-options">
      <SchemaForm fields={fields} fold={4} {...props} />
    </div>
  );
}
