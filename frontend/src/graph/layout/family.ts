/** Places of a family's nodes: its hand-made layout stretched to the panel, within limits; layers where it has none. */
import type { FamilyGroup } from "../../types/events.gen";
import type { Point } from "../stage";
import { layered } from "./layered";

const MARGIN = { x: 46, y: 34 };
/** Wider or taller than this the picture is no longer the one that was drawn by hand. */
export const ASPECT = { least: 1.15, most: 1.75 };

/** The rectangle in a panel that a unit square is stretched to. */
export function frameOf(width: number, height: number, most: number = ASPECT.most): { x: number; y: number; width: number; height: number } {
  let w = Math.max(width - 2 * MARGIN.x, 40);
  let h = Math.max(height - 2 * MARGIN.y, 40);
  if (w / h > most) w = h * most;
  if (w / h < ASPECT.least) h = w / ASPECT.least;
  return { x: (width - w) / 2, y: (height - h) / 2, width: w, height: h };
}

/** Spread what a layout uses of the unit square over all of it, so that hand-made margins are not added to ours. */
export function stretched(layout: ReadonlyMap<string, Point>): Map<string, Point> {
  const points = [...layout.values()];
  const span = (values: number[]) => {
    const low = Math.min(...values);
    const high = Math.max(...values);
    return (value: number) => (high > low ? (value - low) / (high - low) : 0.5);
  };
  const x = span(points.map((point) => point.x));
  const y = span(points.map((point) => point.y));
  return new Map([...layout].map(([id, point]) => [id, { x: x(point.x), y: y(point.y) }]));
}

export function placesOf(group: FamilyGroup, width: number, height: number): Map<string, Point> {
  const given = Object.entries(group.layout).map(([id, [x, y]]) => [id, { x: Number(x), y: Number(y) }] as const);
  const unit =
    given.length > 0
      ? new Map(given)
      : layered(group.nodes.map((node) => node.id), [...group.edges, ...group.fixed].map(([a, b]) => [String(a), String(b)] as const));
  const frame = frameOf(width, height);
  const places = new Map<string, Point>();
  for (const [id, { x, y }] of stretched(unit)) places.set(id, { x: frame.x + x * frame.width, y: frame.y + y * frame.height });
  return places;
}
