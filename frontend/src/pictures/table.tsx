/**
 * Every picture of the run page, one row each (`Picture` says what the columns are). The order is the one in which they come where the
 * algorithm declares none (`AlgorithmEntry.structure`). A new picture is one file with its view and its figures, and one row here.
 */
import { rowsSource } from "../charts/certainty";
import { decisionFigures, DecisionsPicture } from "../charts/DecisionsPicture";
import { populationFigures, rankingNote } from "../charts/individualPoints";
import { PopulationPicture } from "../charts/PopulationPicture";
import { curveFigures } from "../charts/progress";
import { rowFigures, RowsOverTimePicture } from "../charts/RowsOverTimePicture";
import { marginalFigures, MarginalsView } from "../decisions/MarginalsView";
import { planeFigures, PlaneView } from "../decisions/PlaneView";
import { policyFigures, PolicyView } from "../decisions/PolicyView";
import { weightOf } from "../graph/labels";
import { BestView, bestFigures } from "../run/BestView";
import { ChampionView } from "../run/ChampionView";
import { chartFigures, ChartsView } from "../run/ChartsView";
import { derivedFigures, DerivedView } from "../run/DerivedView";
import { FamilyView } from "../run/FamilyView";
import { growthFigures, GrowthSteps } from "../run/GrowthSteps";
import { Matrices, matrixFigures } from "../run/MatrixTable";
import { neuronFigures, NeuronTable } from "../run/NeuronTable";
import { ProgressPanel } from "../run/ProgressPanel";
import { reportFigures, ReportsView } from "../run/ReportsView";
import { resultFigures, ResultView } from "../run/ResultView";
import { TrialTable } from "../run/TrialTable";
import { bestName } from "../run/valueNames";
import type { RunStore } from "../stream/store";
import { coevolutionFigures, CoevolutionView } from "../structures/CoevolutionView";
import { colonyFigures, ColonyView } from "../structures/ColonyView";
import { decodedFigures, DecodedView } from "../structures/DecodedView";
import { domainFigures, DomainsView } from "../structures/DomainsView";
import { maskFigures, MaskView } from "../structures/MaskView";
import { morphismFigures, MorphismsView } from "../structures/MorphismsView";
import { motifFigures, MotifsView } from "../structures/MotifsView";
import { pathwayFigures, PathwaysView } from "../structures/PathwaysView";
import { queueFigures, QueueView } from "../structures/QueueView";
import { schemataFigures, SchemataView } from "../structures/SchemataView";
import { surrogateFigures, SurrogateView } from "../structures/SurrogateView";
import { widthFigures, WidthsView } from "../structures/WidthsView";
import type { Figures } from "../ui/figures";
import { FigureTables } from "./FigureTables";
import { drawFigures, withValues } from "./frameValues";
import { shownOf, type Picture } from "./picture";

const trials = (store: RunStore): boolean => store.candidates.count > 0;
const generations = (store: RunStore): boolean => store.individuals.generations.length > 0;
const family = (store: RunStore): boolean => store.family.length > 0;
/** A family whose edges have one operation each: it is there or not. */
const single = (store: RunStore): boolean => store.family.every(({ operations }) => operations.length === 1);
const weightsOf = (store: RunStore): string => weightOf(store.family[0] ?? {});
const familyNote = (store: RunStore): string => (single(store) ? `thickness = ${weightsOf(store)} of each edge` : `weight of each operation, thickness = ${weightsOf(store)}`);
/** "Normal cell" is called "Normal" where there is little room. */
const shortTitle = (title: string): string => title.replace(/ cell$/i, "").replace(/^./, (letter) => letter.toUpperCase());
const groupParts = (store: RunStore) => store.family.map(({ name, title }) => ({ id: name, title: shortTitle(title) }));
const groupOf = (store: RunStore, part: string) => store.family.find((group) => group.name === part);
const groupFigures = (figures: (store: RunStore, group: RunStore["family"][number]) => Figures[]) => (store: RunStore, part: string) => {
  const group = groupOf(store, part);
  return group ? figures(store, group) : [];
};

