/** The final training as charts: one for each measure, with a line for each part of the data. */
import type { ModelCurves } from "../../api/types";
import type { Plot } from "../../plots/chartData";
import { metricName } from "../../ui/format";

const PARTS: Record<string, string> = { train: "training part", val: "validation part", test: "test part" };

export function curvePlots({ points }: ModelCurves): Plot[] {
  const names = [...new Set(points.flatMap(({ values }) => Object.keys(values)))].sort();
  const measures = [...new Set(names.map((name) => split(name)[1]))].sort();
  return measures.map((measure): Plot => ({
    name: measure, title: heading(metricName(measure)), form: "lines", xTitle: "epoch", yTitle: metricName(measure), xScale: "linear", yScale: "linear",
    categories: [], marks: [], note: "The final training, epoch by epoch.",
    series: names
      .filter((name) => split(name)[1] === measure)
      .map((name, hue) => {
        const own = points.filter(({ values }) => values[name] !== undefined);
        return {
          name: PARTS[split(name)[0]] ?? metricName(name), look: own.length === 1 ? "points" : "solid", hue, variant: 0, low: null, high: null,
          x: Float32Array.from(own, ({ step }) => step), y: Float32Array.from(own, ({ values }) => values[name] ?? NaN),
        };
      }),
  }));
}

/** "val_accuracy" -> ["val", "accuracy"]; a name without a part has an empty one. */
function split(name: string): [string, string] {
  const [first = "", ...rest] = name.split("_");
  return first in PARTS && rest.length > 0 ? [first, rest.join("_")] : ["", name];
}

const heading = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
