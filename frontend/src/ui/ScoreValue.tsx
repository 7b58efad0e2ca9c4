/** A score as a number that cannot be taken for another: its unit and what it takes to read it stand with it. */
import type { Score } from "../types/events.gen";
import { metric } from "./format";
import { inFull, selection } from "./scoreKinds";

/** `fidelity` where its column does not say it, `unit` where nothing above it does. */
export function ScoreValue({ score, unit = false, fidelity = false, leader = false }: { score: Score; unit?: boolean; fidelity?: boolean; leader?: boolean }) {
  const about = [unit ? `${score.name}, ${score.unit}` : "", selection(score), fidelity ? score.fidelity.text : ""].filter(Boolean);
  return (
    <>
      <span className={leader ? "leader" : "strong"} title={inFull(score)}>
        {metric(score.value)}
      </span>
      {about.length > 0 && <span className="sub">{about.join(" · ")}</span>}
    </>
  );
}
