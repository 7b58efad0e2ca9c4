export function ExperimentPage({ id }: { id: string }) { return <div className="page">{id}</div>; }
