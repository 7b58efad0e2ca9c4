/** The two-layer model under the reader's hand: what the mixture of two operations is, and that it is a model for every γ. */
import { useMemo, useState } from "react";
import { SCORE_SCALE, scoreColour } from "../graph/scoreColour";
import { Panel } from "../ui/Panel";
import { Segmented } from "../ui/Segmented";
import { range, Slider } from "./Slider";
import { convolution, INPUTS, mixture, pooling, probabilities, SIDE, wordsOf, type Picture } from "./twoLayer";
import "../run/run.css";
import "../structures/structures.css";

const UNIT = range(0, 1);
/** Cells a side of the map over all γ. */
const CELLS = 20;
type Gamma = readonly [number, number];
const CORNERS: readonly Gamma[] = [[0, 0], [1, 0], [0, 1], [1, 1]];
const gammaText = (gamma: Gamma) => `(${gamma.map((value) => Number(value.toFixed(3))).join(", ")})`;

/** Positive in the accent's colour, negative in orange; empty where it is zero. */
function Pixels({ title, values, most }: { title: string; values: Picture; most: number }) {
  return (
    <figure className="pixels">
      <svg viewBox={`0 0 ${SIDE} ${SIDE}`} role="img" aria-label={`${title}: ${wordsOf(values)}`}>
        {values.map((value, place) => (
          <rect key={place} x={place % SIDE} y={Math.floor(place / SIDE)} width="1" height="1" style={{ fill: value < 0 ? "var(--best)" : "var(--accent)", fillOpacity: Math.min(Math.abs(value) / most, 1) }} />
        ))}
      </svg>
      <figcaption>{title}</figcaption>
    </figure>
  );
}

/** The probability of the picture's own class over the whole square of γ, with the simplex as its diagonal. */
function AllGammas({ input, conv, pool, gamma }: { input: number; conv: Picture; pool: Picture; gamma: Gamma }) {
  const own = useMemo(() => (at: Gamma) => probabilities(mixture(conv, pool, at))[input] ?? 0, [conv, pool, input]);
  const cells = useMemo(() => Array.from({ length: CELLS * CELLS }, (_, place) => own([((place % CELLS) + 0.5) / CELLS, (Math.floor(place / CELLS) + 0.5) / CELLS])), [own]);
  const name = INPUTS[input]?.name ?? "";
  const at = { x: gamma[0] * CELLS, y: (1 - gamma[1]) * CELLS };
  const corners = CORNERS.map((corner) => `${gammaText(corner)} ${own(corner).toFixed(2)}`).join(", ");
  return (
    <figure className="gamma-map">
      <svg viewBox={`-1 -1 ${CELLS + 2} ${CELLS + 2}`} role="img" aria-label={`Probability of ${name} over all γ; at the corners of the cube ${corners}`}>
        {cells.map((value, place) => (
          <rect key={place} x={place % CELLS} y={CELLS - 1 - Math.floor(place / CELLS)} width="1.03" height="1.03" fill={scoreColour(value, [0, 1])} />
        ))}
        <line x1="0" y1="0" x2={CELLS} y2={CELLS} className="gamma-simplex" />
        <circle cx={at.x} cy={at.y} r="0.62" className="gamma-at" />
      </svg>
      <figcaption>
        probability of {name} at every γ: γ₀ to the right, γ₁ upwards; the line is the simplex
        <span className="explore-scale">
          <span>0</span>
          <i style={{ background: SCORE_SCALE }} />
          <span>1</span>
        </span>
      </figcaption>
    </figure>
  );
}

