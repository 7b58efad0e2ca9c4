import { useEffect, useMemo } from "react";
import { HoverCard } from "../graph/HoverCard";
import { useHover } from "../graph/useHover";
import { useStage } from "../graph/useStage";
import type { RunStore } from "../stream/store";
import { useCalm, useTopic } from "../stream/useRun";
import { metric, plural } from "../ui/format";
import { candidatePoints, generationPoints } from "./individualPoints";
import { Population } from "./population";

export interface PopulationPictureProps {
  store: RunStore;
  selected: number | null;
  onSelect: (number: number) => void;
}

export function PopulationPicture({ store, selected, onSelect }: PopulationPictureProps) {
  const version = useCalm(useTopic(store, "candidates"), 100);
  const [canvas, picture] = useStage(Population);
  const inMemory = store.candidates.count === 0;
  const points = useMemo(() => {
    void version; // the store is mutable: its version says when to read it again
    return inMemory ? generationPoints(store) : candidatePoints(store, selected);
  }, [store, inMemory, selected, version]);
  useEffect(() => picture?.setData(points, store.live && store.run?.state === "running"), [picture, points, store]);
  const hover = useHover(picture, (index) => {
    if (index === null) return;
    const number = points.numbers[index];
    if (number !== undefined) onSelect(number);
    else store.setCursor(points.seqs[index] ?? null);
  });

  const { candidates } = store;
  const number = hover ? points.numbers[hover.pick] : undefined;
  const words = `${plural(points.x.length, "individual")} by ${points.xLabel}; ${points.bestLabel || "none measured yet"}`;
  return (
    <div className="panel-fill">
      <canvas ref={canvas} role="img" aria-label={words} style={{ cursor: hover ? "pointer" : "default" }} />
      {hover && (
        <HoverCard at={hover.at} canvas={canvas}>
          {number === undefined ? (
            <>
              <strong>{(points.y[hover.pick] ?? NaN).toFixed(3)}</strong>
              <span>generation {points.x[hover.pick]}; click to go there</span>
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
        </HoverCard>
      )}
    </div>
  );
}
