/** A long list of rows of which only the visible ones exist. All are equally high, or as high as their text where it wraps. */
import { useEffect, useLayoutEffect, useRef, useState, type ReactNode } from "react";

export interface VirtualRowsProps {
  count: number;
  rowHeight: number;
  label: string;
  row: (index: number) => ReactNode;
  head?: ReactNode;
  /** Hears which rows are drawn: the first, and the one behind the last. A function that stays the same. */
  onVisible?: (range: readonly [number, number]) => void;
  /** Keep showing the end while new rows come, as long as the reader has not scrolled away from it. */
  followEnd?: boolean;
  /** Rows are `rowHeight` high at least, and higher where their text takes more lines: nothing of it is cut. */
  wraps?: boolean;
}

/** By row what it is higher than `rowHeight`, as far as it has been seen. */
type Excess = ReadonlyMap<number, number>;
const NONE: Excess = new Map();

const MARGIN = 6;

/** Where a row begins. */
export function topOf(index: number, rowHeight: number, excess: Excess = NONE): number {
  let top = index * rowHeight;
  for (const [row, more] of excess) if (row < index) top += more;
  return top;
}

/** First and last (exclusive) row to draw. */
export function visibleRange(scrollTop: number, height: number, rowHeight: number, count: number, excess: Excess = NONE): [number, number] {
  /** The last row that begins at or above a place. */
  const rowAt = (place: number) => {
    let [low, high] = [0, count];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (topOf(middle, rowHeight, excess) <= place) low = middle;
      else high = middle;
    }
    return low;
  };
  const first = Math.max(0, rowAt(scrollTop) - MARGIN);
  const last = Math.min(count, rowAt(scrollTop + height - 1e-6) + 1 + MARGIN);
  return [Math.min(first, Math.max(0, count - 1)), last];
}

export function VirtualRows({ count, rowHeight, label, row, head, onVisible, followEnd, wraps = false }: VirtualRowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const drawn = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 300 });
  const [excess, setExcess] = useState(NONE);
  const atEnd = useRef(true);

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const read = () => {
      atEnd.current = element.scrollTop + element.clientHeight >= element.scrollHeight - 2 * rowHeight;
      setView({ top: element.scrollTop, height: element.clientHeight });
    };
    read();
    element.addEventListener("scroll", read, { passive: true });
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => {
      element.removeEventListener("scroll", read);
      observer.disconnect();
    };
  }, [rowHeight]);

  useEffect(() => {
    const element = box.current;
    if (followEnd && element && atEnd.current) element.scrollTop = element.scrollHeight;
  }, [count, followEnd, excess]);

  const [first, last] = visibleRange(view.top, view.height, rowHeight, count, excess);
  useEffect(() => onVisible?.([first, last]), [onVisible, first, last]);
  useLayoutEffect(() => {
    if (!wraps || !drawn.current) return;
    const seen = [...drawn.current.children].map((element, place) => [first + place, Math.max(element.clientHeight - rowHeight, 0)] as const);
    if (seen.every(([index, more]) => (excess.get(index) ?? 0) === more)) return;
    const next = new Map(excess);
    for (const [index, more] of seen) {
      if (more > 0) next.set(index, more);
      else next.delete(index);
    }
    setExcess(next);
  }, [wraps, excess, first, last, rowHeight, row]);

  const rows = [];
  for (let index = first; index < last; index++) rows.push(<div key={index} style={wraps ? { minHeight: rowHeight } : { height: rowHeight }}>{row(index)}</div>);
  return (
    <div className="virtual" ref={box} role="group" aria-label={`${label}, ${count} rows`} tabIndex={0}>
      {head}
      <div style={{ height: topOf(count, rowHeight, excess), position: "relative" }}>
        <div ref={drawn} style={{ transform: `translateY(${topOf(first, rowHeight, excess)}px)` }}>
          {rows}
        </div>
      </div>
    </div>
  );
}