function Matrix({ title, values }: { title: string; values: Picture }) {
  return (
    <table className="matrix pixel-table">
      <caption>{title}</caption>
      <tbody>
        {Array.from({ length: SIDE }, (_, row) => (
          <tr key={row}>
            {values.slice(row * SIDE, (row + 1) * SIDE).map((value, column) => (
              <td key={column}>{value.toFixed(1)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function TwoLayer() {
  const [chosen, setChosen] = useState("4");
  const [space, setSpace] = useState<"cube" | "simplex">("cube");
  const [cube, setCube] = useState<Gamma>([0.7, 0.4]);
  const input = Math.max(INPUTS.findIndex((item) => item.name === chosen), 0);
  const gamma: Gamma = space === "cube" ? cube : [cube[0], Number((1 - cube[0]).toFixed(3))];
  const [x, conv, pool] = useMemo(() => {
    const shown = INPUTS[input]?.picture ?? [];
    return [shown, convolution(shown), pooling(shown)];
  }, [input]);
  const mixed = mixture(conv, pool, gamma);
  const now = probabilities(mixed);
  const most = Math.max(...conv.map(Math.abs), ...pool);
  const rows: { name: string; values: number[] }[] = [
    { name: `now ${gammaText(gamma)}`, values: now },
    ...CORNERS.map((corner) => ({ name: `corner ${gammaText(corner)}`, values: probabilities(mixture(conv, pool, corner)) })),
  ];
  const best = now.indexOf(Math.max(...now));
  const flat = gamma[0] === 0 && gamma[1] === 0;
  return (
    <Panel title="A model for every γ" note="f(x) = softmax(w₂ᵀ (γ₀ Conv(x, w) + γ₁ Pool(x)))">
      <div className="stack">
        <p className="muted">
          One edge mixes two operations. At the corners of the cube it is one of them, both or none; on the simplex, a weighted mean; everywhere it is a function into distributions over the classes,
          so it can be trained and compared at any γ. Every γ gives a model, not every γ a good one: with these fixed w and w₂ the pooling alone takes other digits for a 0.
        </p>
        <div className="pixel-row">
          <Pixels title="input x" values={x} most={1} />
          <Pixels title="Conv(x, w)" values={conv} most={most} />
          <Pixels title="Pool(x)" values={pool} most={most} />
          <Pixels title="γ₀ Conv + γ₁ Pool" values={mixed} most={most} />
          <AllGammas input={input} conv={conv} pool={pool} gamma={gamma} />
        </div>
        <p className="explore-key">
          <i className="swatch-dot" style={{ background: "var(--accent)" }} /> above zero
          <i className="swatch-dot" style={{ background: "var(--best)" }} /> below zero
        </p>
        <div className="explore">
          <div className="stack">
            <div className="explore-choices">
              <Segmented label="Input" options={INPUTS.map(({ name }) => ({ value: name, label: name }))} value={chosen} onChange={setChosen} />
              <Segmented
                label="Where γ lies"
                options={[
                  { value: "cube", label: "Cube" },
                  { value: "simplex", label: "Simplex" },
                ]}
                value={space}
                onChange={setSpace}
              />
            </div>
            <Slider label="γ₀ (Conv)" value={gamma[0]} bounds={UNIT} onChange={(value) => setCube([value, cube[1]])} />
            {space === "cube" ? (
              <Slider label="γ₁ (Pool)" value={gamma[1]} bounds={UNIT} onChange={(value) => setCube([cube[0], value])} />
            ) : (
              <p className="muted">γ₁ = 1 − γ₀ = {gamma[1]}</p>
            )}
            <p className="explore-says" aria-live="polite">
              {flat
                ? "Both weights are zero: the model sees nothing and answers with equal probabilities."
                : `The model says ${INPUTS[best]?.name ?? ""} with probability ${(now[best] ?? 0).toFixed(2)}; the probabilities sum to ${now.reduce((sum, value) => sum + value, 0).toFixed(3)}.`}
            </p>
          </div>
          <div className="explore-scroll" tabIndex={0} role="group" aria-label="Class probabilities in figures">
            <table className="table explore-facts">
              <caption className="visually-hidden">Class probabilities at the chosen γ and at the corners of the cube</caption>
              <thead>
                <tr>
                  <th scope="col">γ</th>
                  {INPUTS.map(({ name }) => (
                    <th scope="col" className="num" key={name}>
                      p({name})
                    </th>
                  ))}
                  <th scope="col" className="num">
                    sum
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows.map((row, number) => (
                  <tr key={row.name}>
                    <th scope="row">{row.name}</th>
                    {row.values.map((value, place) => (
                      <td className="num probability" key={place}>
                        {number === 0 && <i style={{ width: `${100 * value}%` }} aria-hidden="true" />}
                        <span>{value.toFixed(3)}</span>
                      </td>
                    ))}
                    <td className="num">{row.values.reduce((sum, value) => sum + value, 0).toFixed(3)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </div>
        <details className="explore-figures">
          <summary>The pictures in figures</summary>
          <div className="pixel-tables">
            <Matrix title="input x" values={x} />
            <Matrix title="Conv(x, w)" values={conv} />
            <Matrix title="Pool(x)" values={pool} />
            <Matrix title="γ₀ Conv + γ₁ Pool" values={mixed} />
          </div>
        </details>
      </div>
    </Panel>
  );
}
