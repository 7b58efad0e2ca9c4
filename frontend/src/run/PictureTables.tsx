/** The live pictures in figures: tables as their text twins. Whichever the run has, at the shown moment. */
import type { ReactNode } from "react";
import { marginalFacts, policyFacts } from "../decisions/facts";
import { shortName } from "../graph/palette";
import type { MaskLayer } from "../types/events.gen";
import { Pictures } from "../stream/pictures";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import { bestFitness, fitnessLabel, taskName } from "../structures/PathwaysView";
import { typeTitle } from "../structures/colonyGraph";
import { keptText, maskBits, percent, shareKept } from "../structures/mask";
import { byMean } from "../structures/surrogatePlots";
import { exact, metric } from "../ui/format";
import { sourceTitle } from "./sources";

interface TableProps {
  title: string;
  head: readonly string[];
  rows: readonly (readonly ReactNode[])[];
}

/** More rows than this say nothing more. */
const MOST_ROWS = 400;

function Table({ title, head, rows }: TableProps) {
  return (
    <section>
      <h3>{title}</h3>
      <div className="matrix-scroll">
        <table className="matrix figure-table">
          <caption className="visually-hidden">{title}</caption>
          <thead>
            <tr>
              {head.map((name) => (
                <th scope="col" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, MOST_ROWS).map((row, index) => (
              <tr key={index}>
                {row.map((cell, place) => (place === 0 ? <th scope="row" key={place}>{cell}</th> : <td key={place}>{cell}</td>))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > MOST_ROWS && <p className="run-hint">and {exact(rows.length - MOST_ROWS)} more</p>}
    </section>
  );
}

function tablesOf(store: RunStore): TableProps[] {
  const { pictures, shown } = store;
  const tables: TableProps[] = [];
  for (const [domain, log] of pictures.policies) {
    const policy = log.at(shown);
    if (!policy) continue;
    tables.push({
      title: domain === null ? "Policy" : `Policy of ${store.run?.datasets[domain] ?? `data set ${domain + 1}`}`,
      head: ["decision", "most probable", "π", "latest sample", "entropy"],
      rows: policyFacts(pictures.decisions, policy).map((item) => [item.title, item.choice ?? "inactive", item.probability.toFixed(3), item.sampled ?? "–", `${(100 * item.entropy).toFixed(0)} %`]),
    });
  }
  const marginals = pictures.marginals.at(shown);
  if (marginals) {
    tables.push({
      title: "Tried choices",
      head: ["decision", "trials", "most often", "best mean score", ""],
      rows: marginalFacts(pictures.decisions, marginals).map((item) => [item.title, exact(item.tried), item.often || "–", item.best || "–", metric(item.mean)]),
    });
  }
  const colony = pictures.colony.at(shown);
  if (colony) {
    tables.push({
      title: "Pheromone",
      head: ["edge", "depth", "τ", "η", "p"],
      rows: colony.edges.map((edge) => [`${typeTitle(edge.source)} → ${typeTitle(edge.target)}`, edge.depth + 1, edge.pheromone.toFixed(3), edge.heuristic.toFixed(1), edge.probability.toFixed(2)]),
    });
  }
  const pathways = pictures.pathways.at(shown);
  if (pathways) {
    tables.push({
      title: `Paths of ${taskName(pathways.task)}, best ${fitnessLabel(store)} ${metric(bestFitness(pathways))}`,
      head: ["path", "fitness", "modules by layer"],
      rows: pathways.population.map((path, place) => [place + 1, metric(pathways.fitness[place]), path.map((layer) => layer.map((module) => module + 1).join("+")).join(" · ")]),
    });
  }
  const domains = pictures.domains.at(shown);
  if (domains) {
    const modules = domains.modules.length;
    tables.push({
      title: "Paths by data set",
      head: ["layer", ...domains.domains.map((item) => item.name)],
      rows: Array.from({ length: domains.layers }, (_, layer) => [
        layer + 1,
        ...domains.domains.map((item) => {
          const module = item.path[layer] ?? 0;
          return `${shortName(domains.modules[module] ?? "")} ${(item.probabilities[layer * modules + module] ?? 0).toFixed(2)}`;
        }),
      ]),
    });
  }
  for (const { source, data } of Pictures.latest(pictures.masks, shown)) {
    tables.push({
      title: pictures.masks.size > 1 ? `Mask, ${sourceTitle(store, source)}` : "Mask",
      head: ["layer", "outputs × inputs", "weights kept", "share", "outputs without any"],
      rows: data.layers.map((layer) => [layer.title, `${layer.rows} × ${layer.columns}`, keptText(layer), percent(shareKept(layer)), emptyRows(layer)]),
    });
  }
  const surrogate = pictures.surrogate.at(shown);
  if (surrogate) {
    tables.push({
      title: "Candidates of the surrogate",
      head: ["rank", "predicted", "deviation", "chosen"],
      rows: byMean(surrogate.means).map((place, rank) => [rank + 1, metric(surrogate.means[place]), metric(surrogate.deviations[place]), surrogate.chosen.includes(place) ? "yes" : ""]),
    });
  }
  return tables;
}

/** How many outputs of a layer lost every weight; a dash where the bits were not sent. */
function emptyRows(layer: MaskLayer): string {
  const bits = maskBits(layer);
  if (!bits) return "–";
  let empty = 0;
  for (let row = 0; row < layer.rows; row++) if (!bits.subarray(row * layer.columns, (row + 1) * layer.columns).includes(1)) empty++;
  return exact(empty);
}

export function PictureTables({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  return (
    <div className="matrices" tabIndex={0} role="group" aria-label="The pictures in figures">
      {tablesOf(store).map((table) => (
        <Table key={table.title} {...table} />
      ))}
    </div>
  );
}
