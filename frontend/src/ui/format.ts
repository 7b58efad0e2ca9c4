/** Numbers with their units, in plain words. Every function takes null and undefined and then gives a dash. */

export const DASH = "–";

type Maybe = number | null | undefined;

const missing = (value: Maybe): value is null | undefined => value === null || value === undefined || Number.isNaN(value);

/** 950 -> "950", 12_345 -> "12.3 k", 900_000 -> "900 k", 4.1e6 -> "4.1 M", 2e9 -> "2 G". */
export function count(value: Maybe): string {
  if (missing(value)) return DASH;
  const size = Math.abs(value);
  if (size < 999.5) return Number.isInteger(value) ? String(value) : String(Number(value.toFixed(1)));
  const units: [number, string][] = [
    [1e3, "k"],
    [1e6, "M"],
    [1e9, "G"],
    [1e12, "T"],
    [1e15, "P"],
  ];
  // The next unit begins where rounding would give 1000 of this one.
  const [scale, unit] = units.filter(([limit]) => size >= limit * 0.9995).at(-1) ?? [1e3, "k"];
  const scaled = value / scale;
  return `${Number(scaled.toFixed(Math.abs(scaled) < 99.95 ? 1 : 0))} ${unit}`;
}

/** Every digit, in groups: 1,216. */
export function exact(value: Maybe): string {
  return missing(value) ? DASH : value.toLocaleString("en-GB", { maximumFractionDigits: 2 });
}

/** 0.4 -> "0.4 s", 48 -> "48 s", 130 -> "2 min 10 s", 7300 -> "2 h 2 min", 2e5 -> "2 d 8 h". */
export function duration(seconds: Maybe): string {
  if (missing(seconds)) return DASH;
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const parts = (big: number, bigUnit: string, small: number, smallUnit: string) =>
    small > 0 ? `${big} ${bigUnit} ${small} ${smallUnit}` : `${big} ${bigUnit}`;
  if (whole < 3600) return whole < 600 ? parts(Math.floor(whole / 60), "min", whole % 60, "s") : `${Math.round(whole / 60)} min`;
  const minutes = Math.round(whole / 60);
  if (minutes < 24 * 60) return parts(Math.floor(minutes / 60), "h", minutes % 60, "min");
  const hours = Math.round(minutes / 60);
  return parts(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** Estimates carry no more digits than they deserve: 47 -> "about 45 s", 612 -> "about 10 min". */
export function about(seconds: Maybe): string {
  if (missing(seconds)) return DASH;
  if (seconds < 1) return "under a second";
  if (seconds < 10) return `about ${Math.round(seconds)} s`;
  if (seconds < 90) return `about ${Math.round(seconds / 5) * 5} s`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 3600) return `about ${Number((seconds / 3600).toFixed(1))} h`;
  return `about ${Number((seconds / 86400).toFixed(1))} days`;
}

/** 4 decimals for shares, 4 significant digits for everything else. */
export function metric(value: Maybe): string {
  if (missing(value)) return DASH;
  if (!Number.isFinite(value)) return String(value);
  if (Math.abs(value) <= 1) return value.toFixed(4);
  return Math.abs(value) < 1e4 ? Number(value.toPrecision(4)).toString() : count(value);
}

/** 1_240 -> "1.2 kB". */
export function bytes(value: Maybe): string {
  if (missing(value)) return DASH;
  return value < 1000 ? `${value} B` : `${count(value)}B`;
}

const METRICS: Record<string, string> = {
  structure_max: "largest γ",
};

/** Parts of names that are not written as they are coded. */
const WORDS: Record<string, string> = {
  val: "validation", train: "training", r2: "R²", kl: "KL", elbo: "ELBO", flops: "FLOPs", temp: "temperature", lambda: "λ", gamma: "γ", alpha: "α", ard: "ARD",
};

/** The name of a metric in words: val_accuracy -> "validation accuracy", test_r2 -> "test R²", kl_weights -> "KL weights". */
export function metricName(name: string): string {
  const own = METRICS[name];
  if (own !== undefined) return own;
  return name
    .split("_")
    .map((word) => WORDS[word] ?? word)
    .join(" ");
}

/** "12 s ago", "3 min ago", "2 h ago", then the date. */
export function ago(iso: string | null | undefined, now = Date.now()): string {
  if (!iso) return DASH;
  const seconds = (now - Date.parse(iso)) / 1000;
  if (Number.isNaN(seconds)) return DASH;
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return moment(iso);
}

/** Date and time in the person's own zone: "3 May 2031, 14:05". */
export function moment(iso: string | null | undefined): string {
  if (!iso) return DASH;
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return DASH;
  return date.toLocaleString("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
}

/** "1 run", "3 runs". */
export function plural(number: number, one: string, many = `${one}s`): string {
  return `${exact(number)} ${number === 1 ? one : many}`;
}
