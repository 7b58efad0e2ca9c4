import type { Algorithm } from "../../api/types";
import { SchemaForm, type Problems } from "../../schema/SchemaForm";
import type { Idle } from "../../schema/idle";
import type { Field, Values } from "../../schema/model";
import { Button } from "../../ui/Button";
import { Panel } from "../../ui/Panel";
import { linkified } from "../../ui/linkified";

interface AlgorithmOptionsProps {
  algorithm: Algorithm;
  index: number;
  /** 2 for the second entry of the same algorithm. */
  variant: number;
  fields: Field[];
  values: Values;
  problems: Problems;
  eager: boolean;
  idle: ReadonlyMap<string, Idle>;
  onChange: (values: Values) => void;
  onVariant: () => void;
  onRemove: () => void;
}

/** The hyper-parameters of one chosen algorithm, out of its own config class. */
export function AlgorithmOptions({ algorithm, index, variant, fields, values, problems, eager, idle, onChange, onVariant, onRemove }: AlgorithmOptionsProps) {
  const entry = problems.get(`algorithms.${index}.id`);
  return (
    <Panel
      title={variant > 1 ? `${algorithm.title}, variant ${variant}` : algorithm.title}
      note="hyper-parameters"
      actions={
        <>
          <Button small kind="quiet" onClick={onVariant} title="The same algorithm once more, with other settings">
            Add a variant
          </Button>
          <Button small kind="quiet" onClick={onRemove}>
            Remove
          </Button>
        </>
      }
    >
      <p className="muted algorithm-source">{linkified(algorithm.source)}</p>
      {entry !== undefined && <p className="error-text">{entry}</p>}
      <SchemaForm fields={fields} values={values} onChange={onChange} path={`algorithms.${index}.options`} problems={problems} eager={eager} idle={idle} fold={8} />
    </Panel>
  );
}
