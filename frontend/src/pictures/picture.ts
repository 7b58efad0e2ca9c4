/** What the run page must know of a picture. The pictures themselves stand in `table.tsx`, one row each. */
import type { ReactNode } from "react";
import type { Run } from "../api/types";
import type { Pin } from "../run/pin";
import type { RunStore } from "../stream/store";
import type { EventRecord } from "../types/events.gen";
import type { Figures } from "../ui/figures";

export type EventKind = EventRecord["data"]["kind"];

export interface PictureProps {
  run: Run;
  store: RunStore;
  /** Which of several of its kind it is (`parts`), else "". */
  part: string;
  pin: Pin | null;
  onPin: (pin: Pin | null) => void;
  candidate: number | null;
  onCandidate: (number: number) => void;
}

export interface Picture {
  /** Its kind: what `AlgorithmEntry.structure` names, what the address says. */
  id: string;
  panel: "structure" | "tried" | "progress";
  /** The kinds of event that it is drawn from. */
  events: readonly EventKind[];
  /** Of its tab. */
  title: string | ((store: RunStore) => string);
  /** Of its panel, where that has not the same for all. */
  heading?: string | ((store: RunStore) => string);
  /** How to read it, beside the heading. */
  note: string | ((store: RunStore) => string);
  /** Whether it has something to show. */
  has: (store: RunStore) => boolean;
  /** Where there are several of its kind: one tab each. */
  parts?: (store: RunStore) => { id: string; title: string }[];
  view: (props: PictureProps) => ReactNode;
  /** What it shows in figures, at the shown moment: its twin's tables, and what is saved as CSV. */
  figures: (store: RunStore, part: string) => Figures[];
  /** The picture that shows these figures as a table; "itself" where it can be read or switched to figures. */
  twin: "figures" | "matrix" | "neurons" | "table" | "itself";
  /** Whether it can be saved as an image. */
  image: boolean;
  /** No event tells it from others: it is shown only where the algorithm declares it. */
  declaredOnly?: true;
  /** It comes right after this one, wherever that stands. */
  after?: string;
}

/** Those of a list that a run shows: as its algorithm declares them, then the others as they come. */
export function shownOf(pictures: readonly Picture[], store: RunStore): Picture[] {
  const declared = store.run?.algorithm.structure ?? [];
  const rank = ({ id, after }: Picture) => {
    const place = declared.indexOf(after ?? id);
    return place < 0 ? declared.length : place;
  };
  return pictures.filter((picture) => (!picture.declaredOnly || declared.includes(picture.id)) && picture.has(store)).sort((a, b) => rank(a) - rank(b));
}
