export { Ledger } from "./ledger/ledger.ts";
export { Vault } from "./vault/vault.ts";

export default {
  async fetch(): Promise<Response> {
    return new Response("waypost");
  },
};
