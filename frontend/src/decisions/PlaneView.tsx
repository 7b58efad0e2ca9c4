/** A space of two decisions as a plane: which of its points were tried, and how each scored. */
import { useEffect, useMemo } from "react";
import { HoverCard } from "../graph/HoverCard";
import { SCORE_SCALE } from "../graph/scoreColour";
import { useHover } from "../graph/useHover";
import { useStage } from "../graph/useStage";
import { NothingYet } from "../run/NothingYet";
import { bestName, measureName } from "../run/valueNames";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import { measured, whole, type Figures } from "../ui/figures";
import { metric } from "../ui/format";
import { planeOf } from "./frames";
import { bestPoint, PlanePicture, planePoints, planeSpan, type PlanePoint } from "./planePicture";
import "./decisions.css";

function pointsOf(store: RunStore): PlanePoint[] {
  const frame = store.pictures.at("plane", store.shown);
  return frame ? planePoints(store.decisions, planeOf(frame)) : [];
}

/** Every point in figures. */
export function planeFigures(store: RunStore): Figures[] {
  const points = pointsOf(store);
  if (points.length === 0) return [];
  const [first, second] = store.decisions;
  const folded = points.some((point) => !Number.isNaN(point.deviation));
  const measure = measureName(store.run);
  return [
    {
      title: "Points of the plane",
      head: [first?.title ?? "", second?.title ?? "", "tried", `mean ${measure}`, ...(folded ? ["sd over folds"] : [])],
      rows: points.map((point) => [
        first?.choices[point.row] ?? "",
        second?.choices[point.column] ?? "",
        whole(point.tried),
        Number.isNaN(point.mean) ? "–" : measured(point.mean),
        ...(folded ? [point.tried > 0 && !Number.isNaN(point.deviation) ? measured(point.deviation) : "–"] : []),
      ]),
    },
  ];
}

export function PlaneView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const { decisions } = store;
  const frame = store.pictures.at("plane", store.shown);
  const points = useMemo(() => (frame ? planePoints(decisions, planeOf(frame)) : []), [decisions, frame]);
  const [canvas, picture] = useStage(PlanePicture);
  const hover = useHover(picture);
  useEffect(() => picture?.setPlane(decisions, points), [picture, decisions, points]);
  const span = planeSpan(points);
  const best = bestPoint(points);
  const tried = points.filter((point) => point.tried > 0).length;
  const nameOf = ({ row, column }: PlanePoint) => `${decisions[0]?.choices[row] ?? ""} and ${decisions[1]?.choices[column] ?? ""}`;
  const words = `${tried} of ${points.length} points tried${best ? `; best ${nameOf(best)} with ${metric(best.mean)}` : ""}`;
  const pick = hover?.pick;
  return (
    <>
      <div className="panel-fill">
        <canvas ref={canvas} role="img" aria-label={`The plane of two decisions: ${words}`} />
        {!frame && <NothingYet />}
        {hover && pick && (
          <HoverCard at={hover.at} canvas={canvas}>
            <strong>{nameOf(pick)}</strong>
            <span>{pick.tried === 0 ? "not tried" : Number.isNaN(pick.mean) ? "every trial failed" : `${bestName(store.run)} ${metric(pick.mean)}`}</span>
            {!Number.isNaN(pick.deviation) && pick.tried > 0 && <span>sd over folds {metric(pick.deviation)}</span>}
          </HoverCard>
        )}
      </div>
      <div className="structure-foot">
        <span>
          {tried} of {points.length} points tried; ring = best so far
        </span>
        {span && (
          <span className="score-scale">
            {measureName(store.run)} {metric(span[0])} <i style={{ background: SCORE_SCALE }} /> {metric(span[1])}
          </span>
        )}
      </div>
    </>
  );
}
