import { useId } from "react";
import { Marked } from "../ui/Marked";
import { placeOf, SLIDER_STEPS, valueAt, type SliderRange } from "../schema/slider";

export const range = (low: number, high: number, changes: Partial<Pick<SliderRange, "log" | "integer">> = {}): SliderRange => ({
  low, high, integer: false, log: false, open: { low: false, high: false }, ...changes,
});

export interface SliderProps {
  label: string;
  value: number;
  bounds: SliderRange;
  onChange: (value: number) => void;
  /** How the value is said; otherwise as a plain number. */
  text?: (value: number) => string;
}

/** A labelled slider that says its value. A whole number has a stop for each of its values. */
export function Slider({ label, value, bounds, onChange, text = String }: SliderProps) {
  const id = useId();
  const whole = bounds.integer && !bounds.log;
  const ends = whole ? { min: bounds.low, max: bounds.high, value } : { min: 0, max: SLIDER_STEPS, value: placeOf(value, bounds) };
  return (
    <div className="explore-slider">
      <label htmlFor={id}>
        <Marked text={label} />
      </label>
      <input id={id} type="range" {...ends} aria-valuetext={text(value)} onChange={(event) => onChange(whole ? Number(event.target.value) : valueAt(Number(event.target.value), bounds))} />
      <output htmlFor={id}>{text(value)}</output>
    </div>
  );
}
