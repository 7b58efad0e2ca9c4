/** Grid against random search with the same number of points, where one of two hyper-parameters matters. */
import { useMemo, useState } from "react";
import { Button } from "../ui/Button";
import { Panel } from "../ui/Panel";
import { bell, bestOf, compare, distinct, gridTrials, randomTrials, score, widestGap, type Problem, type Trial } from "./gridRandom";
import { range, Slider } from "./Slider";
import "../run/run.css";

const SIDE = range(3, 10, { integer: true });
const UNIT = range(0, 1);
const Y_PEAK = 0.62;
/** The square's edge, and the depth of the strips with the marginals, in the picture's own units. */
const SQUARE = 200;
const STRIP = 54;
const GAP = 6;
const CURVE = Array.from({ length: 101 }, (_, index) => index / 100);

/** Points in their square; above it the function of the important parameter with the values tried of it, beside it that of the other. */
function Search({ title, trials, problem }: { title: string; trials: readonly Trial[]; problem: Problem }) {
  const best = bestOf(problem, trials);
  const [left, top] = [2, STRIP + GAP];
  const x = (value: number) => left + value * SQUARE;
  const y = (value: number) => top + (1 - value) * SQUARE;
  const up = (value: number) => STRIP - value * (STRIP - 4);
  const right = (value: number) => left + SQUARE + GAP + value * (STRIP - 4);
  const other = (value: number) => problem.importance * bell(value - problem.peak.y);
  const above = CURVE.map((value) => `${x(value)},${up(bell(value - problem.peak.x))}`).join(" ");
  const beside = CURVE.map((value) => `${right(other(value))},${y(value)}`).join(" ");
  const words = `${title}: ${trials.length} points, ${distinct(trials)} values of the important parameter, best ${best.value.toFixed(3)} at ${best.trial.x.toFixed(2)}, ${best.trial.y.toFixed(2)}`;
  return (
    <figure className="search-figure">
      <svg viewBox={`0 0 ${left + SQUARE + GAP + STRIP} ${top + SQUARE + 2}`} role="img" aria-label={words}>
        <polygon points={`${x(0)},${STRIP} ${above} ${x(1)},${STRIP}`} className="search-ground" />
        {trials.map((trial, index) => (
          <line key={index} x1={x(trial.x)} x2={x(trial.x)} y1={STRIP} y2={up(bell(trial.x - problem.peak.x))} className="search-rug" />
        ))}
        <polyline points={above} className="search-curve" />
        <polygon points={`${right(0)},${y(0)} ${beside} ${right(0)},${y(1)}`} className="search-ground search-other" />
        {trials.map((trial, index) => (
          <line key={index} x1={right(0)} x2={right(Math.max(other(trial.y), 0.06))} y1={y(trial.y)} y2={y(trial.y)} className="search-rug search-other" />
        ))}
        <polyline points={beside} className="search-curve search-other" />
        <rect x={x(0)} y={y(1)} width={SQUARE} height={SQUARE} className="search-square" />
        {trials.map((trial, index) => (
          <circle key={index} cx={x(trial.x)} cy={y(trial.y)} r="3" className="search-point" />
        ))}
        <line x1={x(best.trial.x)} x2={x(best.trial.x)} y1={STRIP} y2={y(best.trial.y)} className="search-best-line" />
        <circle cx={x(best.trial.x)} cy={y(best.trial.y)} r="5" className="search-best" />
      </svg>
      <figcaption>
        <strong>{title}</strong> · best {best.value.toFixed(3)}
      </figcaption>
    </figure>
  );
}

export function GridRandom() {
  const [side, setSide] = useState(5);
  const [importance, setImportance] = useState(0.1);
  const [peak, setPeak] = useState(0.4);
  const [seed, setSeed] = useState(1);
  const problem = useMemo((): Problem => ({ peak: { x: peak, y: Y_PEAK }, importance }), [peak, importance]);
  const grid = useMemo(() => gridTrials(side), [side]);
  const random = useMemo(() => randomTrials(side * side, seed), [side, seed]);
  const often = useMemo(() => compare(side, importance), [side, importance]);
  const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
  const rows: [string, string, string][] = [
    ["points", String(grid.length), String(random.length)],
    ["values of the important one", String(distinct(grid)), String(distinct(random))],
    ["widest gap between them", widestGap(grid).toFixed(3), widestGap(random).toFixed(3)],
    ["best found here", bestOf(problem, grid).value.toFixed(3), bestOf(problem, random).value.toFixed(3)],
    [`mean of the best, ${often.problems} peaks`, often.grid.toFixed(3), often.random.toFixed(3)],
    [`better of the two, ${often.problems} peaks`, percent(1 - often.randomBetter), percent(often.randomBetter)],
  ];
  return (
    <Panel title="Grid against random search" note="after Bergstra, Bengio 2012" actions={<Button onClick={() => setSeed(seed + 1)}>Draw again</Button>}>
      <div className="explore">
        <div className="search-pair">
          <Search title="Grid search" trials={grid} problem={problem} />
          <Search title="Random search" trials={random} problem={problem} />
        </div>
        <div className="stack">
          <p className="muted">
            The important parameter lies across, the other upwards; above and beside the squares stands what each adds to the score, with a mark at every value tried. All points of a column of the grid
            try the same value of the important one; random points never repeat it. Give the other its full weight and see in the last two lines of figures what is left of that.
          </p>
          <Slider label="points of each" value={side} bounds={SIDE} onChange={setSide} text={(value) => String(value * value)} />
          <Slider label="weight of the other" value={importance} bounds={UNIT} onChange={setImportance} />
          <Slider label="important: best at" value={peak} bounds={UNIT} onChange={setPeak} />
          <table className="table explore-facts">
            <caption className="visually-hidden">Grid and random search in figures</caption>
            <thead>
              <tr>
                <td />
                <th scope="col" className="num">
                  grid
                </th>
                <th scope="col" className="num">
                  random
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map(([name, ...values]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  {values.map((value, place) => (
                    <td className="num" key={place}>
                      {value}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          <p className="muted explore-note">The last two rows: the peak anywhere, random points drawn anew for each; the picture above is one of many.</p>
        </div>
      </div>
      <details className="explore-figures">
        <summary>The points in figures</summary>
        <div className="explore-scroll search-table" tabIndex={0} role="group" aria-label="Points of both searches">
          <table className="matrix">
            <caption className="visually-hidden">Points and scores of both searches</caption>
            <thead>
              <tr>
                {["number", "grid: important", "other", "score", "random: important", "other", "score"].map((name, place) => (
                  <th scope="col" key={place}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {grid.map((trial, index) => (
                <tr key={index}>
                  <th scope="row">{index + 1}</th>
                  {[trial, random[index] ?? trial].flatMap((item) => [item.x, item.y, score(problem, item)]).map((value, place) => (
                    <td key={place}>{value.toFixed(3)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </Panel>
  );
}
