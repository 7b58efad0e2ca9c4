/** What a person asked for with a button: one thing at a time, its failure told in a toast. */
import { useState } from "react";
import { toastError } from "./toast";

/** `busy` names what is at work, "" is nothing. `act` answers whether it was done. */
export function useAction(): { busy: string; act: (action: () => Promise<unknown>, name?: string) => Promise<boolean> } {
  const [busy, setBusy] = useState("");
  const act = async (action: () => Promise<unknown>, name = "it") => {
    setBusy(name);
    try {
      await action();
      return true;
    } catch (error) {
      toastError(error);
      return false;
    } finally {
      setBusy("");
    }
  };
  return { busy, act };
}
