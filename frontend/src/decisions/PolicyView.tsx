/** A controller's policy: heat strips, or one heat map where all decisions have the same choices; below it the latest child, if it has a parent. */
import { useEffect, useMemo, useState } from "react";
import { hoverSide, type Point } from "../graph/stage";
import { useStage } from "../graph/useStage";
import type { Policy } from "../stream/pictures";
import { NothingYet } from "../run/NothingYet";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { DecisionInfo } from "../types/events.gen";
import { Segmented } from "../ui/Segmented";
import { ValueRow } from "../run/ValueRow";
import { ChildStrips } from "./childStrips";
import type { Cell } from "./decisionStage";
import { describePolicy, entropyShare, policyFacts } from "./facts";
import { offsetsOf } from "./blocks";
import { PolicyHeat } from "./policyHeat";
import "../graph/graph.css";
import "./decisions.css";

function HoverCard({ decisions, policy, cell, at, canvas }: { decisions: readonly DecisionInfo[]; policy: Policy; cell: Cell; at: Point; canvas: HTMLCanvasElement | null }) {
  const decision = decisions[cell.decision];
  const offsets = useMemo(() => offsetsOf(decisions), [decisions]);
  if (!decision) return null;
  const first = offsets[cell.decision] ?? 0;
  const entropy = entropyShare(policy.probabilities, first, offsets[cell.decision + 1] ?? first);
  const sampled = policy.sampled[cell.decision];
  return (
    <div className={hoverSide(at, canvas)} style={{ left: at.x, top: at.y }} aria-hidden="true">
      <strong>
        {decision.choices[cell.choice]} {(policy.probabilities[first + cell.choice] ?? 0).toFixed(3)}
      </strong>
      <span>{decision.title}</span>
      <span>
        entropy {(100 * entropy).toFixed(0)} % of uniform
        {sampled != null && ` · latest sample: ${decision.choices[sampled]}`}
      </span>
    </div>
  );
}

function ChildCard({ decisions, policy, place, x }: { decisions: readonly DecisionInfo[]; policy: Policy; place: number; x: number }) {
  const decision = decisions[place];
  const name = (choice: number | null | undefined) => (choice == null ? "inactive" : (decision?.choices[choice] ?? ""));
  const anew = policy.resampled.includes(place);
  return (
    <div className="hover-card child-card" style={{ left: Math.max(x - 110, 0) }} aria-hidden="true">
      <strong>{decision?.title}</strong>
      <span>
        parent {name(policy.parent[place])}, child {name(policy.sampled[place])}
      </span>
      <span>{anew ? "drawn anew" : "copied"}</span>
    </div>
  );
}

function Strips({ decisions, policy }: { decisions: readonly DecisionInfo[]; policy: Policy }) {
  const [canvas, picture] = useStage(ChildStrips);
  const [hover, setHover] = useState<{ place: number; at: Point } | null>(null);
  useEffect(() => picture?.setChild(decisions, policy), [picture, decisions, policy]);
  useEffect(() => {
    if (!picture) return;
    picture.onPoint = (point, screen) => {
      const place = point ? picture.pick(point) : null;
      setHover((before) => (place !== null ? { place, at: screen } : before === null ? before : null));
    };
  }, [picture]);
  const changed = policy.resampled.filter((place) => policy.sampled[place] !== policy.parent[place]).length;
  return (
    <div className="child-strips">
      <h3>
        Latest child <span>grey = copied from its parent, coloured = drawn anew (opacity = π), outlined = different</span>
      </h3>
      {hover && <ChildCard decisions={decisions} policy={policy} place={hover.place} x={hover.at.x} />}
      <canvas ref={canvas} role="img" aria-label={`Latest child: ${policy.resampled.length} of ${decisions.length} decisions drawn anew, ${changed} of them different from the parent's`} />
    </div>
  );
}

export function PolicyView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const domains = [...store.pictures.policies.keys()];
  const [wanted, setWanted] = useState<number | null>(null);
  const domain = domains.includes(wanted) ? wanted : (domains[0] ?? null);
  const policy = store.pictures.policies.get(domain)?.at(store.shown);
  const { decisions } = store.pictures;
  const [canvas, picture] = useStage(PolicyHeat);
  const [hover, setHover] = useState<{ cell: Cell; at: Point } | null>(null);
  useEffect(() => {
    if (!picture || !policy) return;
    picture.setDecisions(decisions);
    picture.setPolicy(policy.probabilities, policy.sampled);
  }, [picture, decisions, policy]);
  useEffect(() => picture?.hover(hover?.cell ?? null), [picture, hover]);
  useEffect(() => {
    if (!picture) return;
    picture.onPoint = (point, screen) => {
      const cell = point && picture.pick(point);
      setHover((before) => (cell ? { cell, at: screen } : before === null ? before : null));
    };
  }, [picture]);
  const words = useMemo(() => (policy ? describePolicy(policyFacts(decisions, policy)) : "nothing yet"), [decisions, policy]);
  return (
    <>
      <div className="panel-fill">
        <canvas ref={canvas} role="img" aria-label={`Policy: ${words}`} />
        {!policy && <NothingYet />}
        {hover && policy && <HoverCard decisions={decisions} policy={policy} cell={hover.cell} at={hover.at} canvas={canvas.current} />}
      </div>
      {policy && policy.parent.length > 0 && <Strips decisions={decisions} policy={policy} />}
      <div className="structure-foot">
        <ValueRow values={policy?.values ?? {}} step={policy?.step} />
        {domains.length > 1 && (
          <Segmented
            label="Controller"
            options={domains.map((item) => ({ value: String(item), label: item === null ? "shared" : (store.run?.datasets[item] ?? `data set ${item + 1}`) }))}
            value={String(domain)}
            onChange={(value) => setWanted(value === "null" ? null : Number(value))}
          />
        )}
      </div>
    </>
  );
}
