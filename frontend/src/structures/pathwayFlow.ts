/** A population of paths as flows: how many genotypes go from each module to each of the next layer, and how often a module is used. */
import type { PathwaysFrame } from "../types/events.gen";

export interface Flow {
  layer: number;
  from: number;
  to: number;
  count: number;
}

export interface PathwayFlow {
  flows: Flow[];
  /** layers x modules: genotypes that use the module. */
  usage: number[][];
}

/** A layer's modules, each once: a genotype may name one twice. */
const once = (modules: readonly number[] | undefined) => [...new Set(modules ?? [])];

/** The pairs of modules that one path connects. */
export function linksOf(path: readonly (readonly number[])[]): { layer: number; from: number; to: number }[] {
  const links: { layer: number; from: number; to: number }[] = [];
  for (let layer = 0; layer + 1 < path.length; layer++) {
    for (const from of once(path[layer])) for (const to of once(path[layer + 1])) links.push({ layer, from, to });
  }
  return links;
}

export function pathwayFlow({ layers, modules, population }: Pick<PathwaysFrame, "layers" | "modules" | "population">): PathwayFlow {
  const usage = Array.from({ length: layers }, () => new Array<number>(modules).fill(0));
  const counts = new Map<number, number>();
  for (const path of population) {
    path.forEach((layer, place) => {
      for (const module of once(layer)) {
        const row = usage[place];
        if (row) row[module] = (row[module] ?? 0) + 1;
      }
    });
    for (const { layer, from, to } of linksOf(path)) {
      const key = (layer * modules + from) * modules + to;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const flows = [...counts].map(([key, count]) => ({ layer: Math.floor(key / modules / modules), from: Math.floor(key / modules) % modules, to: key % modules, count }));
  // Wide ones last: what most genotypes share lies on top.
  return { flows: flows.sort((a, b) => a.count - b.count), usage };
}

/** Modules of the best path that an earlier task froze. */
export function overlapOf({ best, frozen }: Pick<PathwaysFrame, "best" | "frozen">): number {
  return best.reduce((sum, layer, place) => sum + once(layer).filter((module) => frozen[place]?.includes(module)).length, 0);
}
