/** How undecided a row of weights is: its entropy as a share of the uniform one's. */
export function EntropyGauge({ share }: { share: number }) {
  const percent = Math.round(100 * share);
  return (
    <div className="entropy-gauge">
      <span className="entropy-rail" role="meter" aria-label="Entropy, as a share of the uniform distribution's" aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent} aria-valuetext={`${percent} % of uniform`}>
        <i style={{ width: `${100 * share}%` }} />
      </span>
      <em>{percent} %</em>
      <span className="entropy-ends">
        <span>decided</span>
        <span>entropy</span>
        <span>undecided</span>
      </span>
    </div>
  );
}
