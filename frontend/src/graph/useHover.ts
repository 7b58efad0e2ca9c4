/** What is under the pointer of a canvas picture: the picture lights it up, a card beside it says what it is, a click chooses it. */
import { useEffect, useState } from "react";
import type { Point, Stage } from "./stage";

export interface Hoverable<Pick> extends Stage {
  /** What is at a place of the picture, null where nothing is. */
  pick(point: Point): Pick | null;
  /** Draws it as pointed at, where the picture does so by itself. */
  hover?(pick: Pick | null): void;
}

export interface Hovered<Pick> {
  pick: Pick;
  /** Where the pointer is, in pixels of the canvas. */
  at: Point;
}

/** `onClick` is told what was clicked, null beside everything. */
export function useHover<Pick>(picture: Hoverable<Pick> | null, onClick?: (pick: Pick | null) => void): Hovered<Pick> | null {
  const [hover, setHover] = useState<Hovered<Pick> | null>(null);
  useEffect(() => {
    if (!picture) return;
    picture.onPoint = (point, screen) => {
      const pick = point && picture.pick(point);
      setHover((before) => (pick !== null ? { pick, at: screen } : before === null ? before : null));
    };
  }, [picture]);
  useEffect(() => picture?.hover?.(hover?.pick ?? null), [picture, hover]);
  useEffect(() => {
    if (picture && onClick) picture.onClick = (point) => onClick(picture.pick(point));
  }, [picture, onClick]);
  return hover;
}
