/** An architecture as its space writes it, to be copied; and the way on from it, where its genome is at hand. */
import { Link } from "../app/router";
import { paths } from "../app/routes";
import { CopyButton } from "../ui/Copy";

export function ArchitectureLine({ text, genome }: { text: string; genome: string | undefined }) {
  return (
    <span className="architecture-line">
      <code className="genome-line" title={text}>
        {text}
      </code>
      <CopyButton text={text} />
      {genome !== undefined && (
        <Link className="button button-small" title="Train it on data that you choose, or start a search from it" to={paths.architecture({ genome })}>
          Go on from it
        </Link>
      )}
    </span>
  );
}
