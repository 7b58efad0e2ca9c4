/** One question to a model at a time: sent, waited for, answered, or taken back. */
import { useCallback, useEffect, useRef, useState } from "react";
import { ApiError, messageOf } from "../../api/problem";
import { askModel, deletePrediction, getPrediction } from "../../api/resources";
import type { Prediction } from "../../api/types";

export type Question =
  | { state: "none" }
  | { state: "sending" }
  | { state: "waiting"; prediction: Prediction }
  | { state: "answered"; prediction: Prediction; sample: boolean }
  | { state: "failed"; reason: string };

/** Milliseconds between two looks at it. */
const EVERY = 300;
const GONE = "It was taken back: another question took its place, or no worker came in ten minutes. Ask again.";

export interface Asking {
  question: Question;
  /** `file` null asks about the sample. */
  ask: (file: Blob | null, name: string, invert?: boolean) => void;
  cancel: () => void;
}

export function useQuestion(model: string): Asking {
  const [question, setQuestion] = useState<Question>({ state: "none" });
  // Of two questions the later one counts, whatever comes when.
  const turn = useRef(0);
  const open = useRef<string | null>(null);
  useEffect(
    () => () => {
      turn.current++;
    },
    [],
  );

  const ask = useCallback(
    (file: Blob | null, name: string, invert = false) => {
      const mine = ++turn.current;
      const current = () => turn.current === mine;
      const look = async (id: string): Promise<void> => {
        for (;;) {
          await new Promise((resolve) => setTimeout(resolve, EVERY));
          if (!current()) return;
          const prediction = await getPrediction(id);
          if (!current()) return;
          if (prediction.state === "done") return setQuestion({ state: "answered", prediction, sample: file === null });
          if (prediction.state === "failed") return setQuestion({ state: "failed", reason: prediction.reason });
          setQuestion({ state: "waiting", prediction });
        }
      };
      setQuestion({ state: "sending" });
      askModel(model, file, name, invert)
        .then((prediction) => {
          open.current = prediction.id;
          if (!current()) return;
          setQuestion({ state: "waiting", prediction });
          return look(prediction.id);
        })
        .catch((error: unknown) => {
          if (current()) setQuestion({ state: "failed", reason: error instanceof ApiError && error.status === 404 ? GONE : messageOf(error) });
        });
    },
    [model],
  );

  const cancel = useCallback(() => {
    turn.current++;
    setQuestion({ state: "none" });
    // One that has ended meanwhile is gone already.
    if (open.current) void deletePrediction(open.current).catch(() => undefined);
    open.current = null;
  }, []);
  return { question, ask, cancel };
}
