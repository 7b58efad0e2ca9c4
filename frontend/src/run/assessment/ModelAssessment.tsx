/** What stands beside a network's scores: the same metrics of simple models, and a closer look at what it gets wrong. */
import { useState } from "react";
import { getModelAssessment } from "../../api/resources";
import type { Model } from "../../api/types";
import { useResource } from "../../api/useResource";
import type { PartAssessment } from "../../types/events.gen";
import { Button } from "../../ui/Button";
import { Doubts } from "../../ui/ClassTable";
import { Dialog } from "../../ui/Dialog";
import { Segmented } from "../../ui/Segmented";
import { Failure } from "../../ui/States";
import { PlotGrid } from "../../plots/PlotCard";
import { classBars } from "./classBars";
import { ConfusionHeat } from "./ConfusionHeat";
import { MetricTable } from "./MetricTable";
import { Mistakes } from "./Mistakes";
import "./assessment.css";

const PARTS = { val: "Validation", test: "Test, once" };

/** Which part is shown, and the control that chooses it. `domains` names the data sets, where there are several. */
function useParts(parts: readonly PartAssessment[], domains: readonly string[]) {
  const own = [...parts].sort((a, b) => (a.domain ?? 0) - (b.domain ?? 0) || (a.split === "test" ? -1 : 1));
  const [chosen, setChosen] = useState(0);
  const several = new Set(own.map((part) => part.domain)).size > 1;
  const places = [...new Set(own.map((part) => part.domain))];
  const name = (part: PartAssessment) => (several ? `${PARTS[part.split]}, ${domains[places.indexOf(part.domain)] ?? "data"}` : PARTS[part.split]);
  const control = own.length > 1 && (
    <Segmented label="Part of the data" options={own.map((part, place) => ({ value: String(place), label: name(part) }))} value={String(chosen)} onChange={(value) => setChosen(Number(value))} />
  );
  return [own[chosen] ?? own[0], control] as const;
}

function CloserLook({ parts, domains, onClose }: { parts: readonly PartAssessment[]; domains: readonly string[]; onClose: () => void }) {
  const [part, control] = useParts(parts, domains);
  if (!part) return null;
  const classes = part.classes ?? [];
  return (
    <Dialog title="What it gets wrong" onClose={onClose} size="chart" actions={<Button onClick={onClose}>Close</Button>}>
      <div className="closer-look">
        {control}
        {part.confusion && <ConfusionHeat table={part.confusion} />}
        {classes.length > 0 && <PlotGrid plots={[classBars(classes)]} />}
        <Mistakes part={part} />
      </div>
    </Dialog>
  );
}

export function ModelAssessment({ model, domains }: { model: Model; domains: readonly string[] }) {
  const assessment = useResource(`assessment ${model.id}`, (signal) => getModelAssessment(model.id, signal));
  const parts = assessment.data?.parts ?? [];
  const [part, control] = useParts(parts, domains);
  const [closer, setCloser] = useState(false);
  if (assessment.error) return <Failure what="What stands beside the scores did not load" error={assessment.error} retry={assessment.reload} />;
  if (!part) return null;
  return (
    <section className="assessment" aria-label="Beside the scores">
      {control}
      <MetricTable models={part.models} />
      <Doubts warnings={assessment.data?.warnings ?? []} />
      {((part.mistakes ?? []).length > 0 || part.confusion) && (
        <Button small onClick={() => setCloser(true)}>
          What it gets wrong
        </Button>
      )}
      {closer && <CloserLook parts={parts} domains={domains} onClose={() => setCloser(false)} />}
    </section>
  );
}
