import { Buffer } from "node:buffer";

const KEY = "seal-key";
const NONCE_BYTES = 12;

/**
 * Seals what a client is given to bring back, AES-256-GCM with a key of the account's own that never leaves its object. The
 * key is made when it is first needed.
 */
export class Seal {
  readonly #storage: DurableObjectStorage;
  #key: Promise<CryptoKey> | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** The text, readable again only together with the same `bound`. base64url. */
  async seal(text: string, bound: string): Promise<string> {
    const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const sealed = await crypto.subtle.encrypt(algorithm(iv, bound), await this.#secret(), encode(text));
    return Buffer.concat([iv, new Uint8Array(sealed)]).toString("base64url");
  }

  /** Null for what was not sealed here, was altered, or was bound to something else. */
  async open(sealed: string, bound: string): Promise<string | null> {
    const bytes = new Uint8Array(Buffer.from(sealed, "base64url"));
    const [iv, body] = [bytes.slice(0, NONCE_BYTES), bytes.slice(NONCE_BYTES)];
    try {
      const opened = await crypto.subtle.decrypt(algorithm(iv, bound), await this.#secret(), body);
      return new TextDecoder().decode(opened);
    } catch {
      return null;
    }
  }

  #secret(): Promise<CryptoKey> {
    this.#key ??= this.#load();
    return this.#key;
  }

  async #load(): Promise<CryptoKey> {
    let raw = await this.#storage.get<Uint8Array<ArrayBuffer>>(KEY);
    if (!raw) {
      raw = crypto.getRandomValues(new Uint8Array(32));
      await this.#storage.put(KEY, raw);
    }
    return crypto.subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
  }
}

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;
const algorithm = (iv: Uint8Array<ArrayBuffer>, bound: string) => ({
  name: "AES-GCM",
  iv,
  additionalData: encode(bound),
});
