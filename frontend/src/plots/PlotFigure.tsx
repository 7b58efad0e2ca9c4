/** A chart with its legend, the card of the point under the pointer and its note. */
import { useEffect } from "react";
import { HoverCard } from "../graph/HoverCard";
import { SCORE_SCALE } from "../graph/scoreColour";
import { useHover } from "../graph/useHover";
import { useStage } from "../graph/useStage";
import { Marked } from "../ui/Marked";
import { categoryName, cornerText, numberText, plotWords, spansOf, type Plot, type Spans } from "./chartData";
import { hueVariable, outlineOf, patternOf, shapeOf, type Styled } from "./hues";
import { PlotPicture, type PlotPick } from "./plotPicture";
import "./plots.css";

export function SeriesSign({ series }: { series: Styled }) {
  const outline = outlineOf(shapeOf(series), 3.4);
  const colour = hueVariable(series.hue);
  return (
    <svg className="series-sign" width="30" height="10" aria-hidden="true">
      {series.look !== "points" && <line x1="0" x2="30" y1="5" y2="5" style={{ stroke: colour, strokeWidth: 1.8, strokeDasharray: patternOf(series).join(" ") }} />}
      {outline ? <polygon points={outline.map(([x, y]) => `${15 + x},${5 + y}`).join(" ")} style={{ fill: colour }} /> : <circle cx="15" cy="5" r="3.4" style={{ fill: colour }} />}
    </svg>
  );
}

/** What the colours of a map mean. */
function MapScale({ plot }: { plot: Plot }) {
  const [low, high] = spansOf([plot]).y;
  return (
    <p className="plot-scale">
      <Marked text={plot.yTitle} />: {numberText(low)} <i style={{ background: SCORE_SCALE }} /> {numberText(high)}
    </p>
  );
}

export function PlotLegend({ plot }: { plot: Plot }) {
  if (plot.form === "map") return <MapScale plot={plot} />;
  if (plot.series.length < 2) return null;
  return (
    <ul className="plot-legend" aria-label="Legend">
      {plot.series.map((series, index) => (
        <li key={index}>
          <SeriesSign series={series} /> <Marked text={series.name} />
        </li>
      ))}
    </ul>
  );
}

/** What a point says: its series, its place, its band. */
export function pointWords(plot: Plot, { series: number, index }: PlotPick): { title: string; lines: string[] } | null {
  const series = plot.series[number];
  if (!series || index >= series.y.length) return null;
  const x = series.x[index] ?? NaN;
  if (plot.form === "triangle") return { title: series.name, lines: [cornerText(plot, series, index), ...(series.y.length > 1 && series.look !== "points" ? [`point ${index + 1} of ${series.y.length}`] : [])] };
  const place = plot.form === "bars" ? categoryName(plot, x) : `${plot.xTitle} ${numberText(x)}`;
  const lines = [place];
  const [low, high] = [series.low?.[index], series.high?.[index]];
  if (low !== undefined && high !== undefined && !Number.isNaN(low)) lines.push(`${numberText(low)} to ${numberText(high)}`);
  if (plot.form === "trajectory") lines.push(`point ${index + 1} of ${series.y.length}`);
  return { title: `${series.name}: ${plot.form === "trajectory" ? `${plot.yTitle} ` : ""}${numberText(series.y[index])}`, lines };
}

export interface PlotFigureProps {
  plot: Plot;
  /** Small: without axis titles and titles of marks. */
  compact?: boolean;
  spans?: Spans | null;
}

/** The canvas alone. */
export function PlotCanvas({ plot, compact = false, spans = null }: PlotFigureProps) {
  const [canvas, picture] = useStage(PlotPicture);
  const hover = useHover(picture);
  useEffect(() => picture?.setPlot(plot, compact, spans), [picture, plot, compact, spans]);
  const words = hover && pointWords(plot, hover.pick);
  return (
    <div className="plot-box">
      <canvas ref={canvas} role="img" aria-label={plotWords(plot)} />
      {hover && words && (
        <HoverCard at={hover.at} canvas={canvas}>
          <strong>{words.title}</strong>
          {words.lines.map((line) => (
            <span key={line}>{line}</span>
          ))}
        </HoverCard>
      )}
    </div>
  );
}
