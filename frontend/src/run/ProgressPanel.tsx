/** Curves over samples processed: scores, losses, nats, temperatures, trials, retraining; whichever the run has. */
import { useMemo } from "react";
import { useQueryState } from "../app/router";
import { Curves } from "../charts/Curves";
import { fitnessRange } from "../charts/population";
import { MORE } from "../charts/metricTabs";
import { curveFigures, progressTabs } from "../charts/progress";
import { SaveMenu } from "../pictures/SaveMenu";
import { Compression } from "./Compression";
import type { RunStore } from "../stream/store";
import { useCalm, useTopic } from "../stream/useRun";
import { Doubts } from "../ui/ClassTable";
import { metricName } from "../ui/format";
import { Segmented } from "../ui/Segmented";

const SAVED = { figures: curveFigures, image: true };

/** More tabs than this do not fit beside each other, fewer where one of them has a choice of numbers too. */
const MOST_SEGMENTS = { alone: 4, withNames: 2 };

export function ProgressPanel({ store }: { store: RunStore }) {
  const metrics = useCalm(useTopic(store, "metrics"), 150);
  const candidates = useCalm(useTopic(store, "candidates"), 150);
  const end = useTopic(store, "end");
  const [chosen, setChosen] = useQueryState("metric");
  const tabs = useMemo(() => {
    void [metrics, candidates, end]; // the store is mutable: its versions say when to read it again
    return progressTabs(store, chosen);
  }, [store, chosen, metrics, candidates, end]);
  const [wanted, setWanted] = useQueryState("curve");
  const tab = tabs.find((item) => item.id === wanted) ?? tabs[0];
  const segmented = tabs.length <= (tabs.some((item) => item.names.length > 1) ? MOST_SEGMENTS.withNames : MOST_SEGMENTS.alone);
  const xLabel = tab?.xLabel ?? "samples processed";
  return (
    <section className="panel run-progress" aria-label="Progress">
      <header className="panel-head">
        <h2>Progress</h2>
        <span className="note">over {xLabel}</span>
        <div className="panel-actions">
          {tab && tab.names.length > 1 && (
            <select className="time-speed" aria-label="Which number" value={tab.name ?? ""} onChange={(event) => setChosen(event.target.value || null)}>
              {tab.id !== MORE.id && <option value="">{tab.curves.length < tab.names.length ? "main" : "all"}</option>}
              {tab.names.map((name) => (
                <option key={name} value={name}>
                  {metricName(name)}
                </option>
              ))}
            </select>
          )}
          {tabs.length > 1 && segmented && tab && (
            <Segmented label="Curve" options={tabs.map((item) => ({ value: item.id, label: item.title }))} value={tab.id} onChange={setWanted} />
          )}
          {!segmented && tab && (
            <select className="time-speed" aria-label="Curve" value={tab.id} onChange={(event) => setWanted(event.target.value)}>
              {tabs.map((item) => (
                <option key={item.id} value={item.id}>
                  {item.title}
                </option>
              ))}
            </select>
          )}
          {tab && <SaveMenu store={store} picture={SAVED} title="Progress" />}
        </div>
      </header>
      <Doubts warnings={store.doubts} />
      <Compression store={store} />
      {tab ? <Curves key={`${tab.id} ${tab.name ?? ""}`} curves={tab.curves} xLabel={xLabel} yLabel={tab.yLabel} label={tab.title} yRange={tab.id === "trials" ? fitnessRange(store.candidates.values) : undefined} /> : <p className="run-hint run-hint-center">Curves appear with the first measured step.</p>}
    </section>
  );
}
