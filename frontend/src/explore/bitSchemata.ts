/**
 * Bit strings under selection, one-point crossover and mutation, and the schema theorem beside them (Holland 1975):
 *
 *   E N(h, t+1) >= P S(h) (1 - pc δ / (L - 1)) (1 - pm)^o
 *
 * S(h) is the probability that a parent matches h, under the selection that is used; under proportional selection P S(h) is
 * N(h, t) Q(h, t) / E Q. A string is a whole number, its first place the highest bit.
 */
import { uniform } from "./distributions";

export interface Mask {
  text: string;
  /** 1 where a place is fixed. */
  fixed: number;
  value: number;
  order: number;
  /** Distance of the outermost fixed places. */
  length: number;
}

export interface Setting {
  population: number;
  length: number;
  mutation: number;
  crossover: number;
  selection: "proportional" | "tournament";
  /** Strings in a tournament. */
  tournament: number;
  generations: number;
  planted: Mask;
  /** What all planted places are worth, beside 1 of a string that has none of them. */
  strength: number;
  seed: number;
}

export const REDRAWS = 50;
/** Children in each redraw of a larger population; their share is taken. */
const MOST_CHILDREN = 60;

/** A mask of `0`, `1` and `*`, filled up with `*`; what is wrong with it otherwise. */
export function maskOf(text: string, length: number): Mask | string {
  if (text === "") return "a mask has at least one place";
  if (/[^01*]/.test(text)) return `${text}: a mask consists of 0, 1 and *`;
  if (text.length > length) return `${text} has ${text.length} places, the strings have ${length}: shorten it or make them longer`;
  const full = text.padEnd(length, "*");
  const places = [...full].flatMap((sign, place) => (sign === "*" ? [] : [place]));
  const bit = (place: number) => 1 << (length - 1 - place);
  return {
    text: full, order: places.length, length: places.length > 0 ? places.at(-1)! - places[0]! : 0,
    fixed: places.reduce((all, place) => all | bit(place), 0), value: places.reduce((all, place) => (full[place] === "1" ? all | bit(place) : all), 0),
  };
}

export const matches = (mask: Mask, string: number): boolean => ((string ^ mask.value) & mask.fixed) === 0;

/** 1 - p: what the operators leave of a mask, at least. */
export const survival = ({ order, length }: Mask, { crossover, mutation, length: places }: Pick<Setting, "crossover" | "mutation" | "length">): number =>
  (1 - (crossover * length) / (places - 1)) * (1 - mutation) ** order;

function bits(value: number): number {
  let count = 0;
  for (let left = value; left; left &= left - 1) count += 1;
  return count;
}

/** 1, and `strength` times the share of planted places that are right: positive, as proportional selection needs it. */
export const fitness = (string: number, { planted, strength }: Pick<Setting, "planted" | "strength">): number =>
  1 + (planted.order > 0 ? (strength * (planted.order - bits((string ^ planted.value) & planted.fixed))) / planted.order : 0);

/** Of each string the probability to be the parent: its share of the fitness, or that of winning a tournament drawn with replacement. */
export function selectionOf(values: readonly number[], { selection, tournament }: Pick<Setting, "selection" | "tournament">): number[] {
  if (selection === "proportional") {
    const sum = values.reduce((all, value) => all + value, 0);
    return values.map((value) => value / sum);
  }
  const sorted = [...values].sort((a, b) => a - b);
  const upTo = new Map<number, number>();
  sorted.forEach((value, index) => upTo.set(value, index + 1));
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return values.map((value) => {
    const count = counts.get(value) ?? 1;
    const reached = upTo.get(value) ?? 0;
    return ((reached / values.length) ** tournament - ((reached - count) / values.length) ** tournament) / count;
  });
}

const endsOf = (shares: readonly number[]): Float64Array => {
  const ends = new Float64Array(shares.length);
  shares.reduce((sum, share, index) => (ends[index] = sum + share), 0);
  return ends;
};

function drawn(ends: Float64Array, at: number): number {
  let [low, high] = [0, ends.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle] ?? 1) > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** One child: two parents, one cut, mutation of each place. The first parent's head, the second one's tail. */
function childOf(population: readonly number[], ends: Float64Array, setting: Setting, next: () => number): { child: number; first: number } {
  const { length, crossover, mutation } = setting;
  const first = population[drawn(ends, next())] ?? 0;
  let child = first;
  if (next() < crossover) {
    const second = population[drawn(ends, next())] ?? 0;
    // Either parent gives the head: a mask at either end of the string is treated alike.
    const tail = (1 << (1 + Math.floor(next() * (length - 1)))) - 1;
    child = next() < 0.5 ? (first & ~tail) | (second & tail) : (first & tail) | (second & ~tail);
  }
  for (let place = 0; place < length; place++) if (next() < mutation) child ^= 1 << place;
  return { child, first };
}

export interface Track {
  mask: Mask;
  /** By generation, from 0: who matches. */
  count: number[];
  /** From generation 1: the bound of the expectation, given the generation before; the mean of redraws, and of redraws blind to fitness. */
  bound: number[];
  redrawn: number[];
  /** Standard error of that mean. */
  error: number[];
  blind: number[];
  /** Mean fitness of those who match over the population's; NaN where nobody does. */
  ratio: number[];
}

