/** What the page of an architecture says of it in words. */
import type { Architecture } from "../../api/types";
import { textOf } from "../../schema/model";

/** Texts to try, with what they are. */
export const EXAMPLES: readonly (readonly [name: string, text: string])[] = [
  ["NAS-Bench-201 string", "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"],
  [
    "DARTS Genotype",
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 1)], normal_concat=[2, 3], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3])",
  ],
];

/** How often each operation stands on its edges, the most frequent first: "3 × nor_conv_3x3, 2 × skip_connect". */
export function operationsText(drawings: Architecture["drawings"]): string {
  const counts = new Map<string, number>();
  for (const graph of Object.values(drawings)) {
    for (const { operation } of graph.edges) if (operation) counts.set(operation, (counts.get(operation) ?? 0) + 1);
  }
  return [...counts].sort(([a, m], [b, n]) => n - m || a.localeCompare(b)).map(([name, count]) => `${count} × ${name}`).join(", ");
}

/** "nodes 4, cells 8"; "" where they are all at their defaults. */
export function optionsText(options: Architecture["space_options"]): string {
  return Object.entries(options).map(([name, value]) => `${name} ${textOf(value)}`).join(", ");
}

/** The architecture as a file: whoever reads it needs nothing else. */
export function asJson({ space, space_options, genome }: Architecture): string {
  return JSON.stringify({ space, space_options, genome });
}
