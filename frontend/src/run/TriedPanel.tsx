/** What the search has tried: its population; for a search inside one super-network what every edge leaned to. */
import type { ReactNode } from "react";
import type { Run } from "../api/types";
import { useQueryState } from "../app/router";
import { DecisionsPicture } from "../charts/DecisionsPicture";
import { rowsOverTime } from "../charts/certainty";
import { RowsOverTimePicture } from "../charts/RowsOverTimePicture";
import { PopulationPicture } from "../charts/PopulationPicture";
import type { RunStore } from "../stream/store";
import { useSelect } from "../stream/useRun";
import { metricName } from "../ui/format";
import { Segmented } from "../ui/Segmented";
import { GrowthSteps } from "./GrowthSteps";
import type { Pin } from "./RunPage";
import { TrialTable } from "./TrialTable";

export interface TriedPanelProps {
  run: Run;
  store: RunStore;
  selected: number | null;
  onSelect: (number: number) => void;
  pin: Pin | null;
  onPin: (pin: Pin | null) => void;
}

const hasRows = ({ pictures }: RunStore) => pictures.policies.size > 0 || pictures.masks.size > 0 || pictures.pathways.items.length > 0 || pictures.domains.items.length > 0;

/** The view of a structure that grows and shrinks. */
const STEPS = "steps";

/** "validation" or what a formula gives: the metric that candidates are judged by. */
function scoreName(store: RunStore): string {
  const name = store.run?.best?.metric ?? "val_accuracy";
  return name === "val_accuracy" ? "validation" : metricName(name);
}

export function TriedPanel({ run, store, selected, onSelect, pin, onPin }: TriedPanelProps) {
  // Which picture it is changes with the first candidate, generation or frame; the pictures follow their own topics.
  useSelect(store, ["candidates", "structure", "growth"], (item) =>
    [item.candidates.count > 0, item.growth.length > 0, item.individuals.generations.length > 0, item.family.length, hasRows(item), item.pictures.charts.size > 0, scoreName(item)].join(" "),
  );
  const [wanted, setWanted] = useQueryState("tried");
  const trials = store.candidates.count > 0;
  const generations = store.individuals.generations.length > 0;
  const groups = !trials && !generations ? store.family : [];
  const steps = store.growth.length > 0 ? [{ value: STEPS, label: "Steps" }] : [];
  const options = trials
    ? [...steps, { value: "time", label: "Time" }, { value: "table", label: "Table" }]
    : [...steps, ...groups.map((group) => ({ value: group.name, label: group.title.replace(/ cell$/i, "") }))];
  // A search inside one network: what it came to believe and when.
  const rows = !trials && !generations && groups.length === 0 && steps.length === 0 && hasRows(store) ? rowsOverTime(store) : null;
  const value = options.find((option) => option.value === wanted)?.value ?? options[0]?.value ?? "";
  const group = groups.find((item) => item.name === value);
  const hasCharts = store.pictures.charts.size > 0;
  let body: ReactNode = (
    <p className="run-hint run-hint-center">
      {hasCharts ? "This search tries no candidates one by one; its charts show how it goes." : run.state === "running" || run.state === "queued" ? "What is tried appears here." : "Nothing was tried."}
    </p>
  );
  if (value === STEPS) body = <GrowthSteps store={store} />;
  else if (trials && value === "table") body = <TrialTable store={store} selected={selected} onSelect={onSelect} />;
  else if (trials || generations) body = <PopulationPicture store={store} selected={selected} onSelect={onSelect} />;
  else if (rows) body = <RowsOverTimePicture store={store} />;
  else if (group) {
    body = (
      <DecisionsPicture
        store={store}
        group={group}
        pinned={pin?.group === group.name ? pin.edge : null}
        onPin={(edge) => onPin({ group: group.name, edge })}
      />
    );
  }
  const title = value === STEPS ? "Steps" : (rows?.title ?? (group ? "Decisions" : "Population"));
  return (
    <section className="panel run-tried" aria-label={title}>
      <header className="panel-head">
        <h2>{title}</h2>
        <span className="note">
          {value === STEPS ? "what was tried to change, and why it stayed or went" : rows ? rows.note : group ? "strongest operation of each edge over time" : generations ? "generation × fitness" : trials ? `birth × ${scoreName(store)}` : ""}
        </span>
        <div className="panel-actions">
          {options.length > 1 && <Segmented label="View" options={options} value={value} onChange={setWanted} />}
        </div>
      </header>
      {body}
    </section>
  );
}
