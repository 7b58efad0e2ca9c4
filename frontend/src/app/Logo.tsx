/** Two nodes, several weighted strands: what the product draws. */
export function Logo({ size = 20 }: { size?: number }) {
  return (
    <svg className="logo-mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#4456e6" />
      <g fill="none" strokeLinecap="round">
        <path d="M8 9C16 9 16 23 24 23" stroke="#e69f00" strokeWidth="2" />
        <path d="M8 23C16 23 16 9 24 9" stroke="#56b4e9" strokeWidth="4" />
        <path d="M8 9h16M8 23h16" stroke="#fff" strokeOpacity=".55" strokeWidth="1.5" />
      </g>
      <g fill="#fff">
        <circle cx="8" cy="9" r="3" />
        <circle cx="8" cy="23" r="3" />
        <circle cx="24" cy="9" r="3" />
        <circle cx="24" cy="23" r="3" />
      </g>
    </svg>
  );
}
