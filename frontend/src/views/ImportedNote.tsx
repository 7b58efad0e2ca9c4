/** Where an experiment came from that was not made here, and what that does not say. */
import type { Imported } from "../api/types";
import { moment } from "../ui/format";

/** "computed by NAScope 0.1.0 (AVX512, torch 2.13.0)". */
export function computedText({ version, machine }: Pick<Imported, "version" | "machine">): string {
  const who = version ? `NAScope ${version}` : "a version of NAScope that was not recorded";
  return `computed by ${who}${machine ? ` (${machine})` : ""}`;
}

/** `elsewhere`: the folder in which another process still searches it. */
export function ImportedNote({ from, elsewhere }: { from: Imported; elsewhere?: string | undefined }) {
  if (elsewhere)
    return (
      <p className="imported-note" role="note">
        <strong>Shown, not made here:</strong> another process of this machine searches it in <code>{elsewhere}</code>. When it has ended, it is all here, downloads included.
      </p>
    );
  return (
    <p className="imported-note" role="note">
      <strong>Opened, not made here:</strong> {from.origin === "archive" ? "the exported file" : `the ${from.origin}`} <code>{from.file}</code> on {moment(from.at)},{" "}
      {computedText(from)}
      {from.made && `, exported ${moment(from.made)}`}.{" "}
      {from.digest ? (
        <>
          Its digest <code title={from.digest}>{from.digest.slice(0, 12)}</code> was right: it is undamaged. That is no signature, and does not say who made it.
        </>
      ) : (
        <>It has no digest: nobody can tell whether it was changed.</>
      )}{" "}
      Its runs cannot go on, since what they would go on from did not come with them.
    </p>
  );
}
