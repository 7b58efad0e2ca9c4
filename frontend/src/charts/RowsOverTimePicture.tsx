import { useEffect, useMemo } from "react";
import type { Options } from "../api/types";
import { HoverCard } from "../graph/HoverCard";
import { useHover } from "../graph/useHover";
import { useStage } from "../graph/useStage";
import type { RunStore } from "../stream/store";
import { useCalm, useTopic } from "../stream/useRun";
import { measured, whole, type Figures } from "../ui/figures";
import { domainNames } from "../views/datasetText";
import { rowsOverTime } from "./certainty";
import { RowsPicture } from "./rowsOverTime";

/** The data sets of a run as the page names them everywhere. */
function namesOf({ run }: RunStore): string[] {
  return run ? domainNames(run.datasets, run.config?.["dataset_options"] as Options[] | undefined) : [];
}

/** Every row at every moment up to the shown one. */
export function rowFigures(store: RunStore): Figures[] {
  const data = rowsOverTime(store, namesOf(store));
  if (!data) return [];
  let group = "";
  const names = data.rows.map((row) => `${(group = row.group || group)} ${row.label}`.trim());
  return [
    {
      title: `${data.title}: ${data.note}`,
      head: ["step", ...names],
      rows: data.columns.filter((column) => column.seq <= store.shown).map((column) => [whole(column.step), ...Array.from(column.values, (value) => measured(value))]),
    },
  ];
}

/** Below this share a colour cannot be seen. */
const PALE = 0.03;

/** What a policy, a population of paths or several data sets settled on, and when; a click shows that moment. */
export function RowsOverTimePicture({ store }: { store: RunStore }) {
  const version = useCalm(useTopic(store, "structure"), 250);
  const [canvas, picture] = useStage(RowsPicture);
  const hover = useHover(picture, (hit) => hit && store.setCursor(hit.column.seq));
  const data = useMemo(() => {
    void version; // the store is mutable: its version says when to read it again
    return rowsOverTime(store, namesOf(store));
  }, [store, version]);
  useEffect(() => {
    if (data) picture?.setData(data, store.shown);
  }, [picture, data, store, version]);
  const last = data?.columns.at(-1);
  const shown = data?.columns.findLast((column) => column.seq <= store.shown);
  const most = shown ? Math.max(...shown.values) : 1;
  const mean = last && last.values.length > 0 ? last.values.reduce((sum, value) => sum + value, 0) / last.values.length : 0;
  return (
    <>
    <div className="panel-fill">
      <canvas ref={canvas} role="img" aria-label={`${data?.title ?? "Rows"} over time: ${data?.note ?? ""}; now ${(100 * mean).toFixed(0)} % on average over ${data?.rows.length ?? 0} rows`} style={{ cursor: hover ? "pointer" : "default" }} />
      {hover && data && (
        <HoverCard at={hover.at} canvas={canvas}>
          <strong>{(100 * (hover.pick.column.values[hover.pick.row] ?? 0)).toFixed(0)} %</strong>
          <span>
            {data.rows.slice(0, hover.pick.row + 1).findLast((row) => row.group)?.group} {data.rows[hover.pick.row]?.label}
          </span>
          <span>step {hover.pick.column.step}; click to go there</span>
        </HoverCard>
      )}
    </div>
    {data && (
      <div className="structure-foot">
        {most < PALE && data.pale && <span>{data.pale}</span>}
        <span className="score-scale">
          {data.ends[0]} <i style={{ background: "linear-gradient(90deg, var(--line2), var(--accent))" }} /> {data.ends[1]}
        </span>
      </div>
    )}
    </>
  );
}
