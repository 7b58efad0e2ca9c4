/** Per decision and choice how often it was tried and which mean score it had: what a search without a model has learned. */
import { useEffect, useMemo } from "react";
import { SCORE_SCALE } from "../graph/scoreColour";
import { HoverCard } from "../graph/HoverCard";
import { useHover } from "../graph/useHover";
import { useStage } from "../graph/useStage";
import { NothingYet } from "../run/NothingYet";
import { bestName, measureName } from "../run/valueNames";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import { measured, whole, type Cell, type Figures } from "../ui/figures";
import { exact, metric } from "../ui/format";
import { offsetsOf } from "./blocks";
import { marginalsOf } from "./frames";
import { marginalFacts } from "./facts";
import { MarginalBars, meanSpan } from "./marginalBars";
import "./decisions.css";

/** What was tried so far in figures. */
export function marginalFigures(store: RunStore): Figures[] {
  const frame = store.pictures.at("marginals", store.shown);
  if (!frame) return [];
  const { decisions } = store;
  const marginals = marginalsOf(frame);
  const offsets = offsetsOf(decisions);
  return [
    {
      title: "Tried choices",
      head: ["decision", "trials", "most often", "best scored", `its mean ${measureName(store.run)}`],
      rows: marginalFacts(decisions, marginals).map((item) => [item.title, whole(item.tried), item.often || "–", item.best || "–", measured(item.mean)]),
    },
    {
      title: "Every choice",
      head: ["decision", "choice", "tried", `mean ${measureName(store.run)}`],
      rows: decisions.flatMap((decision, place) => decision.choices.map((choice, index) => choiceRow(decision.title, choice, marginals, (offsets[place] ?? 0) + index))),
    },
  ];
}

/** A choice that was never scored has no mean. */
function choiceRow(decision: string, choice: string, { counts, means }: ReturnType<typeof marginalsOf>, place: number): Cell[] {
  const mean = means[place] ?? NaN;
  return [decision, choice, whole(counts[place] ?? 0), Number.isNaN(mean) ? "–" : measured(mean)];
}

export function MarginalsView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const { decisions } = store;
  const frame = store.pictures.at("marginals", store.shown);
  const marginals = frame && marginalsOf(frame);
  const [canvas, picture] = useStage(MarginalBars);
  const hover = useHover(picture);
  useEffect(() => {
    if (!picture || !marginals) return;
    picture.setDecisions(decisions);
    picture.setMarginals(marginals.counts, marginals.means);
  }, [picture, decisions, marginals]);
  const words = useMemo(
    () => (marginals ? marginalFacts(decisions, marginals).slice(0, 12).map((item) => `${item.title} best with ${item.best || "nothing yet"} ${metric(item.mean)}`).join(", ") : "nothing yet"),
    [decisions, marginals],
  );
  const span = marginals ? meanSpan(marginals.counts, marginals.means) : null;
  const decision = hover ? decisions[hover.pick.decision] : undefined;
  const place = hover ? (offsetsOf(decisions)[hover.pick.decision] ?? 0) + hover.pick.choice : 0;
  return (
    <>
      <div className="panel-fill">
        <canvas ref={canvas} role="img" aria-label={`Tried choices: ${words}`} />
        {!marginals && <NothingYet />}
        {hover && marginals && decision && (
          <HoverCard at={hover.at} canvas={canvas}>
            <strong>{decision.choices[hover.pick.choice]}</strong>
            <span>{decision.title}</span>
            <span>
              tried {exact(marginals.counts[place])} times
              {!Number.isNaN(marginals.means[place] ?? NaN) && `, mean ${bestName(store.run)} ${metric(marginals.means[place])}`}
            </span>
          </HoverCard>
        )}
      </div>
      <div className="structure-foot">
        <span>height = how often a choice was tried, among its decision's</span>
        {span && (
          <span className="score-scale">
            mean {measureName(store.run)} {metric(span[0])} <i style={{ background: SCORE_SCALE }} /> {metric(span[1])}
          </span>
        )}
      </div>
    </>
  );
}
