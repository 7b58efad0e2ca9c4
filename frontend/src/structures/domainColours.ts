/** One colour per data set, Okabe-Ito hues, the same in every picture and legend. */
export const DOMAIN_COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#8c6d31"] as const;

export function domainColour(place: number): string {
  return DOMAIN_COLOURS[place % DOMAIN_COLOURS.length] ?? DOMAIN_COLOURS[0];
}

/** For each layer and module: the data sets whose path goes through it. */
export function usersOf(paths: readonly (readonly number[])[], layers: number, modules: number): number[][][] {
  return Array.from({ length: layers }, (_, layer) =>
    Array.from({ length: modules }, (_, module) => paths.flatMap((path, domain) => (path[layer] === module ? [domain] : []))),
  );
}
