import { unwrap } from "../../src/errors.ts";
import { type PostedDocument, prepare } from "../../src/search/prepare.ts";
import { bestOfEach } from "../../src/search/ranking.ts";
import type { VaultApi } from "../../src/vault/types.ts";

export { Vault } from "../../src/vault/vault.ts";

/** Hits asked for: enough that ten different documents are among them. */
const depth = 50;

/** The product's vault without its gate: `POST /<vault>/index` with documents, `POST /<vault>/search` with a query. */
export default {
  async fetch(request: Request, env: { VAULT: DurableObjectNamespace }): Promise<Response> {
    const [, name = "", action] = new URL(request.url).pathname.split("/");
    const vault = env.VAULT.get(env.VAULT.idFromName(name)) as unknown as VaultApi;
    if (action === "index") return Response.json(await index(vault, await request.json()));
    return Response.json(await search(vault, await request.text()));
  },
};

async function index(vault: VaultApi, documents: (PostedDocument & { id: string })[]): Promise<number> {
  let chunks = 0;
  for (const posted of documents) {
    const prepared = await prepare(posted);
    if (prepared.chunks.length === 0) continue;
    const document = {
      ...prepared,
      id: posted.id,
      url: null,
      sha256: posted.id,
      bytes: posted.text.length,
      metadata: {},
    };
    chunks += unwrap(await vault.putDocument(document)).chunks;
  }
  return chunks;
}

/** Ids of the documents found, each scored by its best passage. */
async function search(vault: VaultApi, query: string): Promise<string[]> {
  const { hits } = unwrap(await vault.search({ query, limit: depth, kinds: ["document"] }));
  return bestOfEach(hits, ({ document_id }) => document_id ?? "").map(({ document_id }) => document_id ?? "");
}
