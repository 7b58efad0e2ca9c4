/** A population by species over the generations: stacked stripes, and what each species is now; extinct ones are one stripe until unfolded. */
import { useRef } from "react";
import { useSize } from "../graph/useStage";
import type { SpeciesTable } from "../types/events.gen";
import { exact, metric, plural } from "../ui/format";
import { extinctCount, lastOf, populationOf, speciesColour, stripePath, stripesOf, type Species } from "./coevolution";

const ROOM = { left: 30, right: 8, top: 6, bottom: 18 };
const PIXELS_PER_TICK = 46;

interface StripesProps {
  title: string;
  table: SpeciesTable;
  generations: readonly number[];
  unfolded: boolean;
  onFold: (unfolded: boolean) => void;
  /** What the credit is a mean of. */
  measure: string;
}

/** Every so many-th generation has its number written. */
function ticks(generations: readonly number[], width: number): number[] {
  const every = Math.max(1, Math.ceil((generations.length * PIXELS_PER_TICK) / Math.max(width, 1)));
  return generations.map((_, at) => at).filter((at) => at % every === 0);
}

function Stripes({ title, table, generations, unfolded }: StripesProps) {
  const box = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(box);
  const stripes = stripesOf(populationOf(table), unfolded);
  const most = Math.max(...stripes.flatMap(({ to }) => to), 1);
  const x = (at: number) => ROOM.left + (at / Math.max(generations.length, 1)) * (width - ROOM.left - ROOM.right);
  const y = (members: number) => height - ROOM.bottom - (members / most) * (height - ROOM.top - ROOM.bottom);
  const words = stripes.map(({ title: name, from, to }) => `${name}: ${exact((to.at(-1) ?? 0) - (from.at(-1) ?? 0))} members now`).join("; ");
  return (
    <div className="genome-box stripes-box" ref={box}>
      {width > 0 && (
        <svg role="img" aria-label={`${title} by species over ${plural(generations.length, "generation")}. ${words}`}>
          {stripes.map((stripe) => (
            <path key={stripe.key} className="stripe" d={stripePath(stripe, x, y)} style={{ fill: stripe.number === null ? "var(--faint)" : speciesColour(stripe.number) }}>
              <title>{stripe.title}</title>
            </path>
          ))}
          <g className="stripe-axis">
            <text x={ROOM.left - 5} y={y(most)} textAnchor="end" dominantBaseline="hanging">
              {exact(most)}
            </text>
            <text x={ROOM.left - 5} y={y(0)} textAnchor="end">
              0
            </text>
            {ticks(generations, width - ROOM.left).map((at) => (
              <text key={at} x={x(at + 0.5)} y={height - 5} textAnchor="middle">
                {exact(generations[at] ?? 0)}
              </text>
            ))}
          </g>
        </svg>
      )}
    </div>
  );
}

function SpeciesLine({ species, at, measure }: { species: Species; at: number; measure: string }) {
  const now = at === species.members.length - 1;
  return (
    <li>
      <i className="swatch" style={{ background: speciesColour(species.number) }} /> species {species.number}{" "}
      <b>{plural(Math.round(species.members[at] ?? 0), "member")}</b>, in {plural(Math.round(species.used[at] ?? 0), "network")}, credit{" "}
      <span title={`mean ${measure} of the networks that its members were part of`}>{metric(species.credit[at])}</span>
      {!now && " when it last lived"}
    </li>
  );
}

/** One population. */
export function SpeciesStripes(props: StripesProps) {
  const { title, table, generations, unfolded, onFold, measure } = props;
  const population = populationOf(table);
  const extinct = extinctCount(population);
  const newest = generations.length - 1;
  return (
    <figure className="genome-part stripes">
      <figcaption>
        {title}: members of each species over the generations, {plural(population.species.filter(({ living }) => living).length, "living species", "living species")}
      </figcaption>
      <Stripes {...props} />
      <ul className="species-lines" aria-label={`${title} by species`}>
        {population.species.filter(({ living }) => living).map((species) => (
          <SpeciesLine key={species.number} species={species} at={newest} measure={measure} />
        ))}
        {extinct > 0 && (
          <li>
            <button type="button" aria-expanded={unfolded} onClick={() => onFold(!unfolded)}>
              <i className="swatch" style={{ background: "var(--faint)" }} /> {plural(extinct, "extinct species", "extinct species")}: {unfolded ? "fold" : "unfold"}
            </button>
          </li>
        )}
        {unfolded && population.species.filter(({ living }) => !living).map((species) => <SpeciesLine key={species.number} species={species} at={lastOf(species)} measure={measure} />)}
        {unfolded && population.others > 0 && <li>{plural(population.others, "more species", "more species")} that died out earlier</li>}
      </ul>
    </figure>
  );
}
