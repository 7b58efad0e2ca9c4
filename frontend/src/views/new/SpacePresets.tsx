import type { SearchSpace } from "../../api/types";
import { changedOnly, equal, type Field, type Values } from "../../schema/model";
import { Choices } from "./Choices";

const OWN = "";

/** The preset whose options the values are, whatever other options say; null where they are none's. */
export function presetOf(space: SearchSpace, fields: Field[], values: Values): string | null {
  const now = (name: string) => values[name] ?? fields.find((field) => field.name === name)?.default;
  return space.presets?.find(({ options }) => Object.entries(options).every(([name, value]) => equal(now(name), value)))?.id ?? null;
}

/** Ready-made choices of a space's options; nothing where it has none. */
export function SpacePresets({ space, fields, values, onChange }: { space: SearchSpace | undefined; fields: Field[] | undefined; values: Values; onChange: (values: Values) => void }) {
  if (!space?.presets?.length || !fields) return null;
  const chosen = presetOf(space, fields, values);
  return (
    <div className="space-presets">
      <h3 aria-hidden="true">Presets of {space.title}</h3>
      <Choices
        label={`Presets of ${space.title}`}
        chosen={[chosen ?? OWN]}
        onChange={(id) => {
          const preset = space.presets?.find((item) => item.id === id);
          if (preset) onChange(changedOnly(fields, { ...values, ...preset.options }));
        }}
        choices={[
          ...space.presets.map(({ id, title, sentence }) => ({ id, title, note: sentence, closed: null })),
          // What was changed by hand is shown as such, and cannot be chosen: there is nothing that it would set.
          ...(chosen === null ? [{ id: OWN, title: "Options of your own", note: "As they are set below.", closed: null }] : []),
        ]}
      />
    </div>
  );
}
