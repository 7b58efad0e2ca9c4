import { useEffect, useMemo, useState } from "react";
import type { Point } from "../graph/stage";
import { useStage } from "../graph/useStage";
import type { RunStore } from "../stream/store";
import { useCalm, useTopic } from "../stream/useRun";
import { metric, plural } from "../ui/format";
import { candidatePoints, generationPoints } from "./individualPoints";
import { Population } from "./population";
import "../graph/graph.css";

export interface PopulationPictureProps {
  store: RunStore;
  selected: number | null;
  onSelect: (number: number) => void;
}

export function PopulationPicture({ store, selected, onSelect }: PopulationPictureProps) {
  const version = useCalm(useTopic(store, "candidates"), 100);
  const [canvas, picture] = useStage(Population);
  const [hover, setHover] = useState<{ index: number; at: Point } | null>(null);
  const inMemory = store.candidates.count === 0;
  const points = useMemo(() => {
    void version; // the store is mutable: its version says when to read it again
    return inMemory ? generationPoints(store) : candidatePoints(store, selected);
  }, [store, inMemory, selected, version]);
  useEffect(() => picture?.setData(points, store.cursor === null && store.run?.state === "running"), [picture, points, store]);
  useEffect(() => picture?.hover(hover?.index ?? -1), [picture, hover]);
  useEffect(() => {
    if (!picture) return;
    picture.onPoint = (point, screen) => {
      const index = point ? picture.pick(point) : -1;
      setHover((before) => (index >= 0 ? { index, at: screen } : before === null ? before : null));
    };
    picture.onClick = (point) => {
      const index = picture.pick(point);
      if (index < 0) return;
      const number = points.numbers[index];
      if (number !== undefined) onSelect(number);
      else store.setCursor(points.seqs[index] ?? null);
    };
  }, [picture, points, onSelect, store]);

  const { candidates } = store;
  const number = hover ? points.numbers[hover.index] : undefined;
  const words = `${plural(points.x.length, "individual")} by ${points.xLabel}; ${points.bestLabel || "none measured yet"}`;
  const width = canvas.current?.clientWidth ?? 0;
  return (
    <div className="panel-fill">
      <canvas ref={canvas} role="img" aria-label={words} style={{ cursor: hover ? "pointer" : "default" }} />
      {hover && (
        <div className={`hover-card${hover.at.x > width - 220 ? " hover-left" : ""}`} style={{ left: hover.at.x, top: hover.at.y }} aria-hidden="true">
          {number === undefined ? (
            <>
              <strong>{(points.y[hover.index] ?? NaN).toFixed(3)}</strong>
              <span>generation {points.x[hover.index]}; click to go there</span>
            </>
          ) : (
            <>
              <strong>
                #{number} · {metric(candidates.values[number])}
              </strong>
              <span>
                {candidates.operators[number]}
                {(candidates.parents[number]?.length ?? 0) > 0 && ` of ${candidates.parents[number]?.map((parent) => `#${parent}`).join(" and ")}`}
              </span>
            </>
          )}
        </div>
      )}
    </div>
  );
}
