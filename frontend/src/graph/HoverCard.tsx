import type { ReactNode, RefObject } from "react";
import type { Point } from "./stage";
import "./graph.css";

/** The card beside the pointer: it opens to the side where it has room. For eyes only; the canvas says the same in words. */
export function HoverCard({ at, canvas, children }: { at: Point; canvas: RefObject<HTMLCanvasElement | null>; children: ReactNode }) {
  const left = at.x > (canvas.current?.clientWidth ?? 0) - 240 ? " hover-left" : "";
  const up = at.y > (canvas.current?.clientHeight ?? 0) - 130 ? " hover-up" : "";
  return (
    <div className={`hover-card${left}${up}`} style={{ left: at.x, top: at.y }} aria-hidden="true">
      {children}
    </div>
  );
}
