import { useEffect, useMemo } from "react";
import { decodeFloats } from "../stream/floats";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { FamilyGroup } from "../types/events.gen";
import { shortName } from "./palette";
import { Simplex, drawsOf, topThree } from "./simplex";
import { useStage } from "./useStage";
import "./graph.css";

export function SimplexPanel({ store, group, edge }: { store: RunStore; group: FamilyGroup; edge: number }) {
  const version = useTopic(store, "structure");
  const [canvas, picture] = useStage(Simplex);
  const log = store.frames.get(group.name);
  const frames = log?.items;
  const text = store.draws.get(group.name)?.at(store.shown)?.text;
  const draws = useMemo(() => (text ? drawsOf(decodeFloats(text), group.edges.length, group.operations.length, edge) : []), [text, group, edge]);
  useEffect(() => {
    if (!picture || !frames || !log) return;
    picture.setData(frames.slice(0, log.indexAt(store.shown) + 1), group.operations, edge, draws);
  }, [picture, log, frames, group, edge, draws, store, version]);
  const values = log?.at(store.shown)?.values;
  const words = values
    ? topThree(values, edge, group.operations.length).map((index) => `${shortName(group.operations[index] ?? "")} ${(values[edge * group.operations.length + index] ?? 0).toFixed(2)}`)
    : [];
  const cloud = draws.length > 0 ? `; ${draws.length} draws around them` : "";
  return (
    <>
      <canvas ref={canvas} className="simplex" role="img" aria-label={`The three strongest operations: ${words.join(", ")}${cloud}`} />
      {draws.length > 0 && (
        <p className="simplex-note">
          <i className="swatch-dot" style={{ background: "var(--best)" }} />
          {draws.length} draws now; the line is the way of their mean
        </p>
      )}
    </>
  );
}
