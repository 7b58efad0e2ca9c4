/** Puts a canvas picture into a component: made when the canvas is there, disposed of with it. */
import { useEffect, useRef, useState, type RefObject } from "react";
import type { Stage } from "./stage";

export function useStage<Picture extends Stage>(make: new (canvas: HTMLCanvasElement) => Picture): [RefObject<HTMLCanvasElement | null>, Picture | null] {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [picture, setPicture] = useState<Picture | null>(null);
  useEffect(() => {
    if (!canvas.current) return;
    const made = new make(canvas.current);
    setPicture(made);
    return () => {
      made.dispose();
      setPicture(null);
    };
  }, [make]);
  return [canvas, picture];
}

/** Width and height of an element, kept up to date. */
export function useSize(element: RefObject<Element | null>): { width: number; height: number } {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    const box = element.current;
    if (!box) return;
    const read = () => setSize({ width: box.clientWidth, height: box.clientHeight });
    read();
    const observer = new ResizeObserver(read);
    observer.observe(box);
    return () => observer.disconnect();
  }, [element]);
  return size;
}
