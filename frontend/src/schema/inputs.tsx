/** One control per kind of value. Each shows a value and hands back a new one; what cannot be read as a value is handed back as typed. */
import { useState, type ReactNode } from "react";
import type { Control } from "./model";
import { textOf } from "./model";
import { placeOf, valueAt, SLIDER_STEPS, type SliderRange } from "./slider";

export interface InputProps {
  id: string;
  value: unknown;
  onChange: (value: unknown) => void;
  onBlur?: () => void;
  invalid: boolean;
  describedBy: string;
  disabled?: boolean;
  /** Name of the field, for controls beside the one that its label belongs to. */
  label?: string;
}

const aria = ({ invalid, describedBy, disabled }: InputProps) => ({
  "aria-invalid": invalid || undefined,
  "aria-describedby": describedBy,
  disabled,
});

/** "3", "3e-4", "1 000" or "1,5" as a number; null where it is none. */
export function readNumber(text: string): number | null {
  const compact = text.replace(/[\s_\u00a0\u202f]/g, "");
  if (!/^[+-]?(\d+([.,]\d*)?|[.,]\d+)(e[+-]?\d+)?$/i.test(compact)) return null;
  const value = Number(compact.replace(",", "."));
  return Number.isFinite(value) ? value : null;
}

/** A text field over a value that is not text: keeps what is being typed ("1e-") until it reads as a value. */
export function TypedInput({ read, show = textOf, ...props }: InputProps & { read: (text: string) => unknown; show?: (value: unknown) => string; inputMode?: "numeric" | "decimal" | "text"; placeholder?: string }) {
  const { id, value, onChange, onBlur, inputMode, placeholder } = props;
  const [typed, setTyped] = useState<string | null>(null);
  // What was typed stays on the screen while it means the value; a value set from outside wins.
  const shown = typed !== null && textOf(read(typed)) === textOf(value) ? typed : show(value);
  return (
    <input
      id={id}
      className="input"
      type="text"
      autoComplete="off"
      spellCheck={false}
      inputMode={inputMode}
      placeholder={placeholder}
      value={shown}
      onChange={(event) => {
        setTyped(event.target.value);
        onChange(read(event.target.value));
      }}
      onBlur={() => {
        setTyped(null);
        onBlur?.();
      }}
      {...aria(props)}
    />
  );
}

export function NumberInput({ integer, ...props }: InputProps & { integer: boolean; placeholder?: string }) {
  return <TypedInput {...props} inputMode={integer ? "numeric" : "decimal"} read={(text) => (text.trim() === "" ? undefined : (readNumber(text) ?? text))} />;
}

/** A slider with the number beside it: the one to try things, the other to be exact. */
export function SliderInput({ range, children, ...props }: InputProps & { range: SliderRange; children: ReactNode }) {
  const value = typeof props.value === "number" && Number.isFinite(props.value) ? props.value : range.low;
  return (
    <div className="slider-input">
      <input
        type="range"
        min={0}
        max={SLIDER_STEPS}
        step={range.integer ? "any" : 1}
        value={placeOf(value, range)}
        aria-label={`${props.label ?? "Value"}, slider`}
        aria-valuetext={typeof props.value === "number" ? textOf(props.value) : "none"}
        disabled={props.disabled}
        onChange={(event) => props.onChange(valueAt(Number(event.target.value), range))}
        onKeyDown={(event) => {
          // A whole number moves by one, whatever part of the way that is.
          const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
          if (step === undefined || !range.integer) return;
          event.preventDefault();
          props.onChange(Math.min(Math.max(Math.round(value) + step, range.low), range.high));
        }}
        onBlur={props.onBlur}
      />
      {children}
    </div>
  );
}

export function ListInput({ item, ...props }: InputProps & { item: "number" | "integer" | "text" }) {
  const read = (text: string) =>
    text
      .split(item === "text" ? /,/ : /[,;\s]+/)
      .map((part) => part.trim())
      .filter(Boolean)
      .map((part) => (item === "text" ? part : (readNumber(part) ?? part)));
  return <TypedInput {...props} read={read} placeholder={item === "text" ? "a, b, c" : "1, 2, 3"} />;
}

