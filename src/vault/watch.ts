import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import type { Cursor } from "./types.ts";
import type { News } from "./watchers.ts";

/** Waits before each try to come back, in ms: the object may have moved. */
const BACK_MS = [100, 500, 2_000, 10_000];

/** One who watches a vault from elsewhere. */
export interface Watch {
  /** Ends it; nothing is heard any more. */
  close(): void;
}

/**
 * Hears what changes in an account's vault, from now on and without gaps: a lost connection goes on where it was.
 * `lost`: it could not be had back.
 * @throws WaypostError `rate_limited` when too many watch it, `unavailable`
 */
export async function watch(env: Env, account: string, heard: (news: News) => void, lost: () => void): Promise<Watch> {
  let closed = false;
  let after: Cursor | undefined;
  let socket = await open();

  async function open(): Promise<WebSocket> {
    const headers = { Upgrade: "websocket", ...(after ? { "X-After": JSON.stringify(after) } : {}) };
    const vault = env.VAULT.get(env.VAULT.idFromName(account));
    const response = await vault.fetch("https://vault/watch", { headers }).catch(() => null);
    if (response?.status === 429) {
      throw new WaypostError("rate_limited", "Too many streams listen to this account.", { retry_after: 60 });
    }
    const opened = response?.webSocket;
    if (!opened) throw new WaypostError("unavailable", "The vault did not answer.");
    opened.addEventListener("message", ({ data }) => {
      const news = JSON.parse(String(data)) as News;
      after = news.cursor;
      if (!closed) heard(news);
    });
    opened.addEventListener("close", () => void back());
    opened.accept();
    return opened;
  }

  async function back(): Promise<void> {
    for (const ms of BACK_MS) {
      if (closed) return;
      await new Promise((resolve) => setTimeout(resolve, ms));
      if (closed) return;
      try {
        socket = await open();
        if (closed) socket.close(1000);
        return;
      } catch (error) {
        if (!(error instanceof WaypostError)) throw error;
      }
    }
    if (!closed) lost();
  }

  return {
    close() {
      if (closed) return;
      closed = true;
      try {
        socket.close(1000);
      } catch {
        // It was closed already.
      }
    },
  };
}
