/** Per decision and choice how often it was tried and which mean score it had: what a search without a model has learned. */
import { useEffect, useMemo, useState } from "react";
import { SCORE_SCALE } from "../graph/scoreColour";
import { hoverSide, type Point } from "../graph/stage";
import { useStage } from "../graph/useStage";
import { NothingYet } from "../run/NothingYet";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import { exact, metric } from "../ui/format";
import { offsetsOf } from "./blocks";
import type { Cell } from "./decisionStage";
import { marginalFacts } from "./facts";
import { MarginalBars, meanSpan } from "./marginalBars";
import "../graph/graph.css";
import "./decisions.css";

export function MarginalsView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const { decisions } = store.pictures;
  const marginals = store.pictures.marginals.at(store.shown);
  const [canvas, picture] = useStage(MarginalBars);
  const [hover, setHover] = useState<{ cell: Cell; at: Point } | null>(null);
  useEffect(() => {
    if (!picture || !marginals) return;
    picture.setDecisions(decisions);
    picture.setMarginals(marginals.counts, marginals.means);
  }, [picture, decisions, marginals]);
  useEffect(() => picture?.hover(hover?.cell ?? null), [picture, hover]);
  useEffect(() => {
    if (!picture) return;
    picture.onPoint = (point, screen) => {
      const cell = point && picture.pick(point);
      setHover((before) => (cell ? { cell, at: screen } : before === null ? before : null));
    };
  }, [picture]);
  const words = useMemo(
    () => (marginals ? marginalFacts(decisions, marginals).slice(0, 12).map((item) => `${item.title} best with ${item.best || "nothing yet"} ${metric(item.mean)}`).join(", ") : "nothing yet"),
    [decisions, marginals],
  );
  const span = marginals ? meanSpan(marginals.counts, marginals.means) : null;
  const decision = hover ? decisions[hover.cell.decision] : undefined;
  const place = hover ? (offsetsOf(decisions)[hover.cell.decision] ?? 0) + hover.cell.choice : 0;
  return (
    <>
      <div className="panel-fill">
        <canvas ref={canvas} role="img" aria-label={`Tried choices: ${words}`} />
        {!marginals && <NothingYet />}
        {hover && marginals && decision && (
          <div className={hoverSide(hover.at, canvas.current)} style={{ left: hover.at.x, top: hover.at.y }} aria-hidden="true">
            <strong>{decision.choices[hover.cell.choice]}</strong>
            <span>{decision.title}</span>
            <span>
              tried {exact(marginals.counts[place])} times
              {(marginals.means[place] ?? 0) !== 0 && `, mean score ${metric(marginals.means[place])}`}
            </span>
          </div>
        )}
      </div>
      <div className="structure-foot">
        <span>height = how often a choice was tried, among its decision's</span>
        {span && (
          <span className="score-scale">
            mean score {metric(span[0])} <i style={{ background: SCORE_SCALE }} /> {metric(span[1])}
          </span>
        )}
      </div>
    </>
  );
}
