/** A long list of equally high rows of which only the visible ones exist. */
import { useEffect, useRef, useState, type ReactNode } from "react";

export interface VirtualRowsProps {
  count: number;
  rowHeight: number;
  label: string;
  row: (index: number) => ReactNode;
  head?: ReactNode;
  /** Keep showing the end while new rows come, as long as the reader has not scrolled away from it. */
  followEnd?: boolean;
}

const MARGIN = 6;

/** First and last (exclusive) row to draw. */
export function visibleRange(scrollTop: number, height: number, rowHeight: number, count: number): [number, number] {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - MARGIN);
  const last = Math.min(count, Math.ceil((scrollTop + height) / rowHeight) + MARGIN);
  return [Math.min(first, Math.max(0, count - 1)), last];
}

export function VirtualRows({ count, rowHeight, label, row, head, followEnd }: VirtualRowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ top: 0, height: 300 });
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
  }, [count, followEnd]);

  const [first, last] = visibleRange(view.top, view.height, rowHeight, count);
  const rows = [];
  for (let index = first; index < last; index++) rows.push(<div key={index} style={{ height: rowHeight }}>{row(index)}</div>);
  return (
    <div className="virtual" ref={box} role="group" aria-label={`${label}, ${count} rows`} tabIndex={0}>
      {head}
      <div style={{ height: count * rowHeight, position: "relative" }}>
        <div style={{ transform: `translateY(${first * rowHeight}px)` }}>{rows}</div>
      </div>
    </div>
  );
}
