/** What can be taken out of the shown picture: its figures, and the picture itself. */
import { useRef } from "react";
import type { RunStore } from "../stream/store";
import { Button } from "../ui/Button";
import { toast } from "../ui/toast";
import type { Picture } from "./picture";
import { csvFile, fileName, imageFile, saveFile } from "./save";

export interface SaveMenuProps {
  store: RunStore;
  picture: Pick<Picture, "figures" | "image">;
  part?: string;
  /** What the picture is called, for the file's name. */
  title: string;
}

export function SaveMenu({ store, picture, part = "", title }: SaveMenuProps) {
  const menu = useRef<HTMLDetailsElement>(null);
  const name = (ending: string) => fileName([store.run?.algorithm.title ?? "run", "seed", store.run?.seed ?? 0, title], ending);
  const close = () => {
    if (menu.current) menu.current.open = false;
  };
  const saveFigures = () => {
    close();
    saveFile(name("csv"), csvFile(picture.figures(store, part)));
  };
  const saveImage = async () => {
    close();
    const panel = menu.current?.closest(".panel");
    const image = panel && (await imageFile(panel));
    if (image) saveFile(name(image.ending), image.content);
    else toast("There is no picture at this moment.", true);
  };
  return (
    <details
      className="save-menu"
      ref={menu}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) close();
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !menu.current?.open) return;
        event.stopPropagation();
        close();
        menu.current.querySelector("summary")?.focus();
      }}
    >
      <summary className="button button-small" aria-label={`Save ${title}`}>
        Save
      </summary>
      <div className="save-choices">
        <Button small kind="quiet" onClick={saveFigures}>
          Figures (CSV)
        </Button>
        {picture.image && (
          <Button small kind="quiet" onClick={() => void saveImage()}>
            Picture
          </Button>
        )}
      </div>
    </details>
  );
}
