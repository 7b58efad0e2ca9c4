/** The schema theorem over bit strings with a planted fitness: masks typed by the reader, their counts and bounds, and two sentences about long masks as charts. */
import { useId, useMemo, useState } from "react";
import { PlotGrid } from "../plots/PlotCard";
import type { Plot, PlotSeries } from "../plots/chartData";
import { Button } from "../ui/Button";
import { Panel } from "../ui/Panel";
import { Segmented } from "../ui/Segmented";
import { COMPARED, maskOf, REDRAWS, simulate, survival, type Group, type Mask, type Setting, type Simulation, type Track } from "./bitSchemata";
import { range, Slider } from "./Slider";

const POPULATION = range(20, 400, { integer: true });
const LENGTH = range(4, 20, { integer: true });
const MUTATION = range(0, 0.2);
const UNIT = range(0, 1);
const TOURNAMENT = range(2, 10, { integer: true });
const STRENGTH = range(0, 4);
const GENERATIONS = 25;
/** A chart tells so many masks apart. */
const MOST_MASKS = 6;
const PLANTED = "1**0*1";
const TYPED = "1**0* 1**0*1 1 0";

const line = (name: string, hue: number, x: readonly number[], y: readonly number[], look: PlotSeries["look"] = "solid"): PlotSeries => ({
  name, hue, variant: 0, look, x: Float32Array.from(x), y: Float32Array.from(y), low: null, high: null,
});

const plot = (name: string, title: string, xTitle: string, yTitle: string, note: string, series: PlotSeries[], marks: Plot["marks"] = []): Plot => ({
  name, title, form: "lines", xTitle, yTitle, xScale: "linear", yScale: "linear", categories: [], series, marks, note,
});

function trackPlots(tracks: readonly Track[]): Plot[] {
  const all = plot(
    "counts", "Strings that match", "generation", "N(h, t)", "One run. Every mask has its colour.",
    tracks.map(({ mask, count }, hue) => line(mask.text, hue, count.map((_, index) => index), count)),
  );
  return [
    all,
    ...tracks.map(({ mask, bound, redrawn, blind, count }, index) => {
      const next = bound.map((_, at) => at + 1);
      return plot(
        `mask ${index} ${mask.text}`, `${mask.text} and its bound`, "generation", "N(h, t)",
        `The bound is of the mean: over ${REDRAWS} redraws of each generation from the one before it. The one run is one draw. Drawn blind: parents chosen without regard to fitness.`,
        [
          line("one run", 7, count.map((_, at) => at), count), line(`mean of ${REDRAWS} redraws`, 0, next, redrawn), line("bound", 5, next, bound, "dashed"),
          line("mean, drawn blind", 1, next, blind, "dashed"),
        ],
      );
    }),
  ];
}

function groupPlots(groups: readonly Group[]): Plot[] {
  const x = groups.map(({ stars }) => stars);
  const of = (name: keyof Group) => groups.map((group) => group[name]);
  return [
    plot(
      "survive", "“Masks with more stars survive”", "stars in the mask", "matching children per matching parent",
      `Masks drawn from strings of the population, its first ${COMPARED} generations together. What selection does is left aside: 1 is a mask that crossover and mutation leave as often as they find it. Side by side and ends: where the fixed places lie.`,
      [line("anywhere", 0, x, of("kept")), line("1 − p of the theorem", 5, x, of("formula"), "dashed"), line("side by side", 2, x, of("together")), line("both ends", 1, x, of("apart"))],
    ),
    plot(
      "fit", "“… and fit ones more so”", "stars in the mask", "N(h, t + 1) / N(h, t), mean of redraws",
      "The same masks, selection included: those whose strings are fitter than the population on average, and the others. Above 1 a mask becomes more frequent.",
      [line("fitter than the population", 0, x, of("fit")), line("not fitter", 1, x, of("unfit"))], [{ axis: "y", value: 1, title: "as many as before" }],
    ),
  ];
}

const said = (value: number, digits = 2): string => (Number.isFinite(value) ? value.toFixed(digits) : "–");

