/** A thin bar that says how far something is. `done`: 0 to 1. */
export function Meter({ done, label }: { done: number; label: string }) {
  const percent = Math.round(100 * Math.min(1, Math.max(0, done)));
  return (
    <span className="meter" role="progressbar" aria-label={label} aria-valuenow={percent} aria-valuemin={0} aria-valuemax={100}>
      <i style={{ width: `${percent}%` }} />
    </span>
  );
}
