/** Covers a picture at a moment before its first frame. */
export function NothingYet() {
  return <p className="nothing-yet">Nothing was recorded before this moment.</p>;
}