/** Whether the two sentences hold in this simulation, in its own numbers. */
export function verdicts(groups: readonly Group[]): string[] {
  const known = groups.filter(({ kept }) => Number.isFinite(kept));
  const [fewest, most] = [known[0], known.at(-1)];
  if (!fewest || !most) return [];
  const first =
    most.kept > fewest.kept
      ? `Here so: ${said(fewest.kept)} children per parent at ${fewest.stars} stars, ${said(most.kept)} at ${most.stars}.`
      : `Not here: ${said(fewest.kept)} children per parent at ${fewest.stars} stars, ${said(most.kept)} at ${most.stars}.`;
  const both = groups.filter(({ stars, together, apart }) => stars > 0 && Number.isFinite(together) && Number.isFinite(apart)).slice(0, -1);
  const nearer = both.filter(({ together, apart }) => together > apart).length;
  const counted = `${nearer} of ${both.length} numbers of stars`;
  const distance =
    both.length === 0
      ? ""
      : 4 * nearer >= 3 * both.length
        ? ` The number of stars is not all of it: with equally many, masks whose fixed places lie side by side do better than those that fix both ends at ${counted}.`
        : ` Where the fixed places lie, which p counts with, makes no clear difference here: side by side is better than at both ends at ${counted}. What a cut takes from one string, its mate may bring back, and p knows nothing of that.`;
  const compared = groups.filter(({ fit, unfit }) => Number.isFinite(fit) && Number.isFinite(unfit));
  const fitter = compared.filter(({ fit, unfit }) => fit > unfit).length;
  if (compared.length === 0) return [first + distance, "No mask can be compared: none is fitter than the population, or all are."];
  const growing = compared.filter(({ fit }) => fit > 1).length;
  const peak = compared.reduce((best, group) => (group.fit > best.fit ? group : best));
  const last = compared.at(-1) ?? peak;
  const further = peak.stars < last.stars ? ` More stars are not always more growth: they grow fastest at ${peak.stars} stars (${said(peak.fit)}), at ${last.stars} by ${said(last.fit)}: a mask of many stars is fit only a little.` : ` They grow fastest at ${peak.stars} stars (${said(peak.fit)}).`;
  return [first + distance, `Fit masks do better than the others at ${fitter} of ${compared.length} numbers of stars, and become more frequent at ${growing}.${further}`];
}

