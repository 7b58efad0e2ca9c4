/** A drawing of what a search believes: strands between nodes, the likely ones strong. Decoration, the same every time. */
const NODES: [number, number][] = [
  [18, 34],
  [18, 92],
  [92, 22],
  [104, 96],
  [178, 56],
  [250, 62],
];

const STRANDS: [from: number, to: number, bend: number, colour: string, width: number, strength: number][] = [
  [0, 2, -10, "sep-conv-3x3", 4.2, 0.95],
  [0, 2, 4, "avg-pool-3x3", 1.2, 0.4],
  [0, 2, 12, "none", 1, 0.35],
  [1, 2, -6, "skip-connect", 1.2, 0.4],
  [1, 2, 6, "dil-conv-3x3", 1.8, 0.5],
  [0, 3, 8, "max-pool-3x3", 1.2, 0.4],
  [0, 3, -6, "sep-conv-5x5", 2.6, 0.75],
  [1, 3, 8, "dil-conv-3x3", 4.6, 0.95],
  [1, 3, -6, "sep-conv-3x3", 1.4, 0.4],
  [2, 4, -8, "sep-conv-5x5", 4, 0.9],
  [2, 4, 4, "skip-connect", 1.2, 0.4],
  [3, 4, 8, "max-pool-3x3", 3.6, 0.9],
  [3, 4, -5, "none", 1, 0.4],
  [1, 4, 2, "dil-conv-5x5", 1.3, 0.45],
  [4, 5, 0, "none", 2, 0.5],
  [2, 5, -14, "none", 1.4, 0.35],
  [3, 5, 14, "none", 1.4, 0.35],
];

export function FamilySketch() {
  return (
    <svg className="sketch" viewBox="0 0 268 118" aria-hidden="true">
      <g fill="none" strokeLinecap="round">
        {STRANDS.map(([from, to, bend, colour, width, strength], index) => {
          const [x1, y1] = NODES[from]!;
          const [x2, y2] = NODES[to]!;
          const middle = (x1 + x2) / 2;
          return (
            <path
              key={index}
              d={`M${x1} ${y1}C${middle} ${y1 + bend} ${middle} ${y2 + bend} ${x2} ${y2}`}
              stroke={`var(--op-${colour})`}
              strokeWidth={width}
              strokeOpacity={strength}
            />
          );
        })}
      </g>
      {NODES.map(([x, y], index) => (
        <rect key={index} x={x - 11} y={y - 9} width="22" height="18" rx="5.5" fill="var(--node)" stroke="var(--faint)" />
      ))}
    </svg>
  );
}
