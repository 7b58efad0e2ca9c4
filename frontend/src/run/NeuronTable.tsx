/** The champion's neurons as a table: the text twin of the growing graph. */
import { neuronFacts } from "../graph/NeuronPicture";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";

const MOST = 12;
const some = (names: string[]) => (names.length > MOST ? `${names.slice(0, MOST).join(", ")} and ${names.length - MOST} more` : names.join(", "));

export function NeuronTable({ store }: { store: RunStore }) {
  useTopic(store, "growth");
  const graph = store.now(store.champions)?.graph;
  if (!graph) return <p className="run-hint run-hint-center">Before the first champion.</p>;
  const shown = graph.nodes.filter((node) => node.kind !== "input");
  return (
    <div className="matrix-scroll" tabIndex={0} role="group" aria-label="Neurons of the champion">
      <table className="matrix neuron-table">
        <caption className="visually-hidden">Neurons and what they are connected to</caption>
        <thead>
          <tr>
            <th scope="col">neuron</th>
            <th scope="col">activation</th>
            <th scope="col">from</th>
            <th scope="col">to</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((node) => {
            const facts = neuronFacts(graph, node.id);
            return (
              <tr key={node.id}>
                <th scope="row">{node.kind === "output" ? node.label : `#${node.id}`}</th>
                <td>{facts.activation}</td>
                <td>{some(facts.sources)}</td>
                <td>{some(facts.targets)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
