/** Every change that a growing structure considered: what, whether it stayed, why, and the objective before and after. Newest first. */
import { useMemo, useState } from "react";
import { objectiveText } from "../stream/growth";
import type { At } from "../api/types";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { GrowthStep } from "../types/events.gen";
import { measured, whole, type Figures } from "../ui/figures";
import { metric, metricName, plural } from "../ui/format";
import { Empty } from "../ui/States";
import { valueFigures } from "./ValueRow";
import { VirtualRows } from "./VirtualRows";

/** The steps of a list up to a moment, the newest first. */
export function stepsAt(growth: readonly At<GrowthStep>[], shown: number, acceptedOnly: boolean): At<GrowthStep>[] {
  return growth.filter((item) => item.seq <= shown && (!acceptedOnly || item.data.accepted)).reverse();
}

/** What a step's own figures say, for its title. */
function partsText(step: GrowthStep): string {
  return Object.entries(step.values)
    .map(([name, value]) => `${metricName(name)} ${metric(value)}`)
    .join(", ");
}

function Step({ item, onShow }: { item: At<GrowthStep>; onShow: () => void }) {
  const { data } = item;
  const gap = data.before === null ? null : data.after - data.before;
  // What differs in the last bits is the same.
  const change = gap !== null && Math.abs(gap) < 1e-9 * Math.max(Math.abs(data.after), 1) ? 0 : gap;
  return (
    <button type="button" className={`growth-row${data.accepted ? " growth-accepted" : ""}`} onClick={onShow} title={[data.reason, partsText(data)].filter(Boolean).join(". ")}>
      <span className="growth-number">
        {data.number + 1}
        <span className="growth-sign">{data.accepted ? "accepted" : "rejected"}</span>
      </span>
      <span className="growth-what">
        <strong>
          {data.action} {data.subject}
        </strong>
        <span>{data.reason}</span>
      </span>
      <span className="growth-objective">
        <span>{data.objective}</span>
        <span>
          {objectiveText(data)}
          {change !== null && Number.isFinite(change) && <em className={change < 0 ? "growth-down" : undefined}>{change < 0 ? " ↓" : change > 0 ? " ↑" : " ="}</em>}
        </span>
      </span>
    </button>
  );
}

/** Every step up to the shown moment, the newest first. */
export function growthFigures(store: RunStore): Figures[] {
  const steps = stepsAt(store.growth, store.shown, false);
  return [
    {
      title: "Steps of growth",
      head: ["step", "accepted", "action", "subject", "objective", "before", "after", "reason"],
      rows: steps.map(({ data }) => [
        whole(data.number + 1), data.accepted ? "yes" : "no", data.action, data.subject, data.objective, measured(data.before), measured(data.after), data.reason,
      ]),
    },
    ...valueFigures("Steps of growth: their own numbers", steps.map(({ data }) => ({ owner: `step ${data.number + 1}`, values: data.values }))),
  ];
}

export function GrowthSteps({ store }: { store: RunStore }) {
  const version = useTopic(store, "growth");
  const [acceptedOnly, setAcceptedOnly] = useState(false);
  const steps = useMemo(() => {
    void version; // the list grows in place
    return stepsAt(store.growth, store.shown, acceptedOnly);
  }, [store, version, acceptedOnly]);
  const all = useMemo(() => {
    void version;
    return stepsAt(store.growth, store.shown, false);
  }, [store, version]);
  const accepted = all.filter((item) => item.data.accepted).length;
  if (all.length === 0) return <Empty title="No step yet">Each change that is considered becomes a row here, with the reason why it stayed or went.</Empty>;
  return (
    <>
      <div className="growth-head">
        <span>
          {plural(all.length, "step")}, {accepted} accepted
        </span>
        <label className="check">
          <input type="checkbox" checked={acceptedOnly} onChange={(event) => setAcceptedOnly(event.target.checked)} />
          accepted only
        </label>
      </div>
      {steps.length === 0 ? (
        <Empty title="None was accepted">Every change so far was rejected.</Empty>
      ) : (
        <VirtualRows
          count={steps.length}
          rowHeight={64}
          wraps
          label="Steps of growth"
          row={(index) => {
            const item = steps[index];
            return item ? <Step item={item} onShow={() => store.setCursor(item.seq)} /> : null;
          }}
        />
      )}
    </>
  );
}
