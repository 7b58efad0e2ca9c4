/** The aging population: who lives, who is next to die, who begot whom; a click opens a candidate. */
import { useEffect, useMemo } from "react";
import { SCORE_SCALE } from "../graph/scoreColour";
import { HoverCard } from "../graph/HoverCard";
import { useHover } from "../graph/useHover";
import { useStage } from "../graph/useStage";
import { bestName, measureAxis, measureName } from "../run/valueNames";
import type { RunStore } from "../stream/store";
import { useCalm, useTopic } from "../stream/useRun";
import { measured, whole, type Figures } from "../ui/figures";
import { metric } from "../ui/format";
import { livingAt, livingFacts } from "./living";
import { Queue } from "./queue";
import "./structures.css";

/** How many live at once: the option that every algorithm with an ageing population has. */
export function populationOf(store: RunStore): number {
  const size = store.run?.options["population"];
  return typeof size === "number" && size > 0 ? size : 1;
}

/** Who lives, the oldest first. */
export function queueFigures(store: RunStore): Figures[] {
  const { candidates } = store;
  const living = livingAt(candidates, store.shown, populationOf(store)).filter((item) => !item.fallen);
  return [
    {
      title: "Living population",
      head: ["candidate", measureName(store.run), "made by", "parents"],
      rows: living.map(({ number, value }) => [whole(number), measured(value), candidates.operators[number] ?? "", (candidates.parents[number] ?? []).join(" ")]),
    },
  ];
}

export function QueueView({ store, onSelect }: { store: RunStore; onSelect: (number: number) => void }) {
  const version = useCalm(useTopic(store, "candidates"), 100);
  const [canvas, picture] = useStage(Queue);
  const size = populationOf(store);
  const living = useMemo(() => {
    void version; // the store is mutable: its version says when to read it again
    return livingAt(store.candidates, store.shown, size);
  }, [store, size, version]);
  const best = store.candidates.bestAt(store.shown);
  useEffect(() => picture?.setLiving(living, size, best), [picture, living, size, best]);
  const hover = useHover(picture, (place) => {
    const item = place === null ? undefined : living[place];
    if (item) onSelect(item.number);
  });
  const facts = livingFacts(living);
  const item = hover ? living[hover.pick] : undefined;
  const words = facts.count === 0 ? "nobody lives yet" : `${facts.count} of ${size} live, best ${measureName(store.run)} ${metric(facts.best)}, mean ${metric(facts.mean)}`;
  return (
    <>
      <div className="panel-fill">
        <canvas ref={canvas} role="img" aria-label={`Aging population: ${words}`} style={{ cursor: hover ? "pointer" : "default" }} />
        {hover && item && (
          <HoverCard at={hover.at} canvas={canvas}>
            <strong>
              #{item.number} · {bestName(store.run)} {metric(item.value)}
            </strong>
            <span>
              {store.candidates.operators[item.number]}
              {(store.candidates.parents[item.number]?.length ?? 0) > 0 && ` of ${store.candidates.parents[item.number]?.map((parent) => `#${parent}`).join(" and ")}`}
            </span>
            <span>{item.fallen ? "has died" : `${living.length - 1 - hover.pick} younger than it`}</span>
          </HoverCard>
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
          low <i style={{ background: SCORE_SCALE }} /> high: {measureAxis(store.run)}
        </span>
      </div>
    </>
  );
}
