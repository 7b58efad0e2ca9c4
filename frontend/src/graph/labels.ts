/** Node names as people write them: c_{k-2} -> "c{k−2}". */
export function nodeLabel(label: string): string {
  return label.replace(/^c_\{k-(\d)\}$/, "c{k−$1}");
}

/** What a weight of a family is called. Families from before it was said have γ. */
export const weightOf = ({ weight }: { weight?: string }): string => weight ?? "γ";

/** "c{k−2} → 0" */
export const edgeName = ([source, target]: readonly [unknown, unknown]): string => `${nodeLabel(String(source))} → ${nodeLabel(String(target))}`;
