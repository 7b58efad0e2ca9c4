/** A number as a place on a slider and back. */
import type { JsonSchema } from "./jsonSchema";

export interface SliderRange {
  low: number;
  high: number;
  integer: boolean;
  /** Equal ways are equal factors. */
  log: boolean;
  /** The lower or upper end itself is not allowed. */
  open: { low: boolean; high: boolean };
}

export const SLIDER_STEPS = 200;

/** Ends that lie further apart than this factor are spread by factors. */
const LOG_FROM = 100;

/** Three digits are as exact as a hand is. */
const digits = (value: number): number => Number(value.toPrecision(3));

/** The range of a schema that asks for a slider; null where it does not, or where an end is missing. */
export function sliderOf(schema: JsonSchema): SliderRange | null {
  if (schema.slider !== true) return null;
  const low = schema.minimum ?? schema.exclusiveMinimum;
  const high = schema.maximum ?? schema.exclusiveMaximum;
  if (low === undefined || high === undefined || !(low < high)) return null;
  const integer = schema.type === "integer";
  const open = { low: schema.minimum === undefined, high: schema.maximum === undefined };
  return { low: integer && open.low ? low + 1 : low, high: integer && open.high ? high - 1 : high, integer, log: low > 0 && high / low >= LOG_FROM, open };
}

/** Place on the slider, 0 to SLIDER_STEPS. */
export function placeOf(value: number, { low, high, log }: SliderRange): number {
  const inside = Math.min(Math.max(value, low), high);
  const share = log ? Math.log(inside / low) / Math.log(high / low) : (inside - low) / (high - low);
  return share * SLIDER_STEPS;
}

/** The value at a place: never an end that is not allowed. */
export function valueAt(place: number, range: SliderRange): number {
  const { low, high, integer, log, open } = range;
  const least = !integer && open.low ? 1 : 0;
  const most = SLIDER_STEPS - (!integer && open.high ? 1 : 0);
  const share = Math.min(Math.max(place, least), most) / SLIDER_STEPS;
  if (share === 0) return low;
  if (share === 1) return high;
  const value = log ? low * (high / low) ** share : low + share * (high - low);
  return Math.min(Math.max(integer ? Math.round(value) : digits(value), low), high);
}
