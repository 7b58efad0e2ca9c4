/** PathNet's pathways: one population per task, the tournament that was just held, and the counters that say whether knowledge is reused. */
import { useEffect, useRef } from "react";
import { HoverCard } from "../graph/HoverCard";
import { useHover } from "../graph/useHover";
import { useStage } from "../graph/useStage";
import { ZoomButtons } from "../graph/ZoomButtons";
import { ValueRow } from "../run/ValueRow";
import { NothingYet } from "../run/NothingYet";
import { measureName } from "../run/valueNames";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { PathwaysFrame } from "../types/events.gen";
import { measured, whole, type Figures } from "../ui/figures";
import { exact, metric, metricName, plural } from "../ui/format";
import { overlapOf } from "./pathwayFlow";
import { Pathways } from "./pathways";
import "./structures.css";

export const taskName = (task: number): string => `task ${String.fromCharCode(65 + task)}`;

/** The largest of what the population is ranked by; NaN while none is known. */
export function bestFitness(frame: PathwaysFrame): number {
  return frame.fitness.reduce<number>((best, value) => (value !== null && !(value <= best) ? value : best), NaN);
}

/** "validation accuracy (share of examples)": by what the paths are ranked. Frames from before it was said leave it to the run. */
export function rankedBy(store: RunStore, { metric: name }: Partial<Pick<PathwaysFrame, "metric">>): string {
  return name ? `${metricName(name)} (share of examples)` : measureName(store.run);
}

/** Every path of the population with what it is ranked by. */
export function pathwayFigures(store: RunStore): Figures[] {
  const frame = store.pictures.at("pathways", store.shown);
  if (!frame) return [];
  return [
    {
      title: `Paths of ${taskName(frame.task)}, best ${rankedBy(store, frame)} ${metric(bestFitness(frame))}`,
      head: ["path", rankedBy(store, frame), "modules by layer"],
      rows: frame.population.map((path, place) => [whole(place + 1), measured(frame.fitness[place]), path.map((layer) => layer.map((module) => module + 1).join("+")).join(" · ")]),
    },
  ];
}

export function PathwaysView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const frame = store.pictures.at("pathways", store.shown);
  const final = store.run?.state === "completed" && store.live;
  const [canvas, picture] = useStage(Pathways);
  const hover = useHover(picture);
  const before = useRef(-1);
  useEffect(() => {
    if (!picture || !frame) return;
    const moment = frame.task * 1e9 + frame.step;
    picture.setFrame(frame, final, moment > before.current);
    before.current = moment;
  }, [picture, frame, final]);
  const words = frame
    ? `${taskName(frame.task)}, tournament ${frame.step}, ${plural(frame.population.length, "path")}; best path uses ${overlapOf(frame)} frozen modules`
    : "nothing yet";
  const later = (frame?.task ?? 0) > 0;
  return (
    <>
      <div className="panel-fill">
        <canvas ref={canvas} role="img" aria-label={`Pathways: ${words}`} />
        {!frame && <NothingYet />}
        {hover && frame && picture && (
          <HoverCard at={hover.at} canvas={canvas}>
            <strong>
              layer {hover.pick.layer + 1}, module {hover.pick.module + 1}
            </strong>
            <span>
              in {picture.usageOf(hover.pick)} of {plural(frame.population.length, "path")}
              {frame.frozen[hover.pick.layer]?.includes(hover.pick.module) && " · frozen by an earlier task"}
              {frame.best[hover.pick.layer]?.includes(hover.pick.module) && " · on the best path"}
            </span>
          </HoverCard>
        )}
        <ZoomButtons picture={picture} low />
      </div>
      <div className="structure-foot">
        <ul className="legend" aria-label="Legend">
          <li>
            <i className="swatch" style={{ background: later ? "var(--path-later)" : "var(--path-first)" }} /> population, width = genotypes
          </li>
          {later && (
            <>
              <li>
                <i className="swatch" style={{ background: "var(--path-frozen)" }} /> frozen by {taskName(0)}
                {frame && frame.task > 1 && " and later ones"}
              </li>
              <li>
                <i className="swatch" style={{ background: "var(--path-best)" }} /> {final ? "found path" : "best path"} of {taskName(frame?.task ?? 1)}
              </li>
            </>
          )}
          <li>
            <i className="swatch" style={{ background: "var(--good)" }} /> winner of the tournament
          </li>
        </ul>
        {frame && (
          <ul className="value-row" aria-label="Counters">
            <li>
              <b>{taskName(frame.task)}</b>
            </li>
            <li>
              tournament <b>{exact(frame.step)}</b>
            </li>
            <li>
              best {rankedBy(store, frame)} <b>{metric(bestFitness(frame))}</b>
            </li>
            {later && (
              <li>
                modules shared with earlier tasks <b>{overlapOf(frame)}</b>
              </li>
            )}
          </ul>
        )}
        <ValueRow values={Object.fromEntries(Object.entries(frame?.values ?? {}).filter(([name]) => name !== "overlap"))} />
      </div>
    </>
  );
}