/** A group's weights, and the draws where they are a distribution. */
const weightFigures = (store: RunStore, group: RunStore["family"][number]): Figures[] => [...matrixFigures(store, group), ...drawFigures(store, group)];

/** Those that a run has and whose figures stand in the common table. */
const inFigures = (store: RunStore): Picture[] => shownOf(PICTURES.filter((item) => item.panel === "structure" && item.twin === "figures"), store);
const allFigures = (store: RunStore): Figures[] => inFigures(store).flatMap((item) => item.figures(store, ""));

export const PICTURES: readonly Picture[] = [
  // ---- what the search believes
  {
    id: "domains", panel: "structure", events: ["domains"], title: "Data sets", note: "layers × modules, one colour per data set",
    has: ({ pictures }) => pictures.has("domains"), view: ({ store }) => <DomainsView store={store} />, figures: withValues("domains", "Data sets", domainFigures), twin: "figures", image: true,
  },
  {
    id: "pathways", panel: "structure", events: ["pathways"], title: "Pathways", note: "layers × modules",
    has: ({ pictures }) => pictures.has("pathways"), view: ({ store }) => <PathwaysView store={store} />, figures: withValues("pathways", "Pathways", pathwayFigures), twin: "figures", image: true,
  },
  {
    id: "colony", panel: "structure", events: ["colony"], title: "Colony", note: "a column per depth",
    has: ({ pictures }) => pictures.has("colony"), view: ({ store }) => <ColonyView store={store} />, figures: withValues("colony", "Colony", colonyFigures), twin: "figures", image: true,
  },
  {
    id: "motifs", panel: "structure", events: ["motifs"], title: "Motifs", note: "the best so far: a cell of motifs, one motif, all of it in one graph",
    has: ({ pictures }) => pictures.has("motifs"), view: ({ store }) => <MotifsView store={store} />, figures: withValues("motifs", "Motifs", motifFigures), twin: "figures", image: true,
  },
  {
    id: "morphisms", panel: "structure", events: ["morphisms"], title: "Morphisms", note: "what grew from what, by which operators; before → right after the morphs → trained",
    has: ({ pictures }) => pictures.has("morphisms"), view: ({ store, onCandidate }) => <MorphismsView store={store} onSelect={onCandidate} />,
    figures: withValues("morphisms", "Morphisms", morphismFigures), twin: "figures", image: true,
  },
  {
    id: "coevolution", panel: "structure", events: ["coevolution"], title: "Coevolution", note: "the best so far with its blueprint, and both populations by species",
    has: ({ pictures }) => pictures.has("coevolution"), view: ({ store }) => <CoevolutionView store={store} />, figures: withValues("coevolution", "Coevolution", coevolutionFigures), twin: "figures", image: true,
  },
  {
    id: "widths", panel: "structure", events: ["widths"], title: "Widths", note: "what is left of each layer, and why: channels below the threshold go",
    has: ({ pictures }) => pictures.has("widths"), view: ({ store }) => <WidthsView store={store} />, figures: withValues("widths", "Widths", widthFigures), twin: "figures", image: true,
  },
  {
    id: "family", panel: "structure", events: ["family", "structure"], title: "Family", note: familyNote,
    has: family, parts: groupParts, figures: groupFigures(weightFigures), twin: "matrix", image: true,
    view: ({ store, part, pin, onPin }) => {
      const group = groupOf(store, part);
      const pinned = pin?.group === part ? pin.edge : null;
      return group && <FamilyView store={store} group={group} pinned={pinned} onPin={(edge) => onPin(edge === null ? null : { group: part, edge })} />;
    },
  },
  {
    id: "derived", panel: "structure", events: ["derived"], title: "Derived", note: "the architecture if the search ended now", after: "family",
    has: (store) => family(store) && store.derived.length > 0, view: ({ store }) => <DerivedView store={store} />, figures: derivedFigures, twin: "itself", image: true,
  },
  {
    id: "mask", panel: "structure", events: ["mask"], title: "Mask", note: "which weights remain, and which have just gone",
    has: ({ pictures }) => pictures.has("mask"), view: ({ store }) => <MaskView store={store} />, figures: withValues("mask", "Mask", maskFigures), twin: "figures", image: true,
  },
  {
    id: "decoded", panel: "structure", events: ["decoded"], title: "Decoded", note: "validation images, what comes back of each, and the code space",
    has: ({ pictures }) => pictures.has("decoded"), view: ({ store }) => <DecodedView store={store} />, figures: decodedFigures, twin: "figures", image: true,
  },
  {
    id: "growth", panel: "structure", events: ["champion"], title: "Champion", note: "the best so far; new parts are marked",
    has: (store) => store.champions.length > 0, view: ({ store }) => <ChampionView store={store} />, figures: neuronFigures, twin: "neurons", image: true,
  },
  {
    id: "charts", panel: "structure", events: ["charts"], title: "Charts", note: "what the search measured of itself",
    has: ({ pictures }) => pictures.has("charts"), view: ({ store }) => <ChartsView store={store} />, figures: chartFigures, twin: "itself", image: true,
  },
  {
    id: "policy", panel: "structure", events: ["decisions", "policy"], title: "Policy", note: "probability of each choice; outlined = latest sample",
    has: ({ pictures }) => pictures.has("policy"), view: ({ store }) => <PolicyView store={store} />, figures: withValues("policy", "Policy", policyFigures), twin: "figures", image: true,
  },
  {
    id: "surrogate", panel: "structure", events: ["surrogate"], title: "Surrogate", note: "what the model of the scores expects",
    has: ({ pictures }) => pictures.has("surrogate"), view: ({ store }) => <SurrogateView store={store} />, figures: withValues("surrogate", "Surrogate", surrogateFigures), twin: "figures", image: true,
  },
  {
    id: "schemata", panel: "structure", events: ["schemata"], title: "Schemata", note: "how many match each, beside the bound of the schema theorem",
    has: ({ pictures }) => pictures.has("schemata"), view: ({ store }) => <SchemataView store={store} />, figures: schemataFigures, twin: "figures", image: true,
  },
  {
    id: "queue", panel: "structure", events: ["candidate_born", "trial_told"], title: "Queue", note: "born at the right, dying at the left", declaredOnly: true,
    has: trials, view: ({ store, onCandidate }) => <QueueView store={store} onSelect={onCandidate} />, figures: queueFigures, twin: "figures", image: true,
  },
  {
    id: "plane", panel: "structure", events: ["decisions", "plane"], title: "Plane", note: "every point of two decisions, in the colour of its score",
    has: ({ pictures }) => pictures.has("plane"), view: ({ store }) => <PlaneView store={store} />, figures: planeFigures, twin: "figures", image: true,
  },
  {
    id: "marginals", panel: "structure", events: ["decisions", "marginals"], title: "Choices", note: "what was tried, and how it scored",
    has: ({ pictures }) => pictures.has("marginals"), view: ({ store }) => <MarginalsView store={store} />, figures: marginalFigures, twin: "figures", image: true,
  },
  {
    id: "matrix", panel: "structure", events: ["family", "structure"], title: "Matrix", note: (store) => `${weightsOf(store)} in figures`,
    has: family, view: ({ store, pin, onPin }) => <Matrices store={store} pin={pin} onPin={onPin} />,
    figures: (store) => store.family.flatMap((group) => weightFigures(store, group)), twin: "itself", image: false,
  },
  {
    id: "neurons", panel: "structure", events: ["champion"], title: (store) => (inFigures(store).length > 0 ? "Nodes" : "Table"), note: "the champion in words",
    has: (store) => store.champions.length > 0, view: ({ store }) => <NeuronTable store={store} />, figures: neuronFigures, twin: "itself", image: false,
  },
  {
    id: "genome", panel: "structure", events: ["incumbent"], title: "Best", note: "the best architecture so far",
    has: (store) => !family(store) && trials(store), view: ({ run, store }) => <BestView run={run.id} store={store} />, figures: bestFigures, twin: "itself", image: true,
  },
  {
    id: "figures", panel: "structure", events: [], title: "Table", note: "the pictures in figures",
    has: (store) => inFigures(store).length > 0, view: ({ store }) => <FigureTables store={store} figures={allFigures} />, figures: allFigures, twin: "itself", image: false,
  },
  {
    id: "reports", panel: "structure", events: ["report"], title: "Reports", note: "what was measured at the end",
    has: (store) => store.reports.length > 0, view: ({ store }) => <ReportsView store={store} />, figures: reportFigures, twin: "itself", image: true,
  },
  {
    id: "result", panel: "structure", events: ["finalist"], title: "Result", note: "the architecture that was finished and tested",
    has: (store) => store.finalists.length > 0, view: ({ store }) => <ResultView store={store} />, figures: resultFigures, twin: "itself", image: true,
  },
  // ---- what it has tried
  {
    id: "steps", panel: "tried", events: ["growth_step"], title: "Steps", heading: "Steps", note: "what was tried to change, and why it stayed or went",
    has: (store) => store.growth.length > 0, view: ({ store }) => <GrowthSteps store={store} />, figures: growthFigures, twin: "itself", image: false,
  },
  {
    id: "population", panel: "tried", events: ["candidate_born", "trial_told", "population"], title: "Time", heading: "Population",
    note: (store) => (trials(store) ? `birth × ${bestName(store.run)}` : rankingNote(store)),
    has: (store) => trials(store) || generations(store), figures: populationFigures, twin: "table", image: true,
    view: ({ store, candidate, onCandidate }) => <PopulationPicture store={store} selected={candidate} onSelect={onCandidate} />,
  },
  {
    id: "table", panel: "tried", events: ["candidate_born", "trial_told"], title: "Table", heading: "Population", note: (store) => `birth × ${bestName(store.run)}`,
    has: trials, view: ({ store, candidate, onCandidate }) => <TrialTable store={store} selected={candidate} onSelect={onCandidate} />,
    figures: populationFigures, twin: "itself", image: false,
  },
  {
    id: "decisions", panel: "tried", events: ["family", "structure"], title: "Decisions", heading: "Decisions", note: (store) => (single(store) ? `${weightsOf(store)} of each edge over time` : "strongest operation of each edge over time"),
    has: (store) => family(store) && !trials(store) && !generations(store), parts: groupParts, figures: groupFigures(decisionFigures), twin: "matrix", image: true,
    view: ({ store, part, pin, onPin }) => {
      const group = groupOf(store, part);
      return group && <DecisionsPicture store={store} group={group} pinned={pin?.group === part ? pin.edge : null} onPin={(edge) => onPin({ group: part, edge })} />;
    },
  },
  {
    id: "rows", panel: "tried", events: ["mask", "pathways", "domains", "policy"], title: "Over time", heading: (store) => rowsSource(store)?.title ?? "", note: (store) => rowsSource(store)?.note ?? "",
    has: (store) => !trials(store) && !generations(store) && !family(store) && store.growth.length === 0 && rowsSource(store) !== undefined,
    view: ({ store }) => <RowsOverTimePicture store={store} />, figures: rowFigures, twin: "figures", image: true,
  },
  // ---- how it goes
  {
    id: "progress", panel: "progress", events: ["metrics", "trial_told"], title: "Progress", note: "over what was spent",
    has: (store) => trials(store) || store.series.size > 0, view: ({ store }) => <ProgressPanel store={store} />, figures: curveFigures, twin: "itself", image: true,
  },
];
