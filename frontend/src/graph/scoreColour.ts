/** Scores as colours: dark blue = low, yellow = high (viridis), readable by the colour-blind and in both themes. */

const VIRIDIS = [
  [68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99], [170, 220, 50], [240, 220, 40],
] as const;

/** The colour of `value` within [least, largest]; a span without width gives the middle. */
export function scoreColour(value: number, [low, high]: readonly [number, number]): string {
  const share = high > low ? Math.min(Math.max((value - low) / (high - low), 0), 1) : 0.5;
  const place = share * (VIRIDIS.length - 1);
  const from = VIRIDIS[Math.floor(place)] ?? VIRIDIS[0];
  const to = VIRIDIS[Math.ceil(place)] ?? from;
  const mixed = from.map((part, index) => Math.round(part + ((to[index] ?? part) - part) * (place % 1)));
  return `rgb(${mixed.join(" ")})`;
}

/** The same scale for a style prop. */
export const SCORE_SCALE = `linear-gradient(90deg, ${VIRIDIS.map((rgb) => `rgb(${rgb.join(" ")})`).join(", ")})`;
