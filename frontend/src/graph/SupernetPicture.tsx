/** The super-network on its canvas, with the card of the strand under the pointer. */
import { useEffect, useMemo } from "react";
import type { Moments } from "../stream/moments";
import type { Frame, RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { FamilyGroup } from "../types/events.gen";
import { edgeName, nodeLabel } from "./labels";
import { operationVariable, shortName } from "./palette";
import { HoverCard } from "./HoverCard";
import { SuperNetwork, type StrandPick } from "./supernet";
import { useHover } from "./useHover";
import { useStage } from "./useStage";
import { ZoomButtons } from "./ZoomButtons";

export interface SupernetPictureProps {
  store: RunStore;
  group: FamilyGroup;
  /** Only what would be derived now: by edge the chosen operation. */
  only: ReadonlyMap<number, readonly number[]> | null;
  pinned: number | null;
  onPin: (edge: number | null) => void;
  highlighted: number | null;
  threshold: number;
}

const TREND_FRAMES = 12;
const SPARK = { width: 180, height: 34 };
/** Changes below it are noise. */
const STEADY = 0.005;

/** Kept strands are drawn as if their weight were this: well visible and alike, whatever γ is. */
const DERIVED_WEIGHT = 0.55;

/** Weights to draw: γ itself, or one strand per kept edge. */
export function shownWeights(values: Float32Array, group: FamilyGroup, only: ReadonlyMap<number, readonly number[]> | null): Float32Array {
  if (!only) return values;
  const shown = new Float32Array(values.length);
  for (const [edge, operations] of only) for (const operation of operations) shown[edge * group.operations.length + operation] = DERIVED_WEIGHT;
  return shown;
}

export function trendOf(log: Moments<Frame>, index: number, place: number): string {
  const now = log.items[index]?.values[place] ?? 0;
  const start = Math.max(0, index - TREND_FRAMES);
  const change = now - (log.items[start]?.values[place] ?? now);
  if (index === start) return "first frame";
  const over = `over the last ${index - start} frames`;
  if (Math.abs(change) < STEADY) return `steady ${over}`;
  return `${change > 0 ? "rising" : "falling"} by ${Math.abs(change).toFixed(2)} ${over}`;
}

/** One weight: its share, its rank on the edge, where it is going. */
function StrandFacts({ log, index, group, pick }: { log: Moments<Frame>; index: number; group: FamilyGroup; pick: StrandPick }) {
  const count = group.operations.length;
  const place = pick.edge * count + pick.operation;
  const values = log.items[index]?.values;
  const weight = values?.[place] ?? 0;
  const rank = 1 + group.operations.filter((_, other) => (values?.[pick.edge * count + other] ?? 0) > weight).length;
  const [source, target] = group.edges[pick.edge] ?? ["", ""];
  const history = useMemo(() => {
    const every = Math.max(1, Math.ceil((index + 1) / 90));
    const line = log.items.slice(0, index + 1).filter((_, item) => item % every === 0 || item === index).map((frame) => frame.values[place] ?? 0);
    const high = Math.max(...line, 0.01);
    return line.map((value, item) => `${((item / Math.max(line.length - 1, 1)) * SPARK.width).toFixed(1)},${(SPARK.height - 2 - (value / high) * (SPARK.height - 5)).toFixed(1)}`).join(" ");
  }, [log, index, place]);
  const operation = group.operations[pick.operation] ?? "";
  return (
    <>
      <strong>
        <i className="swatch" style={{ background: operationVariable(operation, pick.operation) }} />
        {operation} {weight.toFixed(3)}
      </strong>
      <span>
        {edgeName([source, target])} · {rank} of {count} on this edge
      </span>
      <span>{trendOf(log, index, place)}</span>
      <svg width={SPARK.width} height={SPARK.height}>
        <polyline points={history} fill="none" style={{ stroke: operationVariable(operation, pick.operation), strokeWidth: 1.8 }} />
      </svg>
    </>
  );
}

export function SupernetPicture({ store, group, only, pinned, onPin, highlighted, threshold }: SupernetPictureProps) {
  const version = useTopic(store, "structure");
  const [canvas, picture] = useStage(SuperNetwork);
  const hover = useHover(picture, (pick) => onPin(pick && pick.edge !== pinned ? pick.edge : null));
  const log = store.frames.get(group.name);
  const index = log ? log.indexAt(store.shown) : -1;
  const frame = log?.items[index];

  useEffect(() => {
    if (!picture) return;
    picture.setGroup(group);
    if (frame) picture.setGamma(shownWeights(frame.values, group, only));
  }, [picture, group, frame, only, version]);
  useEffect(() => picture?.setView({ pinned, hovered: hover?.pick ?? null, highlighted, threshold }), [picture, pinned, hover, highlighted, threshold]);

  const words = useMemo(() => (frame ? describeFrame(group, frame.values) : "no weights yet"), [group, frame]);
  return (
    <>
      <canvas ref={canvas} role="img" aria-label={`${group.title}: ${words}`} style={{ cursor: hover ? "pointer" : "grab" }} />
      {hover && log && index >= 0 && (
        <HoverCard at={hover.at} canvas={canvas}>
          <StrandFacts log={log} index={index} group={group} pick={hover.pick} />
        </HoverCard>
      )}
      <ZoomButtons picture={picture} />
    </>
  );
}

/** The strongest operation of each edge in words. */
export function describeFrame(group: FamilyGroup, values: Float32Array): string {
  const count = group.operations.length;
  return group.edges
    .map(([source, target], edge) => {
      let best = 0;
      for (let operation = 1; operation < count; operation++) if ((values[edge * count + operation] ?? 0) > (values[edge * count + best] ?? 0)) best = operation;
      return `${nodeLabel(String(source))} to ${nodeLabel(String(target))} ${shortName(group.operations[best] ?? "")} ${(values[edge * count + best] ?? 0).toFixed(2)}`;
    })
    .join(", ");
}
