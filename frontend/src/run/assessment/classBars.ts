/** Precision, recall and F1 of every class as bars. */
import type { Plot } from "../../plots/chartData";
import type { ClassFigures } from "../../types/events.gen";

const MOST = 30;
/** So many classes have room; of more those with the lowest F1 are shown. */
const SHOWN = [
  ["precision", (own: ClassFigures) => own.precision],
  ["recall", (own: ClassFigures) => own.recall],
  ["F1", (own: ClassFigures) => own.f1],
] as const;

export function classBars(classes: readonly ClassFigures[]): Plot {
  const places = classes.map((_, place) => place);
  const worst = (place: number) => classes[place]?.f1 ?? 2;
  const kept = classes.length <= MOST ? places : places.sort((a, b) => worst(a) - worst(b)).slice(0, MOST);
  const own = kept.flatMap((place) => classes[place] ?? []);
  const left = classes.length - own.length;
  return {
    name: "by_class", title: "By class", form: "bars", xTitle: "class", yTitle: "share", xScale: "linear", yScale: "linear",
    categories: own.map((item) => item.name), marks: [],
    series: SHOWN.map(([name, of], hue) => ({
      name, look: "solid", hue, variant: 0, low: null, high: null, x: Float32Array.from(own.keys()), y: Float32Array.from(own, (item) => of(item) ?? NaN),
    })),
    note: `Precision: share of a class's answers that are right. Recall: share of its examples that are answered right. F1: their harmonic mean.${left > 0 ? ` ${left} classes with a higher F1 are left out.` : ""}`,
  };
}
