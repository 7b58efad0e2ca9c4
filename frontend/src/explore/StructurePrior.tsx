/** Where the upper-level objective sends the structure's prior: the struct term of Q over s. */
import { useEffect, useMemo, useState } from "react";
import { SCORE_SCALE } from "../graph/scoreColour";
import { useStage } from "../graph/useStage";
import { Panel } from "../ui/Panel";
import { Segmented } from "../ui/Segmented";
import { ConcreteDivergence } from "./concreteDivergence";
import type { Weights } from "./distributions";
import { range, Slider } from "./Slider";
import { divergences, GRID, highest, NAMED, NEAR, NEAR_TEMPERATURE, PARTS, term, termAt } from "./structureTerm";
import { TrianglePicture } from "./trianglePicture";
import { three } from "./words";

const TEMPERATURE = range(0.05, 10, { log: true });
const LAMBDA = range(-1, 1);
const PRESETS: { value: string; lambdas: Weights }[] = [
  { value: "0, 0, 0", lambdas: [0, 0, 0] },
  { value: "1, 0, 0", lambdas: [1, 0, 0] },
  { value: "1, 1, 0", lambdas: [1, 1, 0] },
];
const OWN = "own";
const LABELS = ["s₁", "s₂", "s₃"] as const;

export function StructurePrior() {
  const [preset, setPreset] = useState("1, 0, 0");
  const [own, setOwn] = useState<Weights>([1, 0.5, -0.5]);
  const [temperature, setTemperature] = useState(NEAR_TEMPERATURE);
  const lambdas = PRESETS.find((item) => item.value === preset)?.lambdas ?? own;
  const kl = useMemo(() => divergences(temperature), [temperature]);
  const values = useMemo(() => term(kl, lambdas), [kl, lambdas]);
  const best = useMemo(() => highest(values), [values]);
  const [low, high] = useMemo(() => [Math.min(...values), Math.max(...values)], [values]);
  const named = useMemo(() => {
    const each = NEAR.map((near) => new ConcreteDivergence(temperature, near, NEAR_TEMPERATURE));
    return NAMED.map(({ name, s }) => ({ name, s, kl: each.map((divergence) => divergence.from(s)) as unknown as [number, number, number] }));
  }, [temperature]);
  const [canvas, picture] = useStage(TrianglePicture);
  useEffect(
    () => picture?.setData({ labels: LABELS, map: { parts: PARTS, grid: GRID, values, span: [low, high] }, marks: best?.places ?? [] }),
    [picture, values, low, high, best],
  );
  const change = (place: number, value: number) => {
    setOwn(lambdas.map((old, index) => (index === place ? value : old)) as unknown as Weights);
    setPreset(OWN);
  };
  const words = best
    ? `Highest, ${best.value.toFixed(2)}, at s = ${best.places.map((s) => three(s, 2)).join(" and at ")}${best.border ? ", the rim of the grid: the term still rises towards the border" : ""}.`
    : "The term says nothing: every s is as good as any other, and the rest of Q decides alone.";
  return (
    <Panel title="The objective over the structure's prior" note="Bakhteev, lecture slides 2019">
      <div className="explore">
        <div>
          <div className="explore-picture">
            <canvas ref={canvas} role="img" aria-label={`The struct term of Q over s for λ^Q_struct ${three(lambdas, 2)} and temperature ${temperature}. ${words}`} />
          </div>
          <p className="explore-scale">
            <span>{low.toFixed(1)}</span>
            <i style={{ background: SCORE_SCALE }} />
            <span>{high.toFixed(1)} nats; the ring is the maximum</span>
          </p>
        </div>
        <div className="stack">
          <p className="muted">
            Q sends the prior p(Γ) = GS(s, λ<sub>temp</sub>) of the structure to chosen places by the term −Σ λᵢ KL(GS(s, λ<sub>temp</sub>) ‖ p′ᵢ). Each p′ᵢ = GS(s′ᵢ, {NEAR_TEMPERATURE}) lies near
            vertex i: s′₁ ∝ ({NEAR[0].join(", ")}). A positive λᵢ attracts, a negative one repels; going through the λ goes through the structures.
          </p>
          <Segmented label="λ^Q_struct" options={[...PRESETS.map(({ value }) => ({ value, label: `[${value}]` })), { value: OWN, label: "own" }]} value={preset} onChange={setPreset} />
          {lambdas.map((value, place) => (
            <Slider key={place} label={`λ^Q_struct, ${"₁₂₃"[place]}`} value={value} bounds={LAMBDA} onChange={(next) => change(place, next)} />
          ))}
          <Slider label="λ_temp" value={temperature} bounds={TEMPERATURE} onChange={setTemperature} />
          <p className="explore-says" aria-live="polite">
            {words}
          </p>
          <div className="explore-scroll" tabIndex={0} role="group" aria-label="The struct term in figures">
            <table className="table explore-facts">
              <caption className="visually-hidden">The struct term and its divergences, in nats, at places of the triangle</caption>
              <thead>
                <tr>
                  <th scope="col">s</th>
                  {[1, 2, 3].map((number) => (
                    <th scope="col" className="num" key={number}>{`KL to p′${"₁₂₃"[number - 1]}`}</th>
                  ))}
                  <th scope="col" className="num">
                    term
                  </th>
                </tr>
              </thead>
              <tbody>
                {named.map((row) => (
                  <tr key={row.name}>
                    <th scope="row" title={three(row.s, 2)}>
                      {row.name}
                    </th>
                    {row.kl.map((value, place) => (
                      <td className="num" key={place}>
                        {value.toFixed(2)}
                      </td>
                    ))}
                    <td className="num strong">{termAt(row.kl, lambdas).toFixed(2)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <p className="muted explore-note">
            Divergences by numerical integration of their exact one-dimensional form (error below 10⁻⁶ nats), not by draws: the map has no noise. Maximum on a grid of 1/{PARTS}.
          </p>
        </div>
      </div>
    </Panel>
  );
}
