/** Distributions of structure weights on the triangle of three operations, under the reader's hand. */
import { useEffect, useId, useMemo, useState } from "react";
import { useQueryState } from "../app/router";
import { useTitle } from "../app/useTitle";
import { SCORE_SCALE } from "../graph/scoreColour";
import { useStage } from "../graph/useStage";
import { placeOf, SLIDER_STEPS, valueAt, type SliderRange } from "../schema/slider";
import { Panel } from "../ui/Panel";
import { Segmented } from "../ui/Segmented";
import { ConstraintSets } from "./ConstraintSets";
import { DensityPicture } from "./densityPicture";
import { draws, logDensity, summary, type Family, type Law, type Weights } from "./distributions";
import "../graph/graph.css";
import "./explore.css";

const COUNT = 2000;
const CENTRE: Weights = [1 / 3, 1 / 3, 1 / 3];
const range = (low: number, high: number, log: boolean): SliderRange => ({ low, high, integer: false, log, open: { low: false, high: false } });
const POSITIVE = range(0.1, 10, true);
const REAL = range(-3, 3, false);
const TEMPERATURE = range(0.05, 100, true);

const FAMILIES: { value: Family; label: string; centre: string; about: string }[] = [
  { value: "gumbel", label: "Gumbel-Softmax", centre: "s", about: "γ = softmax((log s + G) / λ). Which weight is the largest has the odds s at every temperature; a low one goes to the corners, a high one to the middle." },
  { value: "dirichlet", label: "Dirichlet", centre: "s", about: "γ ~ Dir(λ s). Below λ s = 1 the corners and edges carry the mass, above it the inside." },
  { value: "logit-normal", label: "Logit-normal", centre: "μ", about: "γ = softmax((μ + σ ε) / λ) with normal ε. Only differences of μ count; a large σ goes to the corners." },
];

function Slider({ label, value, bounds, onChange }: { label: string; value: number; bounds: SliderRange; onChange: (value: number) => void }) {
  const id = useId();
  return (
    <div className="explore-slider">
      <label htmlFor={id}>{label}</label>
      <input id={id} type="range" min={0} max={SLIDER_STEPS} value={placeOf(value, bounds)} aria-valuetext={String(value)} onChange={(event) => onChange(valueAt(Number(event.target.value), bounds))} />
      <output htmlFor={id}>{value}</output>
    </div>
  );
}

const three = (weights: Weights, digits = 3) => weights.map((value) => value.toFixed(digits)).join(", ");

function withOne(weights: Weights, place: number, value: number): Weights {
  return weights.map((old, index) => (index === place ? value : old)) as unknown as Weights;
}

export function ExplorePage() {
  useTitle("Distributions");
  const [wanted, setFamily] = useQueryState("law");
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
  const [canvas, picture] = useStage(DensityPicture);
  useEffect(() => picture?.setData(law, shown === "density" ? [] : sample, shown !== "draws"), [picture, law, sample, shown]);
  const rows: [string, string][] = [
    ["mean weights", three(facts.mean)],
    ["largest weight: odds", three(facts.largest)],
    ["mean of the largest weight", facts.meanLargest.toFixed(3)],
    ["draws near a corner (largest over 0.95)", `${(100 * facts.nearCorner).toFixed(1)} %`],
    ["mean entropy of a draw", `${(100 * facts.entropy).toFixed(0)} % of uniform`],
    ["log density in the middle", logDensity(law, CENTRE).toFixed(3)],
  ];
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>Distributions</h1>
          <p>How a search draws the weights of three operations on an edge: the density on their triangle, and what the temperature does to it.</p>
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
              <canvas ref={canvas} role="img" aria-label={`${chosen.label} on the triangle: ${rows.map(([name, value]) => `${name} ${value}`).join("; ")}`} />
            </div>
            <p className="explore-scale">
              <span>e⁻⁸ of the highest</span>
              <i style={{ background: SCORE_SCALE }} />
              <span>highest density</span>
            </p>
          </div>
          <div className="stack">
            <Segmented label="Distribution" options={FAMILIES.map(({ value, label }) => ({ value, label }))} value={family} onChange={setFamily} />
            <p className="muted">{chosen.about}</p>
            <Slider label="temperature λ" value={temperature} bounds={TEMPERATURE} onChange={setTemperature} />
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
      </Panel>
      <Panel title="Where structure parameters may lie" note="three operations on one edge">
        <ConstraintSets />
      </Panel>
    </div>
  );
}
