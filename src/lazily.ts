/**
 * A part of the program that is loaded when it is first needed, so that a start does not wait for it. Kept from then on:
 * the module's own promise belongs to the request that asked first, and workerd lets no other request wait for it.
 */
export function lazily<Module>(load: () => Promise<Module>): () => Promise<Module> {
  let loaded: Module | undefined;
  return async () => {
    loaded ??= await load();
    return loaded;
  };
}
