import type { Me } from "../api/types"; export function LoginPage(_props: { onLogin: (me: Me) => void }) { return <div className="page" />; }
