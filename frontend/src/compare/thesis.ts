/**
 * Figures of a master's thesis that an experiment may stand beside. Source: Nikulenkov, master's thesis, Moscow State University 2022, tables 1
 * to 3: 4 runs in each group, 12 networks, 7 generations, two Tesla P100; mean accuracy of the pooled last populations, mean minutes of a run.
 */
import type { Run } from "../api/types";

export interface Published {
  minutes: { plain: number; compressed: number };
  /** Percent. */
  accuracy: { plain: number; compressed: number };
  speedUp: number;
  /** Points of accuracy. */
  loss: number;
}

const PUBLISHED: Record<string, Published> = {
  mnist: { minutes: { plain: 116.1, compressed: 78.6 }, accuracy: { plain: 98.95, compressed: 98.93 }, speedUp: 1.48, loss: 0.02 },
  cifar10: { minutes: { plain: 111.79, compressed: 61.29 }, accuracy: { plain: 66.57, compressed: 64.96 }, speedUp: 1.82, loss: 1.61 },
  cifar100: { minutes: { plain: 95.6, compressed: 41.21 }, accuracy: { plain: 30.03, compressed: 33.2 }, speedUp: 2.31, loss: -3.16 },
  tiny_imagenet: { minutes: { plain: 490.22, compressed: 228.18 }, accuracy: { plain: 11.75, compressed: 12.14 }, speedUp: 2.14, loss: -0.38 },
};

/** What the thesis says of these data, where both its arms are among the runs. */
export function publishedFor(runs: readonly Run[]): Published | null {
  const arms = new Set(runs.filter((run) => run.algorithm.id === "codeepneat").map((run) => run.options.compress));
  const data = runs[0]?.datasets[0] ?? "";
  return arms.has("none") && arms.has("without_inheritance") ? (PUBLISHED[data === "cifar10_jpeg" ? "cifar10" : data] ?? null) : null;
}

/** The thesis's figure of an arm. */
export function publishedOf(published: Published, compress: unknown): { accuracy: string; minutes: string } | null {
  const arm = compress === "none" ? "plain" : compress === "without_inheritance" ? "compressed" : null;
  return arm === null ? null : { accuracy: `${published.accuracy[arm]} %`, minutes: `${published.minutes[arm]} min` };
}