export function ChoiceInput({ options, nullable, ...props }: InputProps & { options: unknown[]; nullable: boolean }) {
  const all = nullable && !options.includes(null) ? [null, ...options] : options;
  const index = all.findIndex((option) => option === props.value);
  return (
    <select
      id={props.id}
      className="select"
      value={index}
      onChange={(event) => props.onChange(all[Number(event.target.value)])}
      onBlur={props.onBlur}
      {...aria(props)}
    >
      {index < 0 && <option value={-1}>{props.value === undefined ? "choose" : textOf(props.value)}</option>}
      {all.map((option, place) => (
        <option key={place} value={place}>
          {option === null ? "none" : textOf(option)}
        </option>
      ))}
    </select>
  );
}

export function SwitchInput(props: InputProps) {
  const on = props.value === true;
  return (
    <label className="check">
      <input id={props.id} type="checkbox" checked={on} onChange={(event) => props.onChange(event.target.checked)} onBlur={props.onBlur} {...aria(props)} />
      {on ? "on" : "off"}
    </label>
  );
}

export function ChoicesInput({ options, ...props }: InputProps & { options: unknown[] }) {
  const chosen = Array.isArray(props.value) ? props.value : [];
  const toggle = (option: unknown, on: boolean) =>
    props.onChange(options.filter((other) => (other === option ? on : chosen.includes(other))));
  return (
    <div className="choices" id={props.id} role="group" tabIndex={-1} aria-describedby={props.describedBy}>
      {options.map((option) => (
        <label className="check" key={textOf(option)}>
          <input type="checkbox" checked={chosen.includes(option)} disabled={props.disabled} onChange={(event) => toggle(option, event.target.checked)} />
          {textOf(option)}
        </label>
      ))}
    </div>
  );
}

export function TextInput(props: InputProps) {
  return <TypedInput {...props} read={(text) => text} />;
}

/** Any value, written as JSON. What does not parse is handed back as text, and the check then says what is wanted. */
export function JsonInput(props: InputProps) {
  const [typed, setTyped] = useState<string | null>(null);
  return (
    <textarea
      id={props.id}
      className="textarea"
      rows={3}
      spellCheck={false}
      value={typed ?? (props.value === undefined ? "" : JSON.stringify(props.value, null, 1))}
      onChange={(event) => {
        setTyped(event.target.value);
        try {
          props.onChange(event.target.value.trim() === "" ? undefined : JSON.parse(event.target.value));
        } catch {
          props.onChange(event.target.value);
        }
      }}
      onBlur={() => {
        if (typeof props.value !== "string") setTyped(null);
        props.onBlur?.();
      }}
      {...aria(props)}
    />
  );
}

/** The control of a field that is not a group. */
export function ValueInput({ control, nullable, ...props }: InputProps & { control: Exclude<Control, { kind: "group" }>; nullable: boolean }) {
  switch (control.kind) {
    case "number": {
      const exact = nullable ? (
        <TypedInput
          {...props}
          inputMode={control.integer ? "numeric" : "decimal"}
          placeholder="none"
          read={(text) => (text.trim() === "" ? null : (readNumber(text) ?? text))}
        />
      ) : (
        <NumberInput {...props} integer={control.integer} />
      );
      return control.slider ? (
        <SliderInput {...props} range={control.slider}>
          {exact}
        </SliderInput>
      ) : (
        exact
      );
    }
    case "choice":
      return <ChoiceInput {...props} options={control.options} nullable={nullable} />;
    case "boolean":
      return nullable ? <ChoiceInput {...props} options={[true, false]} nullable /> : <SwitchInput {...props} />;
    case "text":
      return nullable ? <TypedInput {...props} placeholder="none" read={(text) => (text === "" ? null : text)} /> : <TextInput {...props} />;
    case "list":
      return <ListInput {...props} item={control.item} />;
    case "choices":
      return <ChoicesInput {...props} options={control.options} />;
    case "json":
      return <JsonInput {...props} />;
  }
}
