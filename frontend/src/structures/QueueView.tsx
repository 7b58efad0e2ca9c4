/** The aging population: who lives, who is next to die, who begot whom; a click opens a candidate. */
import { useEffect, useMemo, useState } from "react";
import { SCORE_SCALE } from "../graph/scoreColour";
import { hoverSide, type Point } from "../graph/stage";
import { useStage } from "../graph/useStage";
import type { RunStore } from "../stream/store";
import { useCalm, useTopic } from "../stream/useRun";
import { metric } from "../ui/format";
import { livingAt, livingFacts } from "./living";
import { Queue } from "./queue";
import "../graph/graph.css";
import "./structures.css";

/** The size of a run's aging population; null where it has none. */
export function populationOf(store: RunStore): number | null {
  const size = store.run?.options["population"];
  // A population in memory (WANN's) has blocks of generations instead of candidates; PathNet's consists of paths.
  const aging = store.candidates.count > 0 && store.pictures.pathways.items.length === 0;
  return aging && typeof size === "number" && size > 0 ? size : null;
}

export function QueueView({ store, onSelect }: { store: RunStore; onSelect: (number: number) => void }) {
  const version = useCalm(useTopic(store, "candidates"), 100);
  const [canvas, picture] = useStage(Queue);
  const [hover, setHover] = useState<{ place: number; at: Point } | null>(null);
  const size = populationOf(store) ?? 1;
  const living = useMemo(() => {
    void version; // the store is mutable: its version says when to read it again
    return livingAt(store.candidates, store.shown, size);
  }, [store, size, version]);
  const best = store.candidates.bestAt(store.shown);
  useEffect(() => picture?.setLiving(living, size, best), [picture, living, size, best]);
  useEffect(() => picture?.hover(hover?.place ?? -1), [picture, hover]);
  useEffect(() => {
    if (!picture) return;
    picture.onPoint = (point, screen) => {
      const place = point ? picture.pick(point) : -1;
      setHover((old) => (place >= 0 ? { place, at: screen } : old === null ? old : null));
    };
    picture.onClick = (point) => {
      const item = living[picture.pick(point)];
      if (item) onSelect(item.number);
    };
  }, [picture, living, onSelect]);
  const facts = livingFacts(living);
  const item = hover ? living[hover.place] : undefined;
  const words = facts.count === 0 ? "nobody lives yet" : `${facts.count} of ${size} live, best ${metric(facts.best)}, mean ${metric(facts.mean)}`;
  return (
    <>
      <div className="panel-fill">
        <canvas ref={canvas} role="img" aria-label={`Aging population: ${words}`} style={{ cursor: hover ? "pointer" : "default" }} />
        {hover && item && (
          <div className={hoverSide(hover.at, canvas.current)} style={{ left: hover.at.x, top: hover.at.y }} aria-hidden="true">
            <strong>
              #{item.number} · {metric(item.value)}
            </strong>
            <span>
              {store.candidates.operators[item.number]}
              {(store.candidates.parents[item.number]?.length ?? 0) > 0 && ` of ${store.candidates.parents[item.number]?.map((parent) => `#${parent}`).join(" and ")}`}
            </span>
            <span>{item.fallen ? "has died" : `${living.length - 1 - hover.place} younger than it`}</span>
          </div>
        )}
      </div>
      <div className="structure-foot">
        <ul className="value-row" aria-label="Population">
          <li>
            alive <b>{facts.count}</b> of {size}
          </li>
          {facts.count > 0 && (
            <>
              <li>
                best alive <b>{metric(facts.best)}</b>
              </li>
              <li>
                mean <b>{metric(facts.mean)}</b>
              </li>
            </>
          )}
        </ul>
        <span className="score-scale">
          low <i style={{ background: SCORE_SCALE }} /> high score
        </span>
      </div>
    </>
  );
}
