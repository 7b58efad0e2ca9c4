/** Which picture the page opens and what a run has to say while it has none. */
import type { Run } from "../api/types";
import type { RunStore } from "../stream/store";
import { populationOf } from "../structures/QueueView";

export interface StructureView {
  id: string;
  title: string;
}

/** The pictures that a run's events make possible, what the algorithm is about first; the panel opens with the first. */
export function structureViews(store: RunStore): StructureView[] {
  const { pictures } = store;
  const views: StructureView[] = [];
  if (pictures.domains.items.length > 0) views.push({ id: "domains", title: "Data sets" });
  if (pictures.pathways.items.length > 0) views.push({ id: "pathways", title: "Pathways" });
  if (pictures.colony.items.length > 0) views.push({ id: "colony", title: "Colony" });
  views.push(...store.family.map((group) => ({ id: `family:${group.name}`, title: shortTitle(group.title) })));
  if (store.family.length > 0 && store.derived.length > 0) views.push({ id: "derived", title: "Derived" });
  if (pictures.masks.size > 0) views.push({ id: "mask", title: "Mask" });
  if (store.champions.length > 0) views.push({ id: "growth", title: "Champion" });
  if (pictures.charts.size > 0) views.push({ id: "charts", title: "Charts" });
  if (pictures.policies.size > 0) views.push({ id: "policy", title: "Policy" });
  if (pictures.surrogate.items.length > 0) views.push({ id: "surrogate", title: "Surrogate" });
  if (populationOf(store) !== null) views.push({ id: "queue", title: "Queue" });
  if (pictures.marginals.items.length > 0) views.push({ id: "marginals", title: "Choices" });
  if (store.family.length > 0) views.push({ id: "matrix", title: "Matrix" });
  if (store.champions.length > 0) views.push({ id: "neurons", title: hasPictures(store) ? "Nodes" : "Table" });
  if (store.family.length === 0 && store.candidates.count > 0) views.push({ id: "genome", title: "Best" });
  if (hasPictures(store)) views.push({ id: "figures", title: "Table" });
  if (store.reports.length > 0) views.push({ id: "reports", title: "Reports" });
  if (store.finalists.length > 0) views.push({ id: "result", title: "Result" });
  return views;
}

function hasPictures({ pictures }: RunStore): boolean {
  const logs = [pictures.marginals, pictures.colony, pictures.pathways, pictures.domains, pictures.surrogate];
  return pictures.policies.size > 0 || pictures.masks.size > 0 || logs.some((log) => log.items.length > 0);
}

function shortTitle(title: string): string {
  return title.replace(/ cell$/i, "").replace(/^./, (letter) => letter.toUpperCase());
}

/** Why there is no picture yet, in plain words. */
export function waitingText(run: Run): { title: string; text: string } {
  switch (run.state) {
    case "queued":
      return { title: "Waiting for a worker", text: "The run starts as soon as a worker is free. The Workers page shows who is busy." };
    case "running":
      return { title: "Starting", text: "Loading the data and building the first architecture." };
    case "pausing":
      return { title: "Pausing", text: "The present step is finished first; then the worker is free." };
    case "paused":
      return { title: "Paused", text: run.reason || "Nothing is lost. Resume goes on exactly where it stopped." };
    case "failed":
      return { title: "Failed", text: run.reason || "The run ended with an error." };
    case "cancelled":
      return { title: "Cancelled", text: run.reason || "The run was cancelled before it had anything to show." };
    case "completed":
      return { title: "Finished", text: run.reason };
  }
}
