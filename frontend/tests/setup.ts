/** How long `findBy…` and `waitFor` wait before they fail: a guard, not an assertion. Their own limit is one second. */
import { configure } from "@testing-library/dom";

configure({ asyncUtilTimeout: 60_000 });
