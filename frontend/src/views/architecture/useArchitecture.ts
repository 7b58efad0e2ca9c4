/** What the server says of a text, once it has rested. */
import { useEffect, useState } from "react";
import { ApiError } from "../../api/problem";
import { readArchitecture } from "../../api/resources";
import type { Architecture, ArchitectureBody } from "../../api/types";
import { useResource } from "../../api/useResource";
import { byPath } from "../new/useChecks";

const REST_MS = 300;

export interface Reading {
  found: Architecture | undefined;
  /** What is wrong, by field: text, space, space_options.… */
  problems: ReadonlyMap<string, string>;
  /** Why there is no answer, where nothing is wrong with the text. */
  error: unknown;
  loading: boolean;
  retry: () => void;
}

const NOTHING_WRONG: ReadonlyMap<string, string> = new Map();

/** `body` without a text asks nothing. */
export function useArchitecture(body: ArchitectureBody): Reading {
  const key = body.text.trim() === "" ? null : JSON.stringify(body);
  const [rested, setRested] = useState(key);
  useEffect(() => {
    const timer = setTimeout(() => setRested(key), REST_MS);
    return () => clearTimeout(timer);
  }, [key]);
  const asked = key === null ? null : rested;
  const answer = useResource(asked, (signal) => readArchitecture(JSON.parse(asked ?? "{}") as ArchitectureBody, signal));
  const fresh = asked === key;
  const refused = answer.error instanceof ApiError && answer.error.problems.length > 0 ? byPath(answer.error.problems) : null;
  return {
    found: fresh && answer.error === undefined ? answer.data : undefined,
    problems: fresh && refused !== null ? refused : NOTHING_WRONG,
    error: fresh && refused === null ? answer.error : undefined,
    loading: key !== null && (!fresh || answer.loading),
    retry: answer.reload,
  };
}
