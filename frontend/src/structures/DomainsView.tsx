/** Several data sets in one network: each one's path and probabilities, what they share, and how each is doing. */
import { useEffect } from "react";
import { shortName } from "../graph/palette";
import { HoverCard } from "../graph/HoverCard";
import { useHover } from "../graph/useHover";
import { useStage } from "../graph/useStage";
import { ZoomButtons } from "../graph/ZoomButtons";
import { ValueRow, valueText } from "../run/ValueRow";
import { NothingYet } from "../run/NothingYet";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { Options } from "../api/types";
import { figure, measured, whole, type Figures } from "../ui/figures";
import { metricName } from "../ui/format";
import { domainNames } from "../views/datasetText";
import { domainColour, usersOf } from "./domainColours";
import { DomainPaths, domainsOf, type Domains } from "./domainPaths";
import "./structures.css";

/** In the curves or equal for all most of the time: too much for a foot. */
const QUIET = new Set(["weight", "train_accuracy", "train_loss"]);

/** How many modules two or more paths go through, and how many are used at all. */
export function sharedModules(domains: Domains): { shared: number; used: number } {
  const users = usersOf(domains.domains.map((item) => item.path), domains.layers, domains.modules.length).flat();
  return { shared: users.filter((who) => who.length > 1).length, used: users.filter((who) => who.length > 0).length };
}

/** The data sets as the page names them everywhere. */
function nameDomains(store: RunStore, domains: Domains | undefined): string[] {
  const { run } = store;
  const named = run && run.datasets.length === domains?.domains.length ? domainNames(run.datasets, run.config?.["dataset_options"] as Options[] | undefined) : null;
  return named ?? domains?.domains.map((item) => item.name) ?? [];
}

/** Each data set's module of each layer, with its probability. */
export function domainFigures(store: RunStore): Figures[] {
  const frame = store.pictures.at("domains", store.shown);
  if (!frame) return [];
  const domains = domainsOf(frame);
  const modules = domains.modules.length;
  return [
    {
      title: "Paths by data set",
      head: ["layer", ...domains.domains.flatMap((item) => [item.name, "π"])],
      rows: Array.from({ length: domains.layers }, (_, layer) => [
        whole(layer + 1),
        ...domains.domains.flatMap((item) => {
          const module = item.path[layer] ?? 0;
          const share = item.probabilities[layer * modules + module] ?? 0;
          return [shortName(domains.modules[module] ?? ""), figure(share, share.toFixed(2))];
        }),
      ]),
    },
    {
      title: "Probability of every module",
      head: ["layer", "module", ...domains.domains.map((item) => item.name)],
      rows: Array.from({ length: domains.layers * modules }, (_, place) => [
        whole(Math.floor(place / modules) + 1), shortName(domains.modules[place % modules] ?? ""), ...domains.domains.map((item) => measured(item.probabilities[place])),
      ]),
    },
  ];
}

export function DomainsView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const frame = store.pictures.at("domains", store.shown);
  const domains = frame && domainsOf(frame);
  const [canvas, picture] = useStage(DomainPaths);
  const hover = useHover(picture);
  useEffect(() => {
    if (domains) picture?.setDomains(domains);
  }, [picture, domains]);
  const names = nameDomains(store, domains);
  const words = domains?.domains.map((item, domain) => `${names[domain] ?? item.name}: ${item.path.map((module) => shortName(domains.modules[module] ?? "")).join(", ")}`).join("; ") ?? "nothing yet";
  const shared = domains && sharedModules(domains);
  return (
    <>
      <div className="panel-fill">
        <canvas ref={canvas} role="img" aria-label={`Paths: ${words}`} />
        {!domains && <NothingYet />}
        {hover && domains && (
          <HoverCard at={hover.at} canvas={canvas}>
            <strong>
              layer {hover.pick.layer + 1}, {shortName(domains.modules[hover.pick.module] ?? "")}
            </strong>
            {domains.domains.map((item, domain) => (
              <span key={item.name}>
                <i className="swatch" style={{ background: domainColour(domain) }} />
                {names[domain]} {(item.probabilities[hover.pick.layer * domains.modules.length + hover.pick.module] ?? 0).toFixed(3)}
              </span>
            ))}
          </HoverCard>
        )}
        <ZoomButtons picture={picture} low />
      </div>
      <div className="structure-foot">
        <ul className="domain-rows" aria-label="Data sets">
          {domains?.domains.map((item, domain) => (
            <li key={item.name}>
              <i className="swatch" style={{ background: domainColour(domain) }} />
              <b>{names[domain]}</b>
              {Object.entries(item.values).filter(([name]) => !QUIET.has(name)).map(([name, value]) => (
                <span key={name}>
                  {metricName(name)} <b>{valueText(name, value)}</b>
                </span>
              ))}
            </li>
          ))}
        </ul>
        {shared && (
          <span>
            <b>{shared.shared}</b> of {shared.used} used modules are shared (striped)
          </span>
        )}
        <ValueRow values={domains?.values ?? {}} step={domains?.step} />
      </div>
    </>
  );
}
