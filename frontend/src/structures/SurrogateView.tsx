/** A surrogate model: what it expects of candidates, which it chose, and whether it may be believed. */
import { useEffect, useState } from "react";
import { hoverSide, type Point } from "../graph/stage";
import { useStage } from "../graph/useStage";
import { ValueRow } from "../run/ValueRow";
import { NothingYet } from "../run/NothingYet";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import { metric, plural } from "../ui/format";
import { SurrogatePlots } from "./surrogatePlots";
import "../graph/graph.css";
import "./structures.css";

export function SurrogateView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const frame = store.pictures.surrogate.at(store.shown);
  const [canvas, picture] = useStage(SurrogatePlots);
  const [hover, setHover] = useState<{ place: number; at: Point } | null>(null);
  useEffect(() => {
    if (frame) picture?.setData(frame);
  }, [picture, frame]);
  useEffect(() => picture?.hover(hover?.place ?? -1), [picture, hover]);
  useEffect(() => {
    if (!picture) return;
    picture.onPoint = (point, screen) => {
      const place = point ? picture.pick(point) : -1;
      setHover((old) => (place >= 0 ? { place, at: screen } : old === null ? old : null));
    };
  }, [picture]);
  const words = frame
    ? `${plural(frame.means.length, "candidate")}, the best predicted ${metric(Math.max(...frame.means))}, ${frame.chosen.length} chosen; ${plural(frame.observed.length, "prediction")} checked against measurements`
    : "nothing yet";
  return (
    <>
      <div className="panel-fill">
        <canvas ref={canvas} role="img" aria-label={`Surrogate: ${words}`} />
        {!frame && <NothingYet />}
        {hover && frame && (
          <div className={hoverSide(hover.at, canvas.current)} style={{ left: hover.at.x, top: hover.at.y }} aria-hidden="true">
            <strong>
              {metric(frame.means[hover.place])} ± {metric(frame.deviations[hover.place] ?? 0)}
            </strong>
            <span>{frame.chosen.includes(hover.place) ? "chosen to be tried" : "not chosen"}</span>
          </div>
        )}
      </div>
      <div className="structure-foot">
        <ul className="legend" aria-label="Legend">
          <li>
            <i className="swatch-dot" style={{ background: "var(--best)" }} /> chosen to be tried
          </li>
          <li>
            <i className="swatch-dot" style={{ background: "var(--accent)" }} /> looked at
          </li>
        </ul>
        <ValueRow values={frame?.values ?? {}} />
      </div>
    </>
  );
}