/** Masks of one number of stars, drawn from strings of the population. */
export interface Group {
  stars: number;
  /** Children that match for each parent that matches, so that selection is left aside: of masks whose fixed places lie anywhere. */
  kept: number;
  /** Mean of the formula's 1 - p over the same parents. */
  formula: number;
  /** The same of masks whose fixed places lie side by side, and of masks that fix both ends; NaN where that is not another mask. */
  together: number;
  apart: number;
  /** E N(h, t+1) / N(h, t), sums over masks fitter than the population, and over the others; NaN without any. */
  fit: number;
  unfit: number;
}

export interface Simulation {
  tracks: Track[];
  groups: Group[];
  best: number;
}

const MASKS_OF_EACH = 12;
/** Masks are compared in so many first generations: once all strings are alike, crossover has nothing left to take apart. */
export const COMPARED = 6;

/** The whole run; the same setting gives the same. */
export function simulate(setting: Setting, masks: readonly Mask[]): Simulation {
  const { population: size, length, generations, seed } = setting;
  const next = uniform(seed);
  // Of its own, so that how much is measured does not change the run.
  const beside = uniform(seed + 1_000_003);
  let population = Array.from({ length: size }, () => Math.floor(next() * 2 ** length));
  const tracks = masks.map((mask): Track => ({ mask, count: [], bound: [], redrawn: [], error: [], blind: [], ratio: [] }));
  const sums = Array.from({ length }, () => ({ formula: 0, all: [0, 0], together: [0, 0], apart: [0, 0], fit: [0, 0], unfit: [0, 0] }));
  const evenly = endsOf(population.map(() => 1 / size));
  const each = Math.min(size, MOST_CHILDREN);
  const drawings = REDRAWS * each;
  for (let generation = 0; generation <= generations; generation++) {
    const values = population.map((string) => fitness(string, setting));
    const mean = values.reduce((all, value) => all + value, 0) / size;
    const shares = selectionOf(values, setting);
    const ends = endsOf(shares);
    const stands = (mask: Mask) => {
      let [count, quality, selected] = [0, 0, 0];
      population.forEach((string, index) => {
        if (!matches(mask, string)) return;
        count += 1;
        quality += values[index] ?? 0;
        selected += shares[index] ?? 0;
      });
      return { count, ratio: count > 0 ? quality / count / mean : NaN, selected };
    };
    const children = Array.from({ length: drawings }, () => childOf(population, ends, setting, beside));
    const blind = Array.from({ length: drawings }, () => childOf(population, evenly, setting, beside).child);
    for (const track of tracks) {
      const { count, ratio, selected } = stands(track.mask);
      track.count.push(count);
      track.ratio.push(ratio);
      if (generation === generations) continue;
      track.bound.push(size * selected * survival(track.mask, setting));
      const share = children.filter(({ child }) => matches(track.mask, child)).length / drawings;
      track.redrawn.push(size * share);
      track.error.push(size * Math.sqrt((share * (1 - share)) / drawings));
      track.blind.push((size * blind.filter((child) => matches(track.mask, child)).length) / drawings);
    }
    if (generation === generations) break;
    if (generation < COMPARED) sums.forEach((sum, stars) => {
      for (let number = 0; number < MASKS_OF_EACH; number++) {
        const where = WHERE[number % WHERE.length]!;
        const mask = drawnMask(population[Math.floor(beside() * size)] ?? 0, stars, length, where, beside);
        const { count, ratio } = stands(mask);
        let [parents, following] = [0, 0];
        for (const { child, first } of children) {
          if (matches(mask, child)) following += 1;
          if (matches(mask, first)) parents += 1;
        }
        const by = where === "anywhere" ? sum.all : where === "together" ? sum.together : sum.apart;
        by[0]! += following;
        by[1]! += parents;
        if (where !== "anywhere") continue;
        sum.formula += parents * survival(mask, setting);
        const side = ratio > 1 ? sum.fit : sum.unfit;
        side[0]! += (size * following) / drawings;
        side[1]! += count;
      }
    });
    population = Array.from({ length: size }, () => childOf(population, ends, setting, next).child);
  }
  const share = ([part, whole]: readonly number[]) => (whole ? (part ?? 0) / whole : NaN);
  const groups = sums.map((sum, stars): Group => ({
    stars, kept: share(sum.all), formula: share([sum.formula, sum.all[1] ?? 0]), together: share(sum.together), apart: share(sum.apart), fit: share(sum.fit), unfit: share(sum.unfit),
  }));
  return { tracks, groups, best: Math.max(...population.map((string) => fitness(string, setting))) };
}

const WHERE = ["anywhere", "together", "apart"] as const;

/** A mask of so many stars that `string` matches. */
function drawnMask(string: number, stars: number, length: number, where: (typeof WHERE)[number], next: () => number): Mask {
  const order = length - stars;
  let places = Array.from({ length }, (_, place) => place);
  if (where === "together") places = places.slice(Math.floor(next() * (stars + 1))).slice(0, order);
  const ends = where === "apart" && order >= 2 ? [0, length - 1] : [];
  const free = places.filter((place) => !ends.includes(place));
  while (free.length > order - ends.length) free.splice(Math.floor(next() * free.length), 1);
  const fixed = new Set([...ends, ...free]);
  const text = Array.from({ length }, (_, place) => (fixed.has(place) ? String((string >> (length - 1 - place)) & 1) : "*")).join("");
  return maskOf(text, length) as Mask;
}
