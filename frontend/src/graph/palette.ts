/** The colours and short names of operations. The hues are theme variables (`--op-...`); operations that have none get one by their place. */
import { themeColour } from "../app/theme";

const SPARE = ["#0072b2", "#56b4e9", "#009e73", "#7fc4a9", "#e69f00", "#f0c419", "#cc79a7", "#9aa4b4"] as const;

/** The CSS value of an operation's colour, for React's style props. */
export function operationVariable(operation: string, place = 0): string {
  return `var(--op-${operation.replaceAll("_", "-")}, ${SPARE[place % SPARE.length]})`;
}

/** The colour itself, for canvases. */
export function operationColor(operation: string, place = 0): string {
  return themeColour(`--op-${operation.replaceAll("_", "-")}`) || (SPARE[place % SPARE.length] ?? "#9aa4b4");
}

/** What an operation carries beside its colour: nothing, holes (dilated), a hollow middle (pooling), dashes (no computation). */
export type Mark = "plain" | "holes" | "hollow" | "dashes";

export function operationMark(operation: string): Mark {
  if (operation.startsWith("dil")) return "holes";
  if (operation.includes("pool")) return "hollow";
  if (operation === "none" || operation.startsWith("skip") || operation === "identity") return "dashes";
  return "plain";
}

/** sep_conv_3x3 -> "sep 3×3", nor_conv_1x1 -> "conv 1×1", skip_connect -> "skip", none -> "none". */
export function shortName(operation: string): string {
  return operation
    .replace("_connect", "")
    .replace(/^nor_conv/, "conv")
    .replace(/_conv/, "")
    .replace(/_pool/, " pool")
    .replace(/(\d)x(\d)/, "$1×$2")
    .replaceAll("_", " ")
    .trim();
}

export interface CanvasColours {
  panel: string;
  ink: string;
  ink2: string;
  ink3: string;
  faint: string;
  line: string;
  line2: string;
  accent: string;
  best: string;
  bestInk: string;
  node: string;
  good: string;
  warn: string;
  bad: string;
  font: string;
}

/** The theme's colours as they are now. */
export function canvasColours(): CanvasColours {
  const colour = (name: string, otherwise: string) => themeColour(`--${name}`) || otherwise;
  return {
    panel: colour("panel", "#fff"),
    ink: colour("ink", "#171a21"),
    ink2: colour("ink2", "#565f6d"),
    ink3: colour("ink3", "#646d7b"),
    faint: colour("faint", "#97a0ae"),
    line: colour("line", "#e1e4ea"),
    line2: colour("line2", "#eceef2"),
    accent: colour("accent", "#4456e6"),
    best: colour("best", "#d55e00"),
    bestInk: colour("best-ink", "#b04c00"),
    node: colour("node", "#fff"),
    good: colour("good", "#0a7a55"),
    warn: colour("warn", "#9a5b00"),
    bad: colour("bad", "#c0321f"),
    font: colour("font", "sans-serif"),
  };
}
