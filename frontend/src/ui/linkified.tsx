import { Fragment, type ReactNode } from "react";

/** A text whose https addresses and arXiv numbers are links. Everything else stays text. */
export function linkified(text: string): ReactNode {
  return text.split(/(https?:\/\/[^\s,;)]+|arXiv:\d{4}\.\d{4,5})/).map((part, index) => {
    const address = part.startsWith("arXiv:") ? `https://arxiv.org/abs/${part.slice(6)}` : /^https?:/.test(part) ? part : null;
    return address ? (
      <a key={index} href={address} target="_blank" rel="noreferrer">
        {part}
      </a>
    ) : (
      <Fragment key={index}>{part}</Fragment>
    );
  });
}
