import { useEffect, useMemo, useState } from "react";
import type { Options } from "../api/types";
import { hoverSide, type Point } from "../graph/stage";
import { useStage } from "../graph/useStage";
import type { RunStore } from "../stream/store";
import { useCalm, useTopic } from "../stream/useRun";
import { domainNames } from "../views/datasetText";
import { rowsOverTime, type Column } from "./certainty";
import { RowsPicture } from "./rowsOverTime";
import "../graph/graph.css";

/** What a policy, a population of paths or several data sets settled on, and when; a click shows that moment. */
export function RowsOverTimePicture({ store }: { store: RunStore }) {
  const version = useCalm(useTopic(store, "structure"), 250);
  const [canvas, picture] = useStage(RowsPicture);
  const [hover, setHover] = useState<{ row: number; column: Column; at: Point } | null>(null);
  const data = useMemo(() => {
    void version; // the store is mutable: its version says when to read it again
    const { run } = store;
    return rowsOverTime(store, run ? domainNames(run.datasets, run.config?.["dataset_options"] as Options[] | undefined) : []);
  }, [store, version]);
  useEffect(() => {
    if (data) picture?.setData(data, store.shown);
  }, [picture, data, store, version]);
  useEffect(() => {
    if (!picture) return;
    picture.onPoint = (point, screen) => {
      const hit = point && picture.pick(point);
      setHover((old) => (hit ? { ...hit, at: screen } : old === null ? old : null));
    };
    picture.onClick = (point) => {
      const hit = picture.pick(point);
      if (hit) store.setCursor(hit.column.seq);
    };
  }, [picture, store]);
  const last = data?.columns.at(-1);
  const mean = last && last.values.length > 0 ? last.values.reduce((sum, value) => sum + value, 0) / last.values.length : 0;
  return (
    <div className="panel-fill">
      <canvas ref={canvas} role="img" aria-label={`${data?.title ?? "Rows"} over time: ${data?.note ?? ""}; now ${(100 * mean).toFixed(0)} % on average over ${data?.rows.length ?? 0} rows`} style={{ cursor: hover ? "pointer" : "default" }} />
      {hover && data && (
        <div className={hoverSide(hover.at, canvas.current)} style={{ left: hover.at.x, top: hover.at.y }} aria-hidden="true">
          <strong>{(100 * (hover.column.values[hover.row] ?? 0)).toFixed(0)} %</strong>
          <span>
            {data.rows.slice(0, hover.row + 1).findLast((row) => row.group)?.group} {data.rows[hover.row]?.label}
          </span>
          <span>step {hover.column.step}; click to go there</span>
        </div>
      )}
    </div>
  );
}
