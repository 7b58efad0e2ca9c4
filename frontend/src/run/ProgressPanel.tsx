/** Curves over samples processed: accuracy, loss, entropy, trials, retraining; whichever the run has. */
import { useMemo } from "react";
import { useQueryState } from "../app/router";
import { Curves } from "../charts/Curves";
import { fitnessRange } from "../charts/population";
import { progressTabs, trialCurves } from "../charts/progress";
import type { RunStore } from "../stream/store";
import { useCalm, useTopic } from "../stream/useRun";
import { Segmented } from "../ui/Segmented";

export function ProgressPanel({ store }: { store: RunStore }) {
  const metrics = useCalm(useTopic(store, "metrics"), 150);
  const candidates = useCalm(useTopic(store, "candidates"), 150);
  const end = useTopic(store, "end");
  const tabs = useMemo(() => {
    void [metrics, candidates, end]; // the store is mutable: its versions say when to read it again
    return progressTabs(store);
  }, [store, metrics, candidates, end]);
  const [wanted, setWanted] = useQueryState("curve");
  const tab = tabs.find((item) => item.id === wanted) ?? tabs[0];
  const xLabel = tab?.id === "trials" ? trialCurves(store).xLabel : "samples processed";
  return (
    <section className="panel run-progress" aria-label="Progress">
      <header className="panel-head">
        <h2>Progress</h2>
        <span className="note">over {xLabel}</span>
        <div className="panel-actions">
          {tabs.length > 1 && tab && (
            <Segmented label="Curve" options={tabs.map((item) => ({ value: item.id, label: item.title }))} value={tab.id} onChange={setWanted} />
          )}
        </div>
      </header>
      {tab ? <Curves key={tab.id} curves={tab.curves} xLabel={xLabel} label={tab.title} yRange={tab.id === "trials" ? fitnessRange(store.candidates.values) : undefined} /> : <p className="run-hint run-hint-center">Curves appear with the first measured step.</p>}
    </section>
  );
}
