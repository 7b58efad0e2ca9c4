import { useEffect } from "react";
import { weightOf } from "./labels";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { FamilyGroup } from "../types/events.gen";
import { shortName } from "./palette";
import { Ribbon } from "./ribbon";
import { useStage } from "./useStage";
import "./graph.css";

/** γ of one edge over the whole search; a click shows that moment. */
export function RibbonPanel({ store, group, edge }: { store: RunStore; group: FamilyGroup; edge: number }) {
  const version = useTopic(store, "structure");
  const [canvas, picture] = useStage(Ribbon);
  const frames = store.frames.get(group.name)?.items;
  useEffect(() => {
    if (!picture) return;
    picture.setData(frames ?? [], group.operations, edge, store.shown);
    picture.onClick = (point) => {
      const frame = picture.frameAt(point.x);
      if (frame) store.setCursor(frame.seq);
    };
  }, [picture, frames, group, edge, store, version]);
  const first = frames?.[0];
  const last = frames?.at(-1);
  const at = (values: Float32Array | undefined, operation: number) => (values?.[edge * group.operations.length + operation] ?? 0).toFixed(2);
  const words = group.operations.map((name, index) => `${shortName(name)} from ${at(first?.values, index)} to ${at(last?.values, index)}`).join(", ");
  return (
    <>
      <canvas ref={canvas} className="ribbon" role="img" aria-label={`${weightOf(group)} over time: ${words}`} />
      <div className="ribbon-steps">
        <span>step {first?.step ?? 0}</span>
        <span>step {last?.step ?? 0}</span>
      </div>
    </>
  );
}
