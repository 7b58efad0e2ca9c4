/** How a model's final training went. */
import { useMemo } from "react";
import { getModelCurves } from "../../api/resources";
import { useResource } from "../../api/useResource";
import { PlotGrid } from "../../plots/PlotCard";
import { Failure, Skeleton } from "../../ui/States";
import { curvePlots } from "./curves";

export function TrainingCurves({ model }: { model: string }) {
  const curves = useResource(`curves ${model}`, (signal) => getModelCurves(model, signal));
  const plots = useMemo(() => (curves.data ? curvePlots(curves.data) : []), [curves.data]);
  if (curves.error !== undefined) return <Failure what="The curves did not load" error={curves.error} retry={curves.reload} />;
  if (!curves.data) return <Skeleton lines={4} label="Loading the curves" />;
  if (plots.length === 0) return <p className="muted">There are none: the search itself finished this network, or its training was not recorded.</p>;
  return <PlotGrid plots={plots} />;
}
