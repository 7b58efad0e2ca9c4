/** The images on a canvas: pairs of an example and what comes back, below them the code space. */
import { Stage, type Point } from "../graph/stage";
import type { DecodedFrame } from "../types/events.gen";
import { decodedOf } from "./decoded";

export interface DecodedPick {
  row: "examples" | "decoded" | "space";
  place: number;
}

interface Placed extends DecodedPick {
  x: number;
  y: number;
  side: number;
  pixels: Uint8Array;
}

const INSET = { x: 14, top: 26 };
const GAP = 3;
const HEAD = 34;
const LABELS = 62;

export class DecodedPicture extends Stage {
  private said: DecodedFrame | null = null;
  private placed: Placed[] = [];
  private hovered: DecodedPick | null = null;
  private readonly sheets = new WeakMap<Uint8Array, HTMLCanvasElement>();

  setFrame(frame: DecodedFrame): void {
    if (frame === this.said) return;
    this.said = frame;
    this.resized();
    this.invalidate();
  }

  hover(pick: DecodedPick | null): void {
    this.hovered = pick;
    this.invalidate();
  }

  pick(point: Point): DecodedPick | null {
    const found = this.placed.find(({ x, y, side }) => point.x >= x && point.x < x + side && point.y >= y && point.y < y + side);
    return found ? { row: found.row, place: found.place } : null;
  }

  protected override resized(): void {
    const frame = this.said;
    if (!frame || this.width === 0) return;
    const { examples, decoded, space } = decodedOf(frame);
    const side = Math.max(frame.values.length, 1);
    const rows = space.length / side;
    // The pairs take as much as they need of the width, the code space the rest of the height.
    const across = (this.width - INSET.x - LABELS - INSET.x) / Math.max(examples.length, 1) - GAP;
    const pair = Math.max(Math.min(across, (this.height * 0.36) / 2 - GAP, 96), 8);
    const below = INSET.top + 2 * (pair + GAP) + HEAD;
    const cell = Math.max(Math.min((this.width - 2 * INSET.x - LABELS) / side - GAP, (this.height - below - 30) / Math.max(rows, 1) - GAP, 72), 6);
    const row = (name: "examples" | "decoded", line: number, images: Uint8Array[]): Placed[] =>
      images.map((pixels, place) => ({ row: name, place, pixels, side: pair, x: INSET.x + LABELS + place * (pair + GAP), y: INSET.top + line * (pair + GAP) }));
    this.placed = [
      ...row("examples", 0, examples), ...row("decoded", 1, decoded),
      ...space.map((pixels, place): Placed => ({ row: "space", place, pixels, side: cell, x: INSET.x + LABELS + (place % side) * (cell + GAP), y: below + Math.floor(place / side) * (cell + GAP) })),
    ];
  }

  /** One pixel per grey value, black where it is lowest. */
  private sheet(frame: DecodedFrame, pixels: Uint8Array): HTMLCanvasElement {
    const known = this.sheets.get(pixels);
    if (known) return known;
    const sheet = document.createElement("canvas");
    sheet.width = frame.columns;
    sheet.height = frame.rows;
    const context = sheet.getContext("2d");
    pixels.forEach((value, index) => {
      if (!context) return;
      context.fillStyle = `rgb(${value} ${value} ${value})`;
      context.fillRect(index % frame.columns, Math.floor(index / frame.columns), 1, 1);
    });
    this.sheets.set(pixels, sheet);
    return sheet;
  }

  protected override paint(context: CanvasRenderingContext2D): boolean {
    const { said: frame, colours } = this;
    if (!frame) return false;
    context.imageSmoothingEnabled = false;
    for (const { x, y, side, pixels } of this.placed) context.drawImage(this.sheet(frame, pixels), x, y, side, side);
    context.font = `11px ${colours.font}`;
    context.textBaseline = "middle";
    context.textAlign = "left";
    context.fillStyle = colours.ink2;
    for (const [row, name] of [["examples", "example"], ["decoded", "decoded"]] as const) {
      const first = this.placed.find((item) => item.row === row);
      if (first) context.fillText(name, INSET.x, first.y + first.side / 2);
    }
    this.paintAxes(context, frame);
    const over = this.hovered && this.placed.find(({ row, place }) => row === this.hovered?.row && place === this.hovered.place);
    if (over) {
      context.strokeStyle = colours.accent;
      context.lineWidth = 2;
      context.strokeRect(over.x - 1, over.y - 1, over.side + 2, over.side + 2);
    }
    return false;
  }

  /** Which latents span the plane, and their values at its rims. */
  private paintAxes(context: CanvasRenderingContext2D, frame: DecodedFrame): void {
    const plane = this.placed.filter(({ row }) => row === "space");
    const [first] = plane;
    const last = plane.at(-1);
    if (!first || !last) return;
    const value = (number: number) => (number > 0 ? `+${number}` : number < 0 ? `−${-number}` : "0");
    const [low = 0] = frame.values;
    const high = frame.values.at(-1) ?? 0;
    context.textBaseline = "alphabetic";
    context.textAlign = "left";
    context.fillText(`code space: ${frame.across} from ${value(low)} to ${value(high)} →`, first.x, first.y - 8);
    if (!frame.down) return;
    context.textBaseline = "top";
    context.fillText(`${frame.down}`, INSET.x, first.y);
    context.fillText(`${value(low)} to`, INSET.x, first.y + 15);
    context.fillText(`${value(high)} ↓`, INSET.x, first.y + 30);
  }
}
