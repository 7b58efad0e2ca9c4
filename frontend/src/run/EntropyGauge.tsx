/** How decided a row of weights is: what its entropy lacks of the uniform one's. Empty = all alike, full = one alone. */
export function EntropyGauge({ share }: { share: number }) {
  const decided = 1 - share;
  const percent = Math.round(100 * decided);
  return (
    <div className="entropy-gauge">
      <span className="entropy-rail" role="meter" aria-label="How decided" aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent} aria-valuetext={`${percent} % decided: entropy ${100 - percent} % of uniform`}>
        <i style={{ width: `${100 * decided}%` }} />
      </span>
      <em>{percent} %</em>
      <span className="entropy-ends">
        <span>undecided</span>
        <span>entropy {100 - percent} % of uniform</span>
        <span>decided</span>
      </span>
    </div>
  );
}
