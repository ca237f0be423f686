import type { Delivery, Notice, NoticeInfo, NoticeType, WebhookInfo } from "./budget_types.ts";

/** A notice as it is given: `once` names what it is about, and is given at most once. */
export interface NewNotice {
  once: string;
  at: number;
  type: NoticeType;
  message: string;
  data: Notice["data"];
  /** ms; when what it is about is over, null = never. Notices are kept for a while after. */
  endsAt: number | null;
}

/** A delivery that is due, with all it takes to make it. */
export interface Due {
  seq: number;
  webhook: string;
  url: string;
  secret: string;
  attempts: number;
  at: number;
  type: NoticeType;
  message: string;
  data: Notice["data"];
}

/** Notices are kept this long after what they are about has ended. */
const KEEP_MS = 400 * 24 * 60 * 60 * 1_000;

/** Notices, the webhooks that are told of them, and how far telling them has come. */
export class NoticeStore {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
  }

  transaction(work: () => void): void {
    this.#storage.transactionSync(work);
  }

  /** Puts a notice down and what is to be delivered of it; false when it was given before. Call it in a transaction. */
  give({ once, at, type, message, data, endsAt }: NewNotice): boolean {
    const given = this.#sql
      .exec<{ seq: number }>(
        `INSERT INTO notices (once, at, type, message, data, ends_at) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT DO NOTHING RETURNING seq`,
        once,
        at,
        type,
        message,
        JSON.stringify(data),
        endsAt,
      )
      .toArray()[0];
    if (!given) return false;
    this.#sql.exec(
      `INSERT INTO deliveries (seq, webhook, state, attempts, next_at, last_status)
       SELECT ?1, id, 'pending', 0, ?2, NULL FROM webhooks WHERE ?3 IS NOT id`,
      given.seq,
      at,
      data.webhook_id ?? null,
    );
    this.#sql.exec("DELETE FROM deliveries WHERE seq IN (SELECT seq FROM notices WHERE ends_at < ?)", at - KEEP_MS);
    this.#sql.exec("DELETE FROM notices WHERE ends_at < ?", at - KEEP_MS);
    return true;
  }

  /** Newest first. */
  newest(limit: number): NoticeInfo[] {
    return this.#sql
      .exec<{ seq: number; at: number; type: NoticeType; message: string; data: string; deliveries: string }>(
        `SELECT seq, at, type, message, data,
                (SELECT json_group_array(json_object('webhook_id', webhook, 'state', state, 'attempts', attempts, 'last_status', last_status))
                 FROM deliveries d WHERE d.seq = n.seq) AS deliveries
         FROM notices n ORDER BY seq DESC LIMIT ?`,
        limit,
      )
      .toArray()
      .map(({ seq, at, type, message, data, deliveries }) => ({
        id: noticeId(seq),
        at: new Date(at).toISOString(),
        type,
        message,
        data: JSON.parse(data),
        deliveries: JSON.parse(deliveries) as Delivery[],
      }));
  }

  /** What the balance was when credit was last added, and how often it was; undefined in a ledger that has not noted it. */
  creditMark(): { mark: number; baseNano: number } | undefined {
    return this.#sql
      .exec<{ mark: number; baseNano: number }>("SELECT mark, base_nano AS baseNano FROM credit_mark WHERE id = 1")
      .toArray()[0];
  }

  putCreditMark(mark: number, baseNano: number): void {
    this.#sql.exec("INSERT OR REPLACE INTO credit_mark VALUES (1, ?, ?)", mark, baseNano);
  }

  webhooks(): WebhookInfo[] {
    return this.#sql
      .exec<{ id: string; url: string; created_at: number; pending: number; given_up: number }>(
        `SELECT id, url, created_at, (SELECT count(*) FROM deliveries WHERE webhook = id AND state = 'pending') AS pending,
                (SELECT count(*) FROM deliveries WHERE webhook = id AND state = 'given_up') AS given_up
         FROM webhooks ORDER BY created_at, id`,
      )
      .toArray()
      .map((row) => ({ ...row, created_at: new Date(row.created_at).toISOString() }));
  }

  addWebhook(id: string, url: string, secret: string, now: number): void {
    this.#sql.exec("INSERT INTO webhooks VALUES (?, ?, ?, ?)", id, url, secret, now);
  }

  /** Removes a webhook with what it was still to be told; false when there is none. */
  removeWebhook(id: string): boolean {
    this.#sql.exec("DELETE FROM deliveries WHERE webhook = ?", id);
    return this.#sql.exec("DELETE FROM webhooks WHERE id = ? RETURNING id", id).toArray().length > 0;
  }

  /** When the next delivery is due, in ms; never if none is. */
  dueAt(): number {
    const { at } = this.#sql.exec<{ at: number | null }>("SELECT min(next_at) AS at FROM deliveries").one();
    return at ?? Number.POSITIVE_INFINITY;
  }

  due(now: number, limit: number): Due[] {
    return this.#sql
      .exec<Record<string, SqlStorageValue>>(
        `SELECT d.seq, d.webhook, w.url, w.secret, d.attempts, n.at, n.type, n.message, n.data
         FROM deliveries d JOIN webhooks w ON w.id = d.webhook JOIN notices n ON n.seq = d.seq
         WHERE d.next_at <= ? ORDER BY d.next_at, d.seq LIMIT ?`,
        now,
        limit,
      )
      .toArray()
      .map((row) => ({ ...row, data: JSON.parse(row.data as string) }) as unknown as Due);
  }

  /** Notes an attempt before it is made, and when the next one is to be made if nothing more is heard. */
  attempt({ seq, webhook }: Due, nextAt: number): void {
    this.#sql.exec(
      "UPDATE deliveries SET attempts = attempts + 1, next_at = ? WHERE seq = ? AND webhook = ?",
      nextAt,
      seq,
      webhook,
    );
  }

  /** Notes what came of an attempt. What has been delivered or given up is not due any more. */
  answered({ seq, webhook }: Due, state: Delivery["state"], status: number | null): void {
    this.#sql.exec(
      `UPDATE deliveries SET state = ?1, last_status = ?2, next_at = CASE WHEN ?1 = 'pending' THEN next_at END
       WHERE seq = ?3 AND webhook = ?4`,
      state,
      status,
      seq,
      webhook,
    );
  }
}

export const noticeId = (seq: number): string => `ntc_${seq}`;
