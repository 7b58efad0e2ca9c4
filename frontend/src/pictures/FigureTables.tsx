/** The figures of the pictures as tables below each other. */
import { useMemo } from "react";
import type { RunStore } from "../stream/store";
import { useCalm, useTopic } from "../stream/useRun";
import { FigureTable } from "../ui/FigureTable";
import type { Figures } from "../ui/figures";

export function FigureTables({ store, figures }: { store: RunStore; figures: (store: RunStore) => Figures[] }) {
  const version = useCalm(`${useTopic(store, "structure")} ${useTopic(store, "candidates")}`, 120);
  const tables = useMemo(() => {
    void version; // the store is mutable: its versions say when to read it again
    return figures(store).map((table) => <FigureTable key={table.title} figures={table} heading />);
  }, [store, figures, version]);
  return (
    <div className="matrices" tabIndex={0} role="group" aria-label="The pictures in figures">
      {tables}
    </div>
  );
}
