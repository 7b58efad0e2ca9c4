/** The tabs of the run page's panels. */
import type { RunStore } from "../stream/store";
import { shownOf, type Picture } from "./picture";
import { PICTURES } from "./table";

/** One tab. */
export interface View {
  /** Of the address: "colony", "family:normal". */
  key: string;
  title: string;
  picture: Picture;
  part: string;
}

export const said = (text: string | ((store: RunStore) => string), store: RunStore): string => (typeof text === "string" ? text : text(store));

/** The pictures of one panel that have something to show; the first is opened. */
export function viewsOf(store: RunStore, panel: Picture["panel"]): View[] {
  return shownOf(PICTURES.filter((picture) => picture.panel === panel), store).flatMap((picture) => {
    const parts = picture.parts?.(store) ?? [{ id: "", title: said(picture.title, store) }];
    return parts.map(({ id, title }) => ({ key: id ? `${picture.id}:${id}` : picture.id, title, picture, part: id }));
  });
}
