/** What can be said of the architecture that would be derived at the shown moment. */
import type { RunStore } from "../stream/store";
import type { FamilyGroup, GraphData } from "../types/events.gen";

export type DerivedEdge = [source: string, target: string, operation: string];

/**
 * The chosen (source, target, operation) of a family group, in the derived genome's own terms; null where nothing is derived yet, or where the
 * genome says otherwise than by edges what it keeps: then nothing is known of an edge, least of all that it is not kept.
 */
export function derivedEdges(content: Record<string, unknown> | undefined, group: FamilyGroup): DerivedEdge[] | null {
  if (!content) return null;
  const own = (content[group.name] as { edges?: unknown } | undefined)?.edges;
  if (Array.isArray(own)) return own.filter(isEdge);
  // Any set of blocks, each named by its ends and its operation.
  if (Array.isArray(content["blocks"])) return content["blocks"].filter(isEdge);
  // A sum of functions over one edge, all of which are kept at once.
  const [only] = group.edges;
  if (Array.isArray(content["functions"]) && group.edges.length === 1 && only) {
    return content["functions"].map((name): DerivedEdge => [String(only[0]), String(only[1]), String(name)]);
  }
  // Which of the edges are there at all, by their places.
  const [alone] = group.operations;
  if (Array.isArray(content["kept"]) && group.operations.length === 1 && alone !== undefined) {
    const kept = new Set<unknown>(content["kept"]);
    return group.edges.flatMap(([source, target], place): DerivedEdge[] => (kept.has(place) ? [[String(source), String(target), alone]] : []));
  }
  // Spaces with one operation per edge list them in the group's edge order.
  const operations = content["operations"];
  if (!Array.isArray(operations)) return null;
  return group.edges.flatMap((edge, index): DerivedEdge[] => {
    const operation: unknown = operations[index];
    return typeof operation === "string" ? [[String(edge[0]), String(edge[1]), operation]] : [];
  });
}

function isEdge(value: unknown): value is DerivedEdge {
  return Array.isArray(value) && value.length === 3 && value.every((part) => typeof part === "string");
}

/** The genome that would be derived at the shown moment. */
export function derivedContent(store: RunStore): Record<string, unknown> | undefined {
  const genome = store.now(store.derived)?.genome as { content?: Record<string, unknown> } | undefined;
  return genome?.content;
}

/** The derived graph of one group as a drawing. */
export function derivedDrawing(store: RunStore, group: FamilyGroup): GraphData | null {
  const edges = derivedEdges(derivedContent(store), group);
  if (!edges || edges.length === 0) return null;
  return {
    nodes: group.nodes,
    edges: [
      ...edges.map(([source, target, operation]) => ({ source, target, key: operation, operation, attributes: {} })),
      ...group.fixed.map((edge) => ({ source: String(edge[0]), target: String(edge[1]), key: "fixed", operation: null, attributes: {} })),
    ],
    attributes: {},
  };
}

/** How many of the first group's derived operations are skip connections: the known way in which DARTS collapses. */
export function skipConnections(store: RunStore): { count: number; total: number } | null {
  const [group] = store.family;
  if (!group || !group.operations.includes("skip_connect")) return null;
  const edges = derivedEdges(derivedContent(store), group);
  if (!edges || edges.length === 0) return null;
  return { count: edges.filter((edge) => edge[2] === "skip_connect").length, total: edges.length };
}
