/** The reliability diagram of a classifier: how often its answers are right beside the probability that it gives them. */
import type { Calibration } from "../api/types";
import type { Plot } from "../plots/chartData";
import { exact } from "../ui/format";

export function reliability({ bins, examples }: Calibration): Plot {
  const own = bins.filter((bin) => bin.examples > 0);
  const series = { variant: 0, low: null, high: null };
  return {
    name: "reliability", title: "Reliability", form: "lines", xTitle: "probability of the answer", yTitle: "share that is right", xScale: "linear",
    yScale: "linear", categories: [], marks: [],
    series: [
      { ...series, name: "right, by bin", look: "points", hue: 0, x: Float32Array.from(own, (bin) => bin.confidence), y: Float32Array.from(own, (bin) => bin.accuracy) },
      { ...series, name: "if probabilities were true", look: "dashed", hue: 1, x: Float32Array.of(0, 1), y: Float32Array.of(0, 1) },
    ],
    note: `${exact(examples)} test examples in ${bins.length} bins of equal width; the expected calibration error is the mean distance from the dashed line, weighted by examples. A point of few examples says little: ${own.map((bin) => exact(bin.examples)).join(", ")} from left to right.`,
  };
}
