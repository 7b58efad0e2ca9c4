/** A text whose symbols have their indices raised and lowered: λ^Q_prior. */
import { Fragment } from "react";
import { piecesOf } from "./symbols";

export function Marked({ text }: { text: string }) {
  const pieces = piecesOf(text);
  if (pieces.length < 2) return text;
  return (
    <span className="marked">
      {pieces.map(({ text: piece, place }, index) => (place === "up" ? <sup key={index}>{piece}</sup> : place === "down" ? <sub key={index}>{piece}</sub> : <Fragment key={index}>{piece}</Fragment>))}
    </span>
  );
}
