/** Several data sets in one network: each one's path and probabilities, what they share, and how each is doing. */
import { useEffect, useState } from "react";
import { shortName } from "../graph/palette";
import { hoverSide, type Point } from "../graph/stage";
import { useStage } from "../graph/useStage";
import { ZoomButtons } from "../graph/ZoomButtons";
import { ValueRow, valueText } from "../run/ValueRow";
import type { Domains } from "../stream/pictures";
import { NothingYet } from "../run/NothingYet";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { Options } from "../api/types";
import { metricName } from "../ui/format";
import { domainNames } from "../views/datasetText";
import { domainColour, usersOf } from "./domainColours";
import { DomainPaths, type ModuleAt } from "./domainPaths";
import "../graph/graph.css";
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

export function DomainsView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const domains = store.pictures.domains.at(store.shown);
  const [canvas, picture] = useStage(DomainPaths);
  const [hover, setHover] = useState<{ pick: ModuleAt; at: Point } | null>(null);
  useEffect(() => {
    if (domains) picture?.setDomains(domains);
  }, [picture, domains]);
  useEffect(() => picture?.hover(hover?.pick ?? null), [picture, hover]);
  useEffect(() => {
    if (!picture) return;
    picture.onPoint = (point, screen) => {
      const pick = point && picture.pick(point);
      setHover((old) => (pick ? { pick, at: screen } : old === null ? old : null));
    };
  }, [picture]);
  const names = nameDomains(store, domains);
  const words = domains?.domains.map((item, domain) => `${names[domain] ?? item.name}: ${item.path.map((module) => shortName(domains.modules[module] ?? "")).join(", ")}`).join("; ") ?? "nothing yet";
  const shared = domains && sharedModules(domains);
  return (
    <>
      <div className="panel-fill">
        <canvas ref={canvas} role="img" aria-label={`Paths: ${words}`} />
        {!domains && <NothingYet />}
        {hover && domains && (
          <div className={hoverSide(hover.at, canvas.current)} style={{ left: hover.at.x, top: hover.at.y }} aria-hidden="true">
            <strong>
              layer {hover.pick.layer + 1}, {shortName(domains.modules[hover.pick.module] ?? "")}
            </strong>
            {domains.domains.map((item, domain) => (
              <span key={item.name}>
                <i className="swatch" style={{ background: domainColour(domain) }} />
                {names[domain]} {(item.probabilities[hover.pick.layer * domains.modules.length + hover.pick.module] ?? 0).toFixed(3)}
              </span>
            ))}
          </div>
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
