export function WorkersPage() { return <div className="page"><h1>WorkersPage</h1></div>; }
