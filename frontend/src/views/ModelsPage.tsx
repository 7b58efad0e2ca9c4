export function ModelsPage() { return <div className="page"><h1>ModelsPage</h1></div>; }
