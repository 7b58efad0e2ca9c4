import { useEffect } from "react";
import { describeFrame } from "../graph/SupernetPicture";
import { useHover } from "../graph/useHover";
import { useStage } from "../graph/useStage";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { FamilyGroup } from "../types/events.gen";
import { edgeName, weightOf } from "../graph/labels";
import { measured, whole, type Figures } from "../ui/figures";
import { Decisions, leader } from "./decisions";

export interface DecisionsPictureProps {
  store: RunStore;
  group: FamilyGroup;
  pinned: number | null;
  onPin: (edge: number) => void;
}

/** The strongest operation of each edge at every frame up to the shown moment. */
export function decisionFigures(store: RunStore, group: FamilyGroup): Figures[] {
  const log = store.frames.get(group.name);
  const count = group.operations.length;
  const frames = log?.items.slice(0, log.indexAt(store.shown) + 1) ?? [];
  return [
    {
      title: group.operations.length > 1 ? `${group.title}: strongest operations` : `${group.title}: ${weightOf(group)}`,
      head: ["step", "edge", "operation", "weight"],
      rows: frames.flatMap(({ step, values }) =>
        group.edges.map(([source, target], edge) => {
          const { operation, weight } = leader(values, edge, count);
          return [whole(step), edgeName([source, target]), group.operations[operation] ?? "", measured(weight)];
        }),
      ),
    },
  ];
}

/** Rows of edges over time; a click pins the edge, a double click goes to that moment. */
export function DecisionsPicture({ store, group, pinned, onPin }: DecisionsPictureProps) {
  const version = useTopic(store, "structure");
  const [canvas, picture] = useStage(Decisions);
  useHover(picture, (hit) => hit && onPin(hit.edge));
  const log = store.frames.get(group.name);
  const frames = log?.items;
  useEffect(() => {
    if (picture && frames) picture.setData(frames, group, store.shown, pinned);
  }, [picture, frames, group, store, pinned, version]);
  useEffect(() => {
    const element = canvas.current;
    if (!picture || !element) return;
    const go = (event: MouseEvent) => {
      const frame = picture.pick({ x: event.offsetX, y: event.offsetY })?.frame;
      if (frame) store.setCursor(frame.seq);
    };
    element.addEventListener("dblclick", go);
    return () => element.removeEventListener("dblclick", go);
  }, [picture, canvas, store]);
  const values = log?.at(store.shown)?.values;
  return (
    <div className="panel-fill">
      <canvas ref={canvas} role="img" aria-label={`${group.operations.length > 1 ? "Strongest operation" : weightOf(group)} of each edge: ${values ? describeFrame(group, values) : "no weights yet"}`} style={{ cursor: "pointer" }} />
    </div>
  );
}
