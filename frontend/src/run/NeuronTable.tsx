/** The champion's neurons as a table: the text twin of the growing graph. */
import { neuronFacts, ofNeurons } from "../graph/NeuronPicture";
import type { RunStore } from "../stream/store";
import type { Figures } from "../ui/figures";
import { useTopic } from "../stream/useRun";

const MOST = 12;
const some = (names: string[]) => (names.length > MOST ? `${names.slice(0, MOST).join(", ")} and ${names.length - MOST} more` : names.join(", "));

/** The champion's nodes, all their connections written out. */
export function neuronFigures(store: RunStore): Figures[] {
  const graph = store.now(store.champions)?.graph;
  if (!graph) return [];
  const neurons = ofNeurons(graph);
  return [
    {
      title: neurons ? "Neurons of the champion" : "Nodes of the champion",
      head: [neurons ? "neuron" : "node", neurons ? "activation" : "what it is", "from", "to"],
      rows: graph.nodes
        .filter((node) => node.kind !== "input")
        .map((node) => {
          const facts = neuronFacts(graph, node.id);
          return [node.kind === "output" || !neurons ? node.label : `#${node.id}`, neurons ? facts.activation : facts.more.join(", "), facts.sources.join(" "), facts.targets.join(" ")];
        }),
    },
  ];
}

export function NeuronTable({ store }: { store: RunStore }) {
  useTopic(store, "growth");
  const graph = store.now(store.champions)?.graph;
  if (!graph) return <p className="run-hint run-hint-center">Before the first champion.</p>;
  const neurons = ofNeurons(graph);
  const shown = graph.nodes.filter((node) => node.kind !== "input");
  return (
    <div className="matrix-scroll" tabIndex={0} role="group" aria-label={neurons ? "Neurons of the champion" : "Nodes of the champion"}>
      <table className="matrix neuron-table">
        <caption className="visually-hidden">Nodes and what they are connected to</caption>
        <thead>
          <tr>
            <th scope="col">{neurons ? "neuron" : "node"}</th>
            <th scope="col">{neurons ? "activation" : "what it is"}</th>
            <th scope="col">from</th>
            <th scope="col">to</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((node) => {
            const facts = neuronFacts(graph, node.id);
            return (
              <tr key={node.id}>
                <th scope="row">{node.kind === "output" || !neurons ? node.label : `#${node.id}`}</th>
                <td>{neurons ? facts.activation : facts.more.join(", ")}</td>
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
