import { unwrap } from "../../src/errors.ts";
import { type PostedDocument, prepare } from "../../src/search/prepare.ts";
import type { VaultApi } from "../../src/vault/types.ts";

export { Vault } from "../../src/vault/vault.ts";

/** The product's vault without its gate: `POST /<vault>/index` with documents, `POST /<vault>/search` with {query, limit}. */
export default {
  async fetch(request: Request, env: { VAULT: DurableObjectNamespace }): Promise<Response> {
    const [, name = "", action] = new URL(request.url).pathname.split("/");
    const vault = env.VAULT.get(env.VAULT.idFromName(name)) as unknown as VaultApi;
    if (action === "index") return Response.json(await index(vault, await request.json()));
    const { query, limit } = await request.json<{ query: string; limit: number }>();
    return Response.json(unwrap(await vault.search({ query, limit, kinds: ["document"] })).hits);
  },
};

async function index(vault: VaultApi, documents: (PostedDocument & { id: string })[]): Promise<number> {
  for (const posted of documents) {
    const { id, text } = posted;
    const prepared = await prepare(posted);
    if (prepared.chunks.length === 0) continue;
    unwrap(await vault.putDocument({ ...prepared, id, url: null, sha256: id, bytes: text.length, metadata: {} }));
  }
  return documents.length;
}
