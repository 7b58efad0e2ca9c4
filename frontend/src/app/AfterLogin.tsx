/** The login page of somebody who is logged in: goes on to where they wanted to go (`?next=`), or home. */
import { useEffect, useState } from "react";
import { Skeleton } from "../ui/States";
import { navigate, useLocation } from "./router";
import { paths, routeOf } from "./routes";

/** Where `?next=` leads, if that is an address of this server: another's would make our login page the bait of somebody else's. */
export function targetOf(next: string | null, origin: string = window.location.origin): string {
  if (next === null || !next.startsWith("/")) return paths.home;
  let url: URL;
  try {
    url = new URL(next, origin);
  } catch {
    return paths.home;
  }
  const target = url.pathname + url.search + url.hash;
  return url.origin === origin && url.pathname !== paths.login ? target : paths.home;
}

export function AfterLogin() {
  const { query } = useLocation();
  // Read once: where it leads, there is no ?next= any more.
  const [target] = useState(() => targetOf(query.get("next")));
  useEffect(() => {
    const path = target.split(/[?#]/)[0]!;
    // What is no page of ours (the administration) is the server's.
    if (routeOf(path).page === "not-found") window.location.replace(target);
    else navigate(target, { replace: true });
  }, [target]);
  return <Skeleton label="Logging in" lines={1} />;
}
