/** Searching lists that time has put in order. */

/** Index of the last item at most `limit`, or -1, in a list that ascends in `of` (of numbers: in themselves). Reads a few items only. */
export function lastAtMost(items: readonly number[], limit: number): number;
export function lastAtMost<Item>(items: readonly Item[], limit: number, of: (item: Item) => number): number;
export function lastAtMost<Item>(items: readonly Item[], limit: number, of: (item: Item) => number = Number): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const item = items[middle];
    if (item !== undefined && of(item) <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
