/** A controller's policy: heat strips, or one heat map where all decisions have the same choices; below it the latest child, if it has a parent. */
import { useEffect, useMemo, useState } from "react";
import { HoverCard } from "../graph/HoverCard";
import { useHover } from "../graph/useHover";
import { useStage } from "../graph/useStage";
import { NothingYet } from "../run/NothingYet";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { DecisionInfo } from "../types/events.gen";
import { figure, measured, type Figures } from "../ui/figures";
import { Segmented } from "../ui/Segmented";
import { ValueRow } from "../run/ValueRow";
import { ChildStrips } from "./childStrips";
import type { Cell } from "./decisionStage";
import { describePolicy, entropyShare, policyFacts } from "./facts";
import { policyOf, type Policy } from "./frames";
import { offsetsOf } from "./blocks";
import { PolicyHeat } from "./policyHeat";
import "./decisions.css";

function ChoiceFacts({ decisions, policy, cell }: { decisions: readonly DecisionInfo[]; policy: Policy; cell: Cell }) {
  const decision = decisions[cell.decision];
  const offsets = useMemo(() => offsetsOf(decisions), [decisions]);
  if (!decision) return null;
  const first = offsets[cell.decision] ?? 0;
  const entropy = entropyShare(policy.probabilities, first, offsets[cell.decision + 1] ?? first);
  const sampled = policy.sampled[cell.decision];
  return (
    <>
      <strong>
        {decision.choices[cell.choice]} {(policy.probabilities[first + cell.choice] ?? 0).toFixed(3)}
      </strong>
      <span>{decision.title}</span>
      <span>
        entropy {(100 * entropy).toFixed(0)} % of uniform
        {sampled != null && ` · latest sample: ${decision.choices[sampled]}`}
      </span>
    </>
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
  const hover = useHover(picture);
  useEffect(() => picture?.setChild(decisions, policy), [picture, decisions, policy]);
  const changed = policy.resampled.filter((place) => policy.sampled[place] !== policy.parent[place]).length;
  return (
    <div className="child-strips">
      <h3>
        Latest child <span>grey = copied from its parent, coloured = drawn anew (opacity = π), outlined = different</span>
      </h3>
      {hover && <ChildCard decisions={decisions} policy={policy} place={hover.pick} x={hover.at.x} />}
      <canvas ref={canvas} role="img" aria-label={`Latest child: ${policy.resampled.length} of ${decisions.length} decisions drawn anew, ${changed} of them different from the parent's`} />
    </div>
  );
}

/** Whose controller it is, where every data set has its own. */
function controllerName(store: RunStore, domain: string): string {
  return domain === "" ? "shared" : (store.run?.datasets[Number(domain)] ?? `data set ${Number(domain) + 1}`);
}

/** The policies at the shown moment in figures. */
export function policyFigures(store: RunStore): Figures[] {
  const { decisions } = store;
  const offsets = offsetsOf(decisions);
  return store.pictures.latest("policy", store.shown).flatMap(({ source, data }) => {
    const title = source === "" ? "Policy" : `Policy of ${controllerName(store, source)}`;
    const policy = policyOf(data);
    return [summaryOf(title, decisions, policy), {
      title: `${title}: every choice`,
      head: ["decision", "choice", "π", "latest sample", "parent", "drawn anew"],
      rows: decisions.flatMap((decision, place) =>
        decision.choices.map((choice, index) => [
          decision.title, choice, measured(policy.probabilities[(offsets[place] ?? 0) + index]), policy.sampled[place] === index ? "yes" : "",
          policy.parent[place] === index ? "yes" : "", policy.resampled.includes(place) ? "yes" : "",
        ]),
      ),
    }];
  });
}

/** One row for each decision. */
function summaryOf(title: string, decisions: readonly DecisionInfo[], policy: Policy): Figures {
  return {
    title,
    head: ["decision", "most probable", "π", "latest sample", "entropy"],
    rows: policyFacts(decisions, policy).map((item) => [
      item.title, item.choice ?? "inactive", figure(item.probability, item.probability.toFixed(3)), item.sampled ?? "–", figure(item.entropy, `${(100 * item.entropy).toFixed(0)} %`),
    ]),
  };
}

/** Where every decision's choices are about equally probable: what would else look like a picture that does not work. */
const UNIFORM = 0.995;
const isUniform = (decisions: readonly DecisionInfo[], policy: Policy): boolean =>
  policyFacts(decisions, policy).every((item, place) => item.choice === null || (decisions[place]?.choices.length ?? 0) < 2 || item.entropy > UNIFORM);

export function PolicyView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const logs = store.pictures.of("policy");
  const domains = [...logs.keys()];
  const [wanted, setWanted] = useState("");
  const domain = domains.includes(wanted) ? wanted : (domains[0] ?? "");
  const frame = logs.get(domain)?.at(store.shown);
  const policy = frame && policyOf(frame);
  const { decisions } = store;
  const [canvas, picture] = useStage(PolicyHeat);
  const hover = useHover(picture);
  useEffect(() => {
    if (!picture || !policy) return;
    picture.setDecisions(decisions);
    picture.setPolicy(policy.probabilities, policy.sampled);
  }, [picture, decisions, policy]);
  const words = useMemo(() => (policy ? describePolicy(policyFacts(decisions, policy)) : "nothing yet"), [decisions, policy]);
  return (
    <>
      <div className="panel-fill">
        <canvas ref={canvas} role="img" aria-label={`Policy: ${words}`} />
        {!policy && <NothingYet />}
        {hover && policy && (
          <HoverCard at={hover.at} canvas={canvas}>
            <ChoiceFacts decisions={decisions} policy={policy} cell={hover.pick} />
          </HoverCard>
        )}
      </div>
      {policy && policy.parent.length > 0 && <Strips decisions={decisions} policy={policy} />}
      <div className="structure-foot">
        {policy && decisions.length > 0 && isUniform(decisions, policy) && <span>Nothing is decided yet: in every decision all choices are about equally probable.</span>}
        <ValueRow values={policy?.values ?? {}} step={policy?.step} />
        {domains.length > 1 && (
          <Segmented
            label="Controller"
            options={domains.map((item) => ({ value: item, label: controllerName(store, item) }))}
            value={domain}
            onChange={setWanted}
          />
        )}
      </div>
    </>
  );
}
