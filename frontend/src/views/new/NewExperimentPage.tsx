export function NewExperimentPage() { return <div className="page" />; }
