export function NotFoundPage({ path }: { path: string }) { return <div className="page">{path}</div>; }
