/** The examples that the network gets most wrong, as pictures or as rows. */
import { useEffect, useRef } from "react";
import type { Mistake, PartAssessment, Thumbnail } from "../../types/events.gen";
import { exact, metric, plural, share } from "../../ui/format";

/** RGBA bytes of a thumbnail. */
export function pixelsOf(picture: Thumbnail): Uint8ClampedArray<ArrayBuffer> {
  const bytes = Uint8Array.from(atob(picture.pixels), (character) => character.charCodeAt(0));
  const found = new Uint8ClampedArray(picture.width * picture.height * 4);
  for (let place = 0; place < picture.width * picture.height; place++) {
    for (let channel = 0; channel < 3; channel++) found[4 * place + channel] = bytes[place * picture.channels + (picture.channels === 3 ? channel : 0)] ?? 0;
    found[4 * place + 3] = 255;
  }
  return found;
}

function Picture({ picture, words }: { picture: Thumbnail; words: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    canvas.current?.getContext("2d")?.putImageData(new ImageData(pixelsOf(picture), picture.width, picture.height), 0, 0);
  }, [picture]);
  return <canvas ref={canvas} width={picture.width} height={picture.height} role="img" aria-label={words} />;
}

function One({ mistake }: { mistake: Mistake }) {
  const words = `example ${mistake.index}: ${mistake.true}, answered ${mistake.answered}`;
  const row = mistake.row ?? [];
  return (
    <li>
      {mistake.picture && <Picture picture={mistake.picture} words={words} />}
      <div>
        <strong>{mistake.true}</strong> answered <strong>{mistake.answered}</strong>
        <span className="sub">
          {mistake.confidence == null ? `off by ${metric(mistake.error)}` : `${share(mistake.confidence)} sure`} · example {exact(mistake.index)}
        </span>
        {row.length > 0 && (
          <span className="sub mistake-row">
            {row.map((item) => `${item.name} ${metric(item.value)}`).join(", ")}
            {(mistake.more ?? 0) > 0 && ` and ${plural(mistake.more ?? 0, "more input")}`}
          </span>
        )}
      </div>
    </li>
  );
}

export function Mistakes({ part }: { part: PartAssessment }) {
  const mistakes = part.mistakes ?? [];
  if (mistakes.length === 0) return part.wrong === 0 ? <p className="run-hint">All {exact(part.examples)} answers are right.</p> : null;
  const classes = part.wrong !== null && part.wrong !== undefined;
  return (
    <section aria-label="Worst mistakes">
      <strong>Worst mistakes</strong>
      <p className="run-hint">
        {classes ? `${exact(part.wrong)} of ${exact(part.examples)} answers are wrong; these gave the true class the least.` : `Of ${exact(part.examples)} answers those farthest off.`} Who changes a method by what is seen on the test part has no test any more.
      </p>
      <ul className={`mistakes${mistakes[0]?.picture ? "" : " mistakes-rows"}`}>
        {mistakes.map((mistake, place) => (
          <One mistake={mistake} key={place} />
        ))}
      </ul>
    </section>
  );
}
