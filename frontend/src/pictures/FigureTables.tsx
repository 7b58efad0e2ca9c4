/** The figures of the pictures as tables below each other. */
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import { FigureTable } from "../ui/FigureTable";
import type { Figures } from "../ui/figures";

export function FigureTables({ store, figures }: { store: RunStore; figures: (store: RunStore) => Figures[] }) {
  useTopic(store, "structure");
  useTopic(store, "candidates");
  return (
    <div className="matrices" tabIndex={0} role="group" aria-label="The pictures in figures">
      {figures(store).map((table) => (
        <FigureTable key={table.title} figures={table} heading />
      ))}
    </div>
  );
}
