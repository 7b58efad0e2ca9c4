/** Distributions of structure weights on the triangle of three operations, under the reader's hand. */
import { useEffect, useMemo, useState } from "react";
import { Marked } from "../ui/Marked";
import { useQueryState } from "../app/router";
import { useTitle } from "../app/useTitle";
import { SCORE_SCALE } from "../graph/scoreColour";
import { useStage } from "../graph/useStage";
import { Panel } from "../ui/Panel";
import { Segmented } from "../ui/Segmented";
import { ConstraintSets } from "./ConstraintSets";
import { draws, gridPoints, logDensity, summary, type Family, type Law, type Weights } from "./distributions";
import { GridRandom } from "./GridRandom";
import { centreFor } from "./liveEdge";
import { LiveEdgePanel } from "./LiveEdgePanel";
import { Schemata } from "./Schemata";
import { range, Slider } from "./Slider";
import { StructurePrior } from "./StructurePrior";
import { TrianglePicture, type TriangleMap } from "./trianglePicture";
import { TwoLayer } from "./TwoLayer";
import { useLiveEdge } from "./useLiveEdge";
import { three } from "./words";
import "../graph/graph.css";
import "./explore.css";

const COUNT = 2000;
const CENTRE: Weights = [1 / 3, 1 / 3, 1 / 3];
const POSITIVE = range(0.1, 10, { log: true });
const REAL = range(-3, 3);
const TEMPERATURE = range(0.05, 100, { log: true });
const PARTS = 96;
const GRID = gridPoints(PARTS);
/** The colour reaches from the highest density down to e to the minus this many below it. */
const DEPTH = 8;

const FAMILIES: { value: Family; label: string; centre: string; about: string }[] = [
  { value: "gumbel", label: "Gumbel-Softmax", centre: "s", about: "γ = softmax((log s + G) / λ_temp). Which weight is the largest has the odds s at every temperature; a low one goes to the corners, a high one to the middle." },
  { value: "dirichlet", label: "Dirichlet", centre: "s", about: "γ ~ Dir(λ_temp s). Below λ_temp s = 1 the corners and edges carry the mass, above it the inside." },
  { value: "logit-normal", label: "Logit-normal", centre: "μ", about: "γ = softmax((μ + σ ε) / λ_temp) with normal ε. Only differences of μ count; a large σ goes to the corners." },
];

function mapOf(law: Law): TriangleMap {
  const values = GRID.map((point) => logDensity(law, point));
  const high = Math.max(...values.filter(Number.isFinite));
  return { parts: PARTS, grid: GRID, values, span: [high - DEPTH, high] };
}

function withOne(weights: Weights, place: number, value: number): Weights {
  return weights.map((old, index) => (index === place ? value : old)) as unknown as Weights;
}

