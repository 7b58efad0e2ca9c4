/** All weights of a group as a table: what the picture shows, in figures; a click on an edge pins it. */
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import type { FamilyGroup } from "../types/events.gen";
import { figure, type Figures } from "../ui/figures";
import { edgeName } from "../graph/labels";
import { operationVariable, shortName } from "../graph/palette";
import type { Pin } from "./pin";

interface MatrixTableProps {
  store: RunStore;
  group: FamilyGroup;
  pinned: number | null;
  onPin: (edge: number | null) => void;
}

/** Weight of each operation on each edge of one group. */
export function matrixFigures(store: RunStore, group: FamilyGroup): Figures[] {
  const values = store.frames.get(group.name)?.at(store.shown)?.values;
  if (!values) return [];
  const count = group.operations.length;
  return [
    {
      title: group.title,
      head: ["edge", ...group.operations],
      rows: group.edges.map((ends, edge) => [
        edgeName(ends),
        ...group.operations.map((_, operation) => {
          const value = values[edge * count + operation] ?? 0;
          return figure(value, value.toFixed(2));
        }),
      ]),
    },
  ];
}

/** All groups below each other. */
export function Matrices({ store, pin, onPin }: { store: RunStore; pin: Pin | null; onPin: (pin: Pin | null) => void }) {
  useTopic(store, "structure");
  return (
    <div className="matrices">
      {store.family.map((group) => (
        <section key={group.name}>
          <h3>{group.title}</h3>
          <MatrixTable store={store} group={group} pinned={pin?.group === group.name ? pin.edge : null} onPin={(edge) => onPin(edge === null ? null : { group: group.name, edge })} />
        </section>
      ))}
    </div>
  );
}

function MatrixTable({ store, group, pinned, onPin }: MatrixTableProps) {
  useTopic(store, "structure");
  const values = store.frames.get(group.name)?.at(store.shown)?.values;
  const count = group.operations.length;
  return (
    <div className="matrix-scroll" tabIndex={0} role="group" aria-label={`Weights of the ${group.title.toLowerCase()}`}>
      <table className="matrix weight-matrix" style={{ "--columns": count } as React.CSSProperties}>
        <caption className="visually-hidden">{group.title}: weight of each operation on each edge</caption>
        <thead>
          <tr>
            <th scope="col">edge</th>
            {group.operations.map((operation, index) => (
              <th scope="col" key={operation} title={operation}>
                <i className="swatch" style={{ background: operationVariable(operation, index) }} />
                {shortName(operation)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {group.edges.map((ends, edge) => {
            const row = group.operations.map((_, operation) => values?.[edge * count + operation] ?? 0);
            const best = row.indexOf(Math.max(...row));
            return (
              <tr key={edge} className={edge === pinned ? "matrix-pinned" : undefined}>
                <th scope="row">
                  <button type="button" aria-pressed={edge === pinned} onClick={() => onPin(edge === pinned ? null : edge)}>
                    {edgeName(ends)}
                  </button>
                </th>
                {row.map((value, operation) => (
                  <td key={operation} className={operation === best ? "matrix-best" : undefined}>
                    <i style={{ background: operationVariable(group.operations[operation] ?? "", operation), opacity: Math.min(0.06 + value, 0.5) }} />
                    <span>{values ? value.toFixed(2) : "–"}</span>
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
