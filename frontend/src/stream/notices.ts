/** Names of notices that more than the log reads. */

/** Says the digest of what the search began with. */
export const INITIAL_POPULATION = "initial_population";
