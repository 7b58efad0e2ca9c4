/** The four sets in which structure parameters may lie: cube or simplex, its corners alone or its inside too. */

const CUBE: readonly (readonly [number, number])[] = [[22, 74], [74, 74], [22, 26], [74, 26], [44, 56], [96, 56], [44, 8], [96, 8]];
const CUBE_EDGES = [[0, 1], [0, 2], [1, 3], [2, 3], [4, 5], [4, 6], [5, 7], [6, 7], [0, 4], [1, 5], [2, 6], [3, 7]] as const;
const TRIANGLE: readonly (readonly [number, number])[] = [[59, 10], [20, 78], [98, 78]];

const SETS = [
  { cube: true, inside: false, title: "Corners of the cube", text: "every operation is there or not: Bernoulli" },
  { cube: true, inside: true, title: "The whole cube", text: "every operation has a strength of its own: relaxed Bernoulli" },
  { cube: false, inside: false, title: "Corners of the simplex", text: "exactly one operation: a categorical choice, hard Gumbel-Softmax" },
  { cube: false, inside: true, title: "The whole simplex", text: "a mixture that sums to one: softmax, Gumbel-Softmax, Dirichlet, logit-normal" },
] as const;

function Sketch({ cube, inside }: { cube: boolean; inside: boolean }) {
  const points = cube ? CUBE : TRIANGLE;
  const fill = { fill: "var(--accent)", fillOpacity: 0.16 };
  const line = { stroke: inside ? "var(--accent)" : "var(--line)", strokeWidth: 1.4, fill: "none" };
  return (
    <svg viewBox="0 0 118 88" aria-hidden="true">
      {inside && cube && <polygon points="22,74 74,74 96,56 96,8 44,8 22,26" style={fill} />}
      {inside && !cube && <polygon points={TRIANGLE.map((point) => point.join(",")).join(" ")} style={fill} />}
      {cube ? (
        CUBE_EDGES.map(([from, to]) => <line key={`${from} ${to}`} x1={CUBE[from]?.[0]} y1={CUBE[from]?.[1]} x2={CUBE[to]?.[0]} y2={CUBE[to]?.[1]} style={line} />)
      ) : (
        <polygon points={TRIANGLE.map((point) => point.join(",")).join(" ")} style={line} />
      )}
      {points.map(([x, y]) => (
        <circle key={`${x} ${y}`} cx={x} cy={y} r={inside ? 2.6 : 4.2} style={{ fill: "var(--accent)" }} />
      ))}
    </svg>
  );
}

export function ConstraintSets() {
  return (
    <ul className="constraint-sets">
      {SETS.map((set) => (
        <li key={set.title}>
          <Sketch cube={set.cube} inside={set.inside} />
          <strong>{set.title}</strong>
          <span>{set.text}</span>
        </li>
      ))}
    </ul>
  );
}
