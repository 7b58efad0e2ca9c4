import { useEffect } from "react";
import { describeFrame } from "../graph/SupernetPicture";
import { useStage } from "../graph/useStage";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { FamilyGroup } from "../types/events.gen";
import { Decisions } from "./decisions";

export interface DecisionsPictureProps {
  store: RunStore;
  group: FamilyGroup;
  pinned: number | null;
  onPin: (edge: number) => void;
}

/** Rows of edges over time; a click pins the edge, a double click goes to that moment. */
export function DecisionsPicture({ store, group, pinned, onPin }: DecisionsPictureProps) {
  const version = useTopic(store, "structure");
  const [canvas, picture] = useStage(Decisions);
  const log = store.frames.get(group.name);
  const frames = log?.frames;
  useEffect(() => {
    if (picture && frames) picture.setData(frames, group, store.shown, pinned);
  }, [picture, frames, group, store, pinned, version]);
  useEffect(() => {
    const element = canvas.current;
    if (!picture || !element) return;
    picture.onPoint = (point) => picture.hover(point ? (picture.pick(point)?.edge ?? null) : null);
    picture.onClick = (point) => {
      const hit = picture.pick(point);
      if (hit) onPin(hit.edge);
    };
    const go = (event: MouseEvent) => {
      const frame = picture.pick({ x: event.offsetX, y: event.offsetY })?.frame;
      if (frame) store.setCursor(frame.seq);
    };
    element.addEventListener("dblclick", go);
    return () => element.removeEventListener("dblclick", go);
  }, [picture, canvas, onPin, store]);
  const values = log?.at(store.shown)?.values;
  return (
    <div className="panel-fill">
      <canvas ref={canvas} role="img" aria-label={`Strongest operation of each edge: ${values ? describeFrame(group, values) : "no weights yet"}`} style={{ cursor: "pointer" }} />
    </div>
  );
}
