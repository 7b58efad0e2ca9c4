/** Schemata of a population: their counts beside the bound of the schema theorem, as plots, as figures and in a sentence that is true of what is shown. */
import type { Plot, PlotSeries } from "../plots/chartData";
import { decodeFloats } from "../stream/floats";
import type { SchemataPart } from "../types/events.gen";
import { measured, whole, type Cell, type Figures } from "../ui/figures";
import { plural } from "../ui/format";

const ARRAYS = ["count", "fitness", "ratio", "selected", "lost", "bound", "following", "expected", "redrawn", "error", "blind"] as const;
type Arrays = Record<(typeof ARRAYS)[number], Float32Array>;

export type Schemata = Omit<SchemataPart, (typeof ARRAYS)[number]> & Arrays;

const known = new WeakMap<SchemataPart, Schemata>();

/** The part with its arrays decoded; the same part gives the same. */
export function schemataOf(part: SchemataPart): Schemata {
  const before = known.get(part);
  if (before) return before;
  const arrays = Object.fromEntries(ARRAYS.map((name) => [name, decodeFloats(part[name])])) as Arrays;
  const found = { ...part, ...arrays };
  known.set(part, found);
  return found;
}

/** So many standard errors a mean of redraws may lie below the bound before that is more than chance. */
export const ERRORS = 3;
const MOST_BARS = 8;
/** Of single precision. */
const ROUNDING = 1e-5;

export interface Standing {
  all: number;
  /** Mean of the redraws at the bound or above. */
  above: number;
  /** Below it, within the error of the mean. */
  within: number;
  /** Lower than that. */
  below: number;
  /** Fitter than the population. */
  fit: number;
  /** Of these, drawn blind to fitness: mean below the bound. */
  blindBelow: number;
  /** This one generation below its bound. */
  oneBelow: number;
}

export function standing(part: Schemata): Standing {
  const found: Standing = { all: part.schemata.length, above: 0, within: 0, below: 0, fit: 0, blindBelow: 0, oneBelow: 0 };
  const least = ROUNDING * Math.max(part.population, 1);
  part.schemata.forEach((_, at) => {
    const gap = (part.expected[at] ?? 0) - (part.redrawn[at] ?? 0);
    if (gap <= least) found.above += 1;
    else if (gap <= ERRORS * (part.error[at] ?? 0) + least) found.within += 1;
    else found.below += 1;
    if ((part.ratio[at] ?? 0) > 1) {
      found.fit += 1;
      if ((part.expected[at] ?? 0) - (part.blind[at] ?? 0) > least) found.blindBelow += 1;
    }
    if ((part.bound[at] ?? 0) - (part.following[at] ?? 0) > least) found.oneBelow += 1;
  });
  return found;
}

/** What is seen, of so many schemata and redraws. */
export function schemataWords(part: Schemata): string {
  const { all, above, within, below, fit, blindBelow, oneBelow } = standing(part);
  const means = [`at its bound or above for ${above}`, ...(within ? [`below within ${ERRORS} standard errors of the mean for ${within}`] : []), ...(below ? [`lower than that for ${below}`] : [])];
  const blind = fit > 0 ? ` With parents drawn blind to fitness it is below the bound for ${blindBelow} of the ${fit} that are fitter than the population.` : "";
  return (
    `Generation ${part.generation}, ${plural(part.births, "birth")}, ${plural(all, "schema", "schemata")}: the mean of ${part.redraws} redraws is ${means.join(", ")}.${blind} ` +
    `The one generation that was drawn is below for ${oneBelow}; that is one draw and says nothing against a bound of the mean.`
  );
}

const line = (name: string, hue: number, x: ArrayLike<number>, y: ArrayLike<number>, look: PlotSeries["look"]): PlotSeries => ({
  name, hue, variant: 0, look, x: Float32Array.from(x), y: Float32Array.from(y), low: null, high: null,
});

const plot = (name: string, title: string, form: Plot["form"], xTitle: string, yTitle: string, note: string, series: PlotSeries[], more: Partial<Plot> = {}): Plot => ({
  name, title, form, xTitle, yTitle, xScale: "linear", yScale: "linear", categories: [], series, marks: [], note, ...more,
});

