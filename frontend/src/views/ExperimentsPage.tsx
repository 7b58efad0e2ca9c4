export function ExperimentsPage() { return <div className="page"><h1>ExperimentsPage</h1></div>; }
