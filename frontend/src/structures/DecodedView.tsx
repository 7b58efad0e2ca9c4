/** What an auto-encoder makes of a few images now, and what its code space holds. */
import { useEffect } from "react";
import { HoverCard } from "../graph/HoverCard";
import { useHover } from "../graph/useHover";
import { useStage } from "../graph/useStage";
import { NothingYet } from "../run/NothingYet";
import type { RunStore } from "../stream/store";
import { useTopic } from "../stream/useRun";
import { measured, whole, type Cell, type Figures } from "../ui/figures";
import { metric, plural } from "../ui/format";
import { codeAt, decodedOf, lostOf } from "./decoded";
import { DecodedPicture } from "./decodedPicture";
import "./structures.css";

/** Every image, one row of pixels in each row of the table, in the data's units. */
export function decodedFigures(store: RunStore): Figures[] {
  const frame = store.pictures.at("decoded", store.shown);
  if (!frame) return [];
  const { examples, decoded, space } = decodedOf(frame);
  const { rows, columns, low, high } = frame;
  const lines = (pixels: Uint8Array, ...before: Cell[]): Cell[][] =>
    Array.from({ length: rows }, (_, row) => [...before, whole(row + 1), ...Array.from(pixels.subarray(row * columns, (row + 1) * columns), (value) => measured(low + (value / 255) * (high - low)))]);
  const head = ["row", ...Array.from({ length: columns }, (_, column) => `column ${column + 1}`)];
  const pairs = examples.map((example, place) => ({ example, back: decoded[place] ?? new Uint8Array(example.length), place }));
  return [
    { title: "What comes back of each example", head: ["example", "root mean squared difference"], rows: pairs.map(({ example, back, place }) => [whole(place + 1), measured(lostOf(frame, example, back))]) },
    { title: "Examples", head: ["example", "image", ...head], rows: pairs.flatMap(({ example, back, place }) => [...lines(example, whole(place + 1), "example"), ...lines(back, whole(place + 1), "decoded")]) },
    {
      title: "Code space", head: [frame.across || "code", ...(frame.down ? [frame.down] : []), ...head],
      rows: space.flatMap((image, place) => {
        const { across, down } = codeAt(frame, place);
        return lines(image, measured(across), ...(down === null ? [] : [measured(down)]));
      }),
    },
  ];
}

export function DecodedView({ store }: { store: RunStore }) {
  useTopic(store, "structure");
  const frame = store.pictures.at("decoded", store.shown);
  const [canvas, picture] = useStage(DecodedPicture);
  const hover = useHover(picture);
  useEffect(() => {
    if (frame) picture?.setFrame(frame);
  }, [picture, frame]);
  const images = frame && decodedOf(frame);
  const lost = frame && images ? images.examples.map((example, place) => lostOf(frame, example, images.decoded[place] ?? new Uint8Array())) : [];
  const mean = lost.reduce((sum, value) => sum + value, 0) / Math.max(lost.length, 1);
  const plane = frame && frame.across ? `; the code space over ${[frame.across, frame.down].filter(Boolean).join(" and ")}` : "";
  const words = images ? `${plural(images.examples.length, "validation image")} and what comes back of each, by root mean squared difference ${lost.map((value) => metric(value)).join(", ")}${plane}` : "nothing yet";
  const code = frame && hover?.pick.row === "space" ? codeAt(frame, hover.pick.place) : null;
  return (
    <>
      <div className="panel-fill">
        <canvas ref={canvas} role="img" aria-label={`Decoded images: ${words}`} />
        {!frame && <NothingYet />}
        {hover && frame && (
          <HoverCard at={hover.at} canvas={canvas}>
            <strong>{code ? `${frame.across} = ${metric(code.across)}${code.down === null ? "" : `, ${frame.down} = ${metric(code.down)}`}` : `${hover.pick.row === "examples" ? "example" : "decoded"} ${hover.pick.place + 1}`}</strong>
            <span>{code ? "all other latents 0" : `root mean squared difference ${metric(lost[hover.pick.place])}`}</span>
          </HoverCard>
        )}
      </div>
      {frame && (
        <div className="structure-foot">
          <span>
            step <b>{frame.step}</b>
          </span>
          <span>
            root mean squared difference <b>{metric(mean)}</b>, of values from {metric(frame.low)} (black) to {metric(frame.high)} (white)
          </span>
        </div>
      )}
    </>
  );
}