function MaskTable({ tracks, setting }: { tracks: Simulation["tracks"]; setting: Setting }) {
  return (
    <div className="explore-scroll" tabIndex={0} role="group" aria-label="Masks in figures">
      <table className="table explore-facts">
        <caption className="visually-hidden">Masks in figures</caption>
        <thead>
          <tr>
            {["mask", "order", "δ", "p", "at the start", "at the end", "mean at the bound"].map((name, place) => (
              <th scope="col" key={name} className={place > 0 ? "num" : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {tracks.map(({ mask, count, bound, redrawn, error }, index) => (
            <tr key={index}>
              <th scope="row">
                <code>{mask.text}</code>
              </th>
              <td className="num">{mask.order}</td>
              <td className="num">{mask.length}</td>
              <td className="num">{said(1 - survival(mask, setting), 3)}</td>
              <td className="num">{count[0]}</td>
              <td className="num">{count.at(-1)}</td>
              <td className="num">
                {bound.filter((value, at) => (redrawn[at] ?? 0) + 3 * (error[at] ?? 0) >= value - 1e-9).length} of {bound.length}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Schemata() {
  const [population, setPopulation] = useState(200);
  const [length, setLength] = useState(12);
  const [mutation, setMutation] = useState(0.01);
  const [crossover, setCrossover] = useState(0.7);
  const [selection, setSelection] = useState<Setting["selection"]>("proportional");
  const [tournament, setTournament] = useState(2);
  const [strength, setStrength] = useState(1);
  const [planted, setPlanted] = useState(PLANTED);
  const [typed, setTyped] = useState(TYPED);
  const [seed, setSeed] = useState(1);
  const [plantedId, masksId] = [useId(), useId()];
  const target = maskOf(planted.trim(), length);
  const words = typed.split(/[\s,;]+/).filter(Boolean);
  const found = words.map((word) => maskOf(word, length));
  const problems = [
    ...(typeof target === "string" ? [`Planted mask: ${target}`] : []), ...found.flatMap((item) => (typeof item === "string" ? [`Masks: ${item}`] : [])),
    ...(words.length === 0 ? ["Masks: type at least one"] : []), ...(words.length > MOST_MASKS ? [`Masks: ${words.length} are too many for one chart; at most ${MOST_MASKS}`] : []),
  ];
  const masks = found.filter((item): item is Mask => typeof item !== "string").slice(0, MOST_MASKS);
  const key = masks.map(({ text }) => text).join(" ");
  const plant = typeof target === "string" ? "" : target.text;
  const setting = useMemo(
    (): Setting => ({ population, length, mutation, crossover, selection, tournament, generations: GENERATIONS, planted: maskOf(plant || "*", length) as Mask, strength, seed }),
    [population, length, mutation, crossover, selection, tournament, plant, strength, seed],
  );
  const run = useMemo(() => simulate(setting, key.split(" ").filter(Boolean).map((text) => maskOf(text, setting.length)).filter((item): item is Mask => typeof item !== "string")), [setting, key]);
  const plots = useMemo(() => [...trackPlots(run.tracks), ...groupPlots(run.groups)], [run]);
  const sentences = verdicts(run.groups);
  return (
    <Panel title="Schemata: why mixing and mutating works" note="the schema theorem, Holland 1975" actions={<Button onClick={() => setSeed(seed + 1)}>Draw again</Button>}>
      <div className="explore">
        <div className="stack schemata-plots">
          <PlotGrid plots={plots} />
          <dl className="schemata-says">
            <dt>“Schemata with a larger mask are more tenacious.”</dt>
            <dd>{sentences[0] ?? "Nothing to compare."}</dd>
            <dt>“Schemata with a large mask and above-average quality are more tenacious.”</dt>
            <dd>{sentences[1] ?? "Nothing to compare."}</dd>
          </dl>
        </div>
        <div className="stack schemata-side">
          <p className="muted">
            A schema is a mask: <code>*</code> is a place that does not matter. A string’s fitness is 1 and, for each place of the planted mask that is right, its share of the strength. The next generation has
            each schema at least as often, on average, as its bound says; a single draw may well have it less often.
          </p>
          <div className="explore-choices">
            <label htmlFor={plantedId}>
              planted mask
              <input id={plantedId} value={planted} spellCheck={false} maxLength={20} onChange={(event) => setPlanted(event.target.value)} />
            </label>
            <label htmlFor={masksId}>
              masks to follow
              <input id={masksId} value={typed} spellCheck={false} maxLength={160} onChange={(event) => setTyped(event.target.value)} />
            </label>
          </div>
          {problems.length > 0 && (
            <p className="explore-says" role="alert">
              {problems.join(". ")}
            </p>
          )}
          <Segmented
            label="Selection"
            options={[
              { value: "proportional", label: "Proportional" },
              { value: "tournament", label: "Tournament" },
            ]}
            value={selection}
            onChange={setSelection}
          />
          {selection === "tournament" && <Slider label="tournament" value={tournament} bounds={TOURNAMENT} onChange={setTournament} />}
          <Slider label="population" value={population} bounds={POPULATION} onChange={setPopulation} />
          <Slider label="length L" value={length} bounds={LENGTH} onChange={setLength} />
          <Slider label="mutation pm" value={mutation} bounds={MUTATION} onChange={setMutation} />
          <Slider label="crossover pc" value={crossover} bounds={UNIT} onChange={setCrossover} />
          <Slider label="strength" value={strength} bounds={STRENGTH} onChange={setStrength} />
          <MaskTable tracks={run.tracks} setting={setting} />
          <p className="muted explore-note">
            A mask is filled up with stars to the right. The last column: in how many generations the mean of {REDRAWS} redraws is at the bound or above, or below within three standard errors. Seed {seed}. Runs show the same of their own populations with the option “Schemata”: regularized evolution, Evo-NAS, hierarchical evolution, CoDeepNEAT,
            WANN and PathNet. Spaces that are no lists of decisions have none there, nor have multi-path NAS, DeepSwarm, the other policies and the gradient methods: they keep probabilities or pheromone and no
            population of genomes whose counts could be compared.
          </p>
        </div>
      </div>
    </Panel>
  );
}
