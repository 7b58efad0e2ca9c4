/** PathNet's pathways: one population per task, the tournament that was just held, and the counters that say whether knowledge is reused. */
import { useEffect, useRef, useState } from "react";
import { hoverSide, type Point } from "../graph/stage";
import { useStage } from "../graph/useStage";
import { ZoomButtons } from "../graph/ZoomButtons";
import { ValueRow } from "../run/ValueRow";
import { NothingYet } from "../run/NothingYet";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { PathwaysFrame } from "../types/events.gen";
import { exact, metric, plural } from "../ui/format";
import { overlapOf } from "./pathwayFlow";
import { Pathways, type ModulePick } from "./pathways";
import "../graph/graph.css";
import "./structures.css";

export const taskName = (task: number): string => `task ${String.fromCharCode(65 + task)}`;

/** Largest fitness of the population; NaN while none is known. */
export function bestFitness(frame: PathwaysFrame): number {
  return frame.fitness.reduce<number>((best, value) => (value !== null && !(value <= best) ? value : best), NaN);
}

/** "fitness (validation)": on what the run's paths are judged. */
export function fitnessLabel(store: RunStore): string {
  return store.run?.options["fitness"] === "train_batches" ? "fitness (training minibatches)" : "fitness (validation)";
}

export function PathwaysView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const frame = store.pictures.pathways.at(store.shown);
  const final = store.run?.state === "completed" && store.cursor === null;
  const [canvas, picture] = useStage(Pathways);
  const [hover, setHover] = useState<{ pick: ModulePick; at: Point } | null>(null);
  const before = useRef(-1);
  useEffect(() => {
    if (!picture || !frame) return;
    const moment = frame.task * 1e9 + frame.step;
    picture.setFrame(frame, final, moment > before.current);
    before.current = moment;
  }, [picture, frame, final]);
  useEffect(() => picture?.hover(hover?.pick ?? null), [picture, hover]);
  useEffect(() => {
    if (!picture) return;
    picture.onPoint = (point, screen) => {
      const pick = point && picture.pick(point);
      setHover((old) => (pick ? { pick, at: screen } : old === null ? old : null));
    };
  }, [picture]);
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
          <div className={hoverSide(hover.at, canvas.current)} style={{ left: hover.at.x, top: hover.at.y }} aria-hidden="true">
            <strong>
              layer {hover.pick.layer + 1}, module {hover.pick.module + 1}
            </strong>
            <span>
              in {picture.usageOf(hover.pick)} of {plural(frame.population.length, "path")}
              {frame.frozen[hover.pick.layer]?.includes(hover.pick.module) && " · frozen by an earlier task"}
              {frame.best[hover.pick.layer]?.includes(hover.pick.module) && " · on the best path"}
            </span>
          </div>
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
              best {fitnessLabel(store)} <b>{metric(bestFitness(frame))}</b>
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
