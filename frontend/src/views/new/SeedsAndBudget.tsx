import { BUDGET_KINDS, type BudgetKind } from "../../api/types";
import { Panel } from "../../ui/Panel";
import { Segmented } from "../../ui/Segmented";
import { plural } from "../../ui/format";
import { fieldId } from "../../schema/SchemaForm";
import { BUDGET_EXAMPLE, readSeeds, type Draft } from "./draft";

const MEANING: Record<BudgetKind | "none", string> = {
  trials: "How many candidates are told in each run. One that repeats an earlier one takes its result and costs nothing.",
  samples: "Training examples times passes in each run. A forward pass alone counts a third. A sample of a super-network takes several times the FLOPs of one network's.",
  flops: "Twice the multiply-accumulates of all passes in each run, by formula: 1 T is 10¹². Layers that move data without products count nothing.",
  seconds: "Computing time of each run, summed over workers. Only runs with equal hardware compare, and equal seeds give the same search only as far as it comes.",
  none: "Each run ends where its own settings say, for example after its epochs.",
};

const LABEL: Record<BudgetKind, string> = { trials: "Trials", samples: "Samples", flops: "FLOPs", seconds: "Seconds" };

interface SeedsAndBudgetProps {
  draft: Draft;
  kinds: BudgetKind[];
  /** Why there must be a budget, or null. */
  needed: string | null;
  problems: ReadonlyMap<string, string>;
  onChange: (change: Partial<Draft>) => void;
}

export function SeedsAndBudget({ draft, kinds, needed, problems, onChange }: SeedsAndBudgetProps) {
  const seeds = readSeeds(draft.seeds);
  const seedProblem = problems.get("seeds");
  const budgetProblem = problems.get("budget");
  const closed = (kind: BudgetKind) => (kinds.includes(kind) ? {} : { disabled: true, title: `This choice cannot spend a budget in ${LABEL[kind].replace(/^[TS]/, (letter) => letter.toLowerCase())}.` });
  return (
    <Panel title="Seeds and budget" note="for each run">
      <div className="pair">
        <div className="pair-field">
          <label htmlFor={fieldId("seeds")}>Seeds</label>
          <input
            id={fieldId("seeds")}
            className="input"
            value={draft.seeds}
            autoComplete="off"
            aria-invalid={seedProblem ? true : undefined}
            aria-describedby="seeds-about"
            onChange={(event) => onChange({ seeds: event.target.value })}
          />
          <p id="seeds-about" className={seedProblem ? "error-text" : "muted small"}>
            {seedProblem ??
              (typeof seeds !== "string" && seeds.length > 1
                ? `${plural(seeds.length, "seed")}: results come with a spread.`
                : "One run for each seed, for example 0, 1, 2 or 0-4. On equal hardware the same seed gives the same search.")}
          </p>
        </div>
        <div className="pair-field">
          <label htmlFor={fieldId("budget")}>Budget</label>
          <div className="row">
            <Segmented
              label="Kind of budget"
              value={draft.budgetKind}
              onChange={(budgetKind) => onChange({ budgetKind, ...(budgetKind !== "none" ? { budget: BUDGET_EXAMPLE[budgetKind] } : {}) })}
              options={[
                ...BUDGET_KINDS.map((kind) => ({ value: kind, label: LABEL[kind], ...closed(kind) })),
                { value: "none", label: "As configured", ...(needed ? { disabled: true, title: needed } : {}) },
              ]}
            />
            {draft.budgetKind !== "none" && (
              <input
                id={fieldId("budget")}
                className="input budget-amount"
                value={draft.budget}
                inputMode="decimal"
                autoComplete="off"
                aria-label={`Budget in ${draft.budgetKind}`}
                aria-invalid={budgetProblem ? true : undefined}
                aria-describedby="budget-about"
                onChange={(event) => onChange({ budget: event.target.value })}
              />
            )}
          </div>
          <p id="budget-about" className={budgetProblem ? "error-text" : "muted small"}>
            {budgetProblem ?? MEANING[draft.budgetKind]}
          </p>
          {draft.budgetKind === "trials" && (
            <label className="row small" htmlFor={fieldId("count_repeats")}>
              <input id={fieldId("count_repeats")} type="checkbox" checked={draft.countRepeats} onChange={(event) => onChange({ countRepeats: event.target.checked })} />
              Repeats count as trials
            </label>
          )}
        </div>
      </div>
    </Panel>
  );
}
