import { Fragment, type ReactNode } from "react";

/** A text whose web addresses and arXiv numbers are links. Everything else stays text. */
export function linkified(text: string): ReactNode {
  return text.split(/(https?:\/\/[^\s,;)]+|arXiv[: ]\d{4}\.\d{4,5})/).map((part, index) => {
    const address = /^arXiv[: ]\d/.test(part) ? `https://arxiv.org/abs/${part.slice(6)}` : /^https?:/.test(part) ? part : null;
    return address ? (
      <a key={index} href={address} target="_blank" rel="noreferrer">
        {part}
      </a>
    ) : (
      <Fragment key={index}>{part}</Fragment>
    );
  });
}

/** A text from a Python docstring: what stands in backticks is code. */
export function withCode(text: string): ReactNode {
  return text.split(/`([^`]+)`/).map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : <Fragment key={index}>{part}</Fragment>));
}