/** The schemata that selection raises most. */
export function raisedMost(part: Schemata): number[] {
  const rise = (at: number) => (part.expected[at] ?? 0) - (part.count[at] ?? 0);
  return part.schemata.map((_, at) => at).sort((a, b) => rise(b) - rise(a) || a - b).slice(0, MOST_BARS);
}

export function schemataPlots(part: Schemata): Plot[] {
  const orders = [...new Set(part.orders)].sort((a, b) => a - b);
  const places = raisedMost(part);
  const pick = (values: Float32Array) => places.map((at) => values[at] ?? NaN);
  const numbers = places.map((_, index) => index);
  const largest = Math.max(1, ...part.expected, ...part.redrawn);
  const bars = plot(
    "bars", "Those that selection raises most", "bars", "schema", "individuals that match",
    `The ${plural(places.length, "schema", "schemata")} whose bound is furthest above the count. Bound, redraws and blind redraws are of the generation as it began.`,
    [
      line("N(h, t)", 7, numbers, pick(part.count), "solid"),
      line("bound", 5, numbers, pick(part.expected), "solid"),
      line(`mean of ${part.redraws} redraws`, 0, numbers, pick(part.redrawn), "solid"),
      line("drawn blind", 1, numbers, pick(part.blind), "solid"),
    ],
    { categories: places.map((at, index) => `${index + 1}: ${part.schemata[at] ?? ""}`) },
  );
  const points = plot(
    "points", "Mean of the redraws against the bound", "lines", "bound", "mean N(h, t + 1)",
    "One point for each schema, one colour for each order. On the dashed line the mean is at the bound; above it is where the theorem has it.",
    [
      line("at the bound", 7, [0, largest], [0, largest], "dashed"),
      ...orders.map((order, index) => {
        const of = part.orders.flatMap((item, at) => (item === order ? [at] : []));
        return line(`order ${order}`, index, of.map((at) => part.expected[at] ?? NaN), of.map((at) => part.redrawn[at] ?? NaN), "points");
      }),
    ],
  );
  const curves = plot(
    "curves", "What came of it, all generations together", "lines", "generation", "log of the ratio to the bound",
    "log(sum of N(h, t + 1) / sum of bounds) by order, summed over the generations looked at so far. Sums, because the logarithm of one draw lies low; their mean is at 0 or above.",
    part.curves.map(({ order, generations, ratios }) => line(`order ${order}`, order - 1, decodeFloats(generations), decodeFloats(ratios), "solid")),
    { marks: [{ axis: "y", value: 0, title: "bound" }] },
  );
  return [bars, points, curves];
}

/** Everything in figures. */
export function partFigures(part: Schemata, owner: string): Figures[] {
  const values = (at: number): Cell[] => ARRAYS.map((name) => measured(part[name][at]));
  return [
    {
      title: `${owner}: schemata of generation ${part.generation}`,
      head: [
        "schema", "order", "N(h, t)", "mean fitness", "fitness / mean", "S(h)", "p", "bound, as selected", "N(h, t + 1), one draw", "bound, as it began", `mean of ${part.redraws} redraws`, "standard error",
        "drawn blind",
      ],
      rows: part.schemata.map((text, at) => [text, whole(part.orders[at] ?? 0), ...values(at)]),
    },
    {
      title: `${owner}: generation ${part.generation}`,
      head: ["individuals", "births", "redraws", "mean fitness", "fitness made positive"],
      rows: [[whole(part.population), whole(part.births), whole(part.redraws), measured(part.mean_fitness), part.transform]],
    },
    {
      title: `${owner}: log of the ratio of counts to bounds, all generations together`,
      head: ["order", "generation", "log ratio"],
      rows: part.curves.flatMap(({ order, generations, ratios }) => {
        const values = decodeFloats(ratios);
        return Array.from(decodeFloats(generations), (generation, at): Cell[] => [whole(order), whole(generation), measured(values[at])]);
      }),
    },
  ];
}
