/** The owner's key of the installation that a test file has to itself. `setup.ts` forgets it with everything else. */
export const ownerKey: { value?: string | undefined } = {};
