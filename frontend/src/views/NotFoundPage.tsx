import { paths } from "../app/routes";
import { useTitle } from "../app/useTitle";
import { ButtonLink } from "../ui/Button";
import { Empty } from "../ui/States";

export function NotFoundPage({ path }: { path: string }) {
  useTitle("Not found");
  return (
    <div className="page">
      <Empty
        heading="h1"
        title="There is no such page"
        actions={
          <>
            <ButtonLink kind="primary" to={paths.home}>
              First page
            </ButtonLink>
            <ButtonLink to={paths.experiments}>Experiments</ButtonLink>
          </>
        }
      >
        Nothing lives at <code>{path}</code>. It may have been deleted, or the link was cut short.
      </Empty>
    </div>
  );
}
