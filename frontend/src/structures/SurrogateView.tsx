/** A surrogate model: what it expects of candidates, which it chose, and whether it may be believed. */
import { useEffect } from "react";
import { HoverCard } from "../graph/HoverCard";
import { useHover } from "../graph/useHover";
import { useStage } from "../graph/useStage";
import { ValueRow } from "../run/ValueRow";
import { NothingYet } from "../run/NothingYet";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import { measured, whole, type Figures } from "../ui/figures";
import { metric, plural } from "../ui/format";
import { byMean, SurrogatePlots, surrogateOf } from "./surrogatePlots";
import "./structures.css";

/** Every candidate that the surrogate looked at, the most promising first. */
export function surrogateFigures(store: RunStore): Figures[] {
  const said = store.pictures.at("surrogate", store.shown);
  if (!said) return [];
  const frame = surrogateOf(said);
  return [
    {
      title: "Candidates of the surrogate",
      head: ["rank", scaleOf(said), "deviation", "chosen"],
      rows: byMean(frame.means).map((place, rank) => [
        whole(rank + 1), measured(frame.means[place]), measured(frame.deviations[place]), frame.chosen.includes(place) ? "yes" : "",
      ]),
    },
    ...(frame.observed.length > 0
      ? [{ title: "Calibration", head: ["measured", "predicted before"], rows: Array.from(frame.observed, (value, place) => [measured(value), measured(frame.predicted[place])]) }]
      : []),
  ];
}

/** What the means are. Frames from before it was said predict scores. */
const scaleOf = ({ scale }: { scale?: string }): string => scale ?? "predicted score";

export function SurrogateView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const said = store.pictures.at("surrogate", store.shown);
  const frame = said && surrogateOf(said);
  const [canvas, picture] = useStage(SurrogatePlots);
  const hover = useHover(picture);
  useEffect(() => {
    if (frame && said) picture?.setData(frame, scaleOf(said));
  }, [picture, frame, said]);
  const words = frame
    ? `${plural(frame.means.length, "candidate")}, the best predicted ${metric(Math.max(...frame.means))}, ${frame.chosen.length} chosen; ${plural(frame.observed.length, "prediction")} checked against measurements`
    : "nothing yet";
  return (
    <>
      <div className="panel-fill">
        <canvas ref={canvas} role="img" aria-label={`Surrogate: ${words}`} />
        {!frame && <NothingYet />}
        {hover && frame && (
          <HoverCard at={hover.at} canvas={canvas}>
            <strong>
              {metric(frame.means[hover.pick])} ± {metric(frame.deviations[hover.pick] ?? 0)}
            </strong>
            <span>{frame.chosen.includes(hover.pick) ? "chosen to be tried" : "not chosen"}</span>
          </HoverCard>
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
