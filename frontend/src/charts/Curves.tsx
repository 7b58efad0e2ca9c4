/** Curves over samples processed, drawn by uPlot; the table twin gives the last value of each in words. */
import { useEffect, useMemo, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useTheme } from "../app/theme";
import { count, metric, tickTexts } from "../ui/format";
import "./charts.css";

export interface Curve {
  label: string;
  /** CSS variable with the colour, for example "--accent". */
  color: string;
  x: readonly number[];
  y: readonly number[];
  width?: number;
  dash?: number[];
  /** Dots without a line: single results. */
  dots?: boolean;
}

const variable = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim() || "#888";

function align(curves: readonly Curve[]): uPlot.AlignedData {
  if (curves.length === 0) return [[]];
  const tables = curves.map((curve) => {
    // uPlot wants strictly increasing x: of equal ones the last value stands.
    const points = new Map<number, number | null>();
    curve.x.forEach((x, index) => {
      const y = curve.y[index];
      if (Number.isFinite(x)) points.set(x, y === undefined || Number.isNaN(y) ? null : y);
    });
    const sorted = [...points].sort((a, b) => a[0] - b[0]);
    return [sorted.map(([x]) => x), sorted.map(([, y]) => y)] as uPlot.AlignedData;
  });
  return uPlot.join(tables);
}

function pointsOf(chart: uPlot, index: number): number {
  let points = 0;
  for (const value of chart.data[index] ?? []) if (value !== null && value !== undefined) points++;
  return points;
}

function options(curves: readonly Curve[], width: number, height: number, xLabel: string, yRange: () => [number, number] | undefined): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: variable("--ink3"),
    font: `11px ${variable("--font")}`,
    grid: { stroke: variable("--line2"), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height,
    padding: [12, 22, 0, 0],
    cursor: { y: false, points: { size: 6 }, drag: { x: true, y: false } },
    legend: { show: true, live: true },
    scales: { x: { time: false }, y: { range: (_, low, high) => yRange() ?? uPlot.rangeNum(low, high, 0.08, true) } },
    hooks: { setCursor: [(plot) => sayLatest(plot)] },
    axes: [
      { ...axis, label: xLabel, labelSize: 16, labelFont: `11px ${variable("--font")}`, size: 34, values: (_, ticks) => tickTexts(ticks) },
      { ...axis, size: 48, values: (_, ticks) => tickTexts(ticks) },
    ],
    series: [
      { label: xLabel.split(" ")[0] ?? xLabel, value: (_, value) => count(value) },
      ...curves.map(
        (curve): uPlot.Series => ({
          label: curve.label,
          stroke: variable(curve.color),
          width: curve.dots ? 0 : (curve.width ?? 1.6),
          ...(curve.dash ? { dash: curve.dash } : {}),
          spanGaps: true,
          points: curve.dots
            ? { show: true, size: 4, stroke: variable(curve.color), fill: variable(curve.color) }
            : { show: (chart: uPlot, index: number) => pointsOf(chart, index) < 2, size: 5 },
          value: (_, value) => metric(value),
        }),
      ),
    ],
  };
}

export interface CurvesProps {
  curves: readonly Curve[];
  xLabel: string;
  /** Measure, unit, and which way is better. */
  yLabel: string;
  label: string;
  /** Limits of the y axis where a few outliers would squeeze the rest. */
  yRange?: [number, number] | undefined;
}

/** Without a pointer the legend says the newest values. */
function sayLatest(plot: uPlot): void {
  const last = (plot.data[0]?.length ?? 0) - 1;
  if (last >= 0 && (plot.cursor.left ?? -1) < 0) plot.setLegend({ idx: last }, false);
}

export function Curves({ curves, xLabel, yLabel, label, yRange }: CurvesProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const { theme } = useTheme();
  const shape = curves.map((curve) => `${curve.label}|${curve.color}|${curve.dots ? 1 : 0}|${curve.dash?.join(" ") ?? ""}`).join("\n");
  const data = useMemo(() => align(curves), [curves]);
  const latest = useRef({ curves, data, yRange });
  useEffect(() => {
    latest.current = { curves, data, yRange };
  });

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    // The legend has as many lines as its names need.
    const size = () => ({ width: Math.max(element.clientWidth, 60), height: Math.max(element.clientHeight - Math.max(element.querySelector<HTMLElement>(".u-legend")?.offsetHeight ?? 0, 24), 60) });
    const made = new uPlot(options(latest.current.curves, size().width, size().height, xLabel, () => latest.current.yRange), latest.current.data, element);
    plot.current = made;
    sayLatest(made);
    made.setSize(size());
    const observer = new ResizeObserver(() => made.setSize(size()));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, xLabel, theme]);

  useEffect(() => {
    if (!plot.current) return;
    plot.current.setData(data);
    sayLatest(plot.current);
  }, [data]);

  const words = curves.map((curve) => `${curve.label} ${metric(curve.y.at(-1))}`).join(", ");
  // Above the axis, where it may take two lines; turned along the axis a small panel would cut it.
  return (
    <>
      <p className="curves-axis" aria-hidden="true">
        {yLabel}
      </p>
      <div className="curves" ref={host} role="img" aria-label={`${label}, ${yLabel}: ${words || "nothing yet"}`} />
    </>
  );
}