export function ExplorePage() {
  useTitle("Distributions");
  const [wanted, setFamily] = useQueryState("law");
  const [panel] = useQueryState("panel");
  useEffect(() => {
    if (panel) document.getElementById(`panel-${panel}`)?.scrollIntoView?.();
  }, [panel]);
  const chosen = FAMILIES.find((item) => item.value === wanted) ?? FAMILIES[0]!;
  const family = chosen.value;
  const [centres, setCentres] = useState<Record<Family, Weights>>({ gumbel: [1, 1, 1], dirichlet: [1, 1, 1], "logit-normal": [0, 0, 0] });
  const [spread, setSpread] = useState<Weights>([1, 1, 1]);
  const [temperature, setTemperature] = useState(1);
  const [shown, setShown] = useState<"both" | "density" | "draws">("both");
  const centre = centres[family];
  const law = useMemo((): Law => ({ family, centre, spread, temperature }), [family, centre, spread, temperature]);
  const sample = useMemo(() => draws(law, COUNT), [law]);
  const facts = useMemo(() => summary(sample), [sample]);
  const map = useMemo(() => mapOf(law), [law]);
  const edge = useLiveEdge();
  const live = edge.live;
  const [canvas, picture] = useStage(TrianglePicture);
  useEffect(() => {
    const labels = (["γ₁", "γ₂", "γ₃"] as const).map((sign, place) => (live ? `${sign} ${live.names[place]}` : sign)) as [string, string, string];
    picture?.setData({ labels, map: shown === "draws" ? null : map, dots: shown === "density" ? [] : sample, edge: live });
  }, [picture, map, sample, shown, live]);
  const rows: [string, string][] = [
    ["mean weights", three(facts.mean)],
    ["largest weight: odds", three(facts.largest)],
    ["mean of the largest weight", facts.meanLargest.toFixed(3)],
    ["draws near a corner (largest over 0.95)", `${(100 * facts.nearCorner).toFixed(1)} %`],
    ["mean entropy of a draw", `${(100 * facts.entropy).toFixed(0)} % of uniform`],
    ["log density in the middle", logDensity(law, CENTRE).toFixed(3)],
  ];
  const onTop = live && edge.edge ? `. On top the edge ${edge.edge.label}: mean ${live.names.map((name, place) => `${name} ${live.mean[place]?.toFixed(2)}`).join(", ")}; ${live.draws.length} draws` : "";
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>Distributions</h1>
          <p>How a search draws the weights of three operations on an edge: the density on their triangle, and what the temperature does to it; then where the objective sends them, what they mix, how points are chosen without them, and what selection, crossover and mutation leave of a pattern.</p>
        </div>
      </div>
      <Panel
        title="On the simplex"
        actions={
          <Segmented
            label="Show"
            options={[
              { value: "both", label: "Both" },
              { value: "density", label: "Density" },
              { value: "draws", label: "Draws" },
            ]}
            value={shown}
            onChange={setShown}
          />
        }
      >
        <div className="explore">
          <div>
            <div className="explore-picture">
              <canvas ref={canvas} role="img" aria-label={`${chosen.label} on the triangle: ${rows.map(([name, value]) => `${name} ${value}`).join("; ")}${onTop}`} />
            </div>
            <p className="explore-scale">
              <span>e⁻⁸ of the highest</span>
              <i style={{ background: SCORE_SCALE }} />
              <span>highest density</span>
            </p>
          </div>
          <div className="stack">
            <Segmented label="Distribution" options={FAMILIES.map(({ value, label }) => ({ value, label }))} value={family} onChange={setFamily} />
            <p className="muted">
              <Marked text={chosen.about} />
            </p>
            <Slider label="temperature λ_temp" value={temperature} bounds={TEMPERATURE} onChange={setTemperature} />
            {centre.map((value, place) => (
              <Slider key={place} label={`${chosen.centre}${"₁₂₃"[place]}`} value={value} bounds={family === "logit-normal" ? REAL : POSITIVE} onChange={(next) => setCentres({ ...centres, [family]: withOne(centre, place, next) })} />
            ))}
            {family === "logit-normal" && spread.map((value, place) => <Slider key={place} label={`σ${"₁₂₃"[place]}`} value={value} bounds={POSITIVE} onChange={(next) => setSpread(withOne(spread, place, next))} />)}
            <table className="table explore-facts">
              <caption className="visually-hidden">Figures of {COUNT} draws</caption>
              <tbody>
                {rows.map(([name, value]) => (
                  <tr key={name}>
                    <th scope="row">{name}</th>
                    <td className="num">{value}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </div>
        <section className="explore-live" aria-labelledby="explore-live">
          <h3 id="explore-live">An edge of a run on top</h3>
          <LiveEdgePanel state={edge} onTake={(taken) => setCentres({ ...centres, [family]: centreFor(family, taken.mean) })} />
        </section>
      </Panel>
      <Panel title="Where structure parameters may lie" note="three operations on one edge">
        <ConstraintSets />
      </Panel>
      <StructurePrior />
      <TwoLayer />
      <div id="panel-grid-random">
        <GridRandom />
      </div>
      <Schemata />
    </div>
  );
}
