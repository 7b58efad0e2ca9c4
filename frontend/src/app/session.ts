import { createContext, useContext } from "react";
import type { Me } from "../api/types";

export interface Session {
  me: Me;
  /** Ends the session on the server and shows the login page. */
  logout: () => Promise<void>;
}

export const SessionContext = createContext<Session | null>(null);

/** The person who is logged in. Only inside the shell. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("useSession outside the shell");
  return session;
}
