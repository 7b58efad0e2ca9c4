/** Node names as people write them: c_{k-2} -> "c{k−2}". */
export function nodeLabel(label: string): string {
  return label.replace(/^c_\{k-(\d)\}$/, "c{k−$1}");
}
