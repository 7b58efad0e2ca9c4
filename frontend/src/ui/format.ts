/** Numbers with their units, in plain words. Every function takes null and undefined and then gives a dash. */

import { letterOf, symbolOf } from "./symbols";

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

interface Left {
  eta_seconds: Maybe;
  eta_low_seconds?: Maybe;
  eta_high_seconds?: Maybe;
}

/** What is left of a run: "about 2 min", "20 s to 2 min" where one figure would say too much, null where nothing is known. */
export function timeLeft({ eta_seconds: expected, eta_low_seconds: low, eta_high_seconds: high }: Left): string | null {
  if (missing(expected)) return null;
  if (!missing(low) && !missing(high)) {
    const [from, to] = [low, high].map((seconds) => about(Math.max(seconds, 1)).replace(/^about /, ""));
    if (from !== to) return `${from} to ${to}`;
  }
  return expected < 5 ? "a few seconds" : about(expected);
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

/**
 * What stands at the ticks of a linear axis: as many digits as tell neighbours apart and say where each stands, none more. "40 k", "0.1251",
 * "1e-5".
 */
export function tickTexts(ticks: readonly number[]): string[] {
  const largest = Math.max(...ticks.map(Math.abs), 0);
  const step = ticks.slice(1).reduce((least, tick, index) => Math.min(least, Math.abs(tick - (ticks[index] ?? tick))), largest || 1);
  if (largest !== 0 && (largest < 1e-3 || largest >= 1e6)) {
    return ticks.map((tick) => {
      const digits = tick === 0 ? 0 : Math.max(0, Math.floor(Math.log10(Math.abs(tick)) + 1e-9) - Math.floor(Math.log10(step) + 1e-9) + 1);
      return tick === 0 ? "0" : tick.toExponential(Math.min(digits, 12)).replace(/\.?0*e/, "e").replace("e+", "e");
    });
  }
  const [unit, sign] = largest >= 1e4 ? [1e3, " k"] : [1, ""];
  const whole = (value: number) => Math.abs(value - Math.round(value)) <= 1e-6 * Math.max(value, 1);
  let decimals = 0;
  while (decimals < 12 && !whole((step / unit) * 10 ** decimals)) decimals++;
  return ticks.map((tick) => `${Number((tick / unit).toFixed(decimals))}${tick === 0 ? "" : sign}`);
}

/** Parts of names that are not written as they are coded. */
const WORDS: Record<string, string> = {
  val: "validation", train: "training", r2: "R²", kl: "KL", elbo: "ELBO", flops: "FLOPs", temp: "temperature", ard: "ARD",
};

/** The name of a metric in words: val_accuracy -> "validation accuracy", test_r2 -> "test R²", lambda_prior_q -> "λ^Q_prior". */
export function metricName(name: string): string {
  const symbol = symbolOf(name);
  if (symbol !== undefined) return symbol;
  return name
    .split("_")
    .map((word) => letterOf(word) ?? WORDS[word] ?? word)
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

/** 0.724 -> "72 %"; what is not all, or not nothing, does not look like it. */
export function share(value: Maybe): string {
  if (missing(value)) return DASH;
  const percent = Math.round(100 * value);
  if (percent === 0 && value > 0) return "under 1 %";
  return percent === 100 && value < 1 ? "over 99 %" : `${percent} %`;
}
