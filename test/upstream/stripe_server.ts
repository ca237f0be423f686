import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type IdentityServer, json, listen, readForm } from "./identity_wire.ts";

/**
 * A stand-in for Stripe's API: form-encoded requests, JSON answers, idempotency keys, and the ways in which it fails, chosen
 * by the amount or the payment method.
 *
 * `POST /pay/<session>` pays a checkout session as a person would, and `GET /log` returns the requests that were served.
 */

export interface StripeRequest {
  method: string;
  path: string;
  authorization: string;
  idempotencyKey: string | null;
  contentType: string | null;
  form: Record<string, string>;
  status: number;
}

/** Amounts in cents with which a request does not go as it should. */
export const AMOUNTS = {
  failsOnce: 50_001,
  answerLostOnce: 50_002,
  fails: 50_003,
  tooMany: 50_004,
  lockedOnce: 50_005,
  slow: 50_006,
} as const;

type Json = Record<string, unknown>;
interface Answer {
  status: number;
  body: Json;
}

const fault = (type: string, message: string, more: Json = {}): Json => ({ error: { type, message, ...more } });

class StripeStandIn {
  readonly log: StripeRequest[] = [];
  readonly #objects = new Map<string, Json>();
  readonly #kept = new Map<string, { form: string; answer: Answer }>();
  readonly #seen = new Set<string>();
  #made = 0;

  async handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { method = "GET" } = request;
    const path = url.pathname;
    if (path === "/log") return json(response, 200, this.log);
    const form = await readForm(request);
    if (path.startsWith("/pay/")) return json(response, 200, this.#pay(path.slice(5), form.get("method") ?? "pm_good"));
    const key = request.headers["idempotency-key"];
    const idempotencyKey = typeof key === "string" ? key : null;
    const authorization = request.headers.authorization ?? "";
    const answer = await this.#serve(method, path, form, authorization, idempotencyKey);
    this.log.push({
      method,
      path,
      authorization,
      idempotencyKey,
      contentType: request.headers["content-type"] ?? null,
      form: Object.fromEntries(form),
      status: answer?.status ?? 0,
    });
    if (!answer) response.destroy();
    else json(response, answer.status, answer.body);
  }

  /** Null: the connection breaks before an answer. */
  async #serve(
    method: string,
    path: string,
    form: URLSearchParams,
    authorization: string,
    key: string | null,
  ): Promise<Answer | null> {
    if (!/^Bearer sk_(test|live)_/.test(authorization) || authorization.includes("refused")) {
      return { status: 401, body: fault("invalid_request_error", "Invalid API Key provided: sk_test_***") };
    }
    if (method === "GET") return this.#get(path);
    const kept = key === null ? undefined : this.#kept.get(key);
    if (kept) {
      if (kept.form === form.toString()) return kept.answer;
      return { status: 400, body: fault("idempotency_error", "Keys can only be used with the same parameters.") };
    }
    const amount = Number(form.get("amount") ?? form.get("line_items[0][price_data][unit_amount]"));
    const first = key !== null && !this.#seen.has(key);
    if (key !== null) this.#seen.add(key);
    if (amount === AMOUNTS.fails || (amount === AMOUNTS.failsOnce && first)) {
      return { status: 500, body: fault("api_error", "An unexpected error occurred.") };
    }
    if (amount === AMOUNTS.tooMany) return { status: 429, body: fault("invalid_request_error", "Too many requests.") };
    if (amount === AMOUNTS.lockedOnce && first) {
      return {
        status: 409,
        body: fault("invalid_request_error", "Another request uses this key.", { code: "lock_timeout" }),
      };
    }
    if (amount === AMOUNTS.slow) await sleep(500);
    const answer = this.#post(path, form, amount);
    if (key !== null) this.#kept.set(key, { form: form.toString(), answer });
    return amount === AMOUNTS.answerLostOnce && first ? null : answer;
  }

  #get(path: string): Answer {
    const found = this.#objects.get(path.split("/").at(-1) ?? "");
    if (found) return { status: 200, body: found };
    return {
      status: 404,
      body: fault("invalid_request_error", "No such payment_intent", { code: "resource_missing" }),
    };
  }

  #post(path: string, form: URLSearchParams, amount: number): Answer {
    if (path === "/v1/checkout/sessions") return { status: 200, body: this.#session(form, amount) };
    if (path === "/v1/payment_intents") return this.#charge(form, amount);
    return { status: 404, body: fault("invalid_request_error", `Unrecognized request URL (POST: ${path}).`) };
  }

  #session(form: URLSearchParams, amount: number): Json {
    const id = this.#id("cs_test");
    return this.#keep({
      id,
      object: "checkout.session",
      url: `https://checkout.stripe.test/c/pay/${id}`,
      expires_at: Math.floor(Date.now() / 1_000) + 86_400,
      amount_total: amount,
      currency: form.get("line_items[0][price_data][currency]"),
      mode: form.get("mode"),
      payment_status: "unpaid",
      status: "open",
      customer: form.get("customer") ?? (form.get("customer_creation") ? this.#id("cus") : null),
      payment_intent: null,
      metadata: metadataOf(form, "metadata"),
      intent_metadata: metadataOf(form, "payment_intent_data[metadata]"),
      setup_future_usage: form.get("payment_intent_data[setup_future_usage]"),
    });
  }

  /** What a person does on the page. Returns the session as the event about it carries it. */
  #pay(id: string, method: string): Json {
    const session = this.#objects.get(id) as Json;
    const { intent_metadata: metadata, setup_future_usage, amount_total: amount, ...paid } = session;
    const intent = this.#intent({ amount, metadata, setup_future_usage, payment_method: method, status: "succeeded" });
    return this.#keep({
      ...paid,
      payment_intent: intent.id,
      payment_status: "paid",
      status: "complete",
      amount_total: amount,
    });
  }

  #charge(form: URLSearchParams, amount: number): Answer {
    const method = form.get("payment_method") ?? "";
    const facts = { amount, metadata: metadataOf(form, "metadata"), payment_method: method };
    if (method.startsWith("pm_declined")) {
      const intent = this.#intent({ ...facts, status: "requires_payment_method" });
      const card = { code: "card_declined", decline_code: "insufficient_funds", payment_intent: intent };
      return { status: 402, body: fault("card_error", "Your card has insufficient funds.", card) };
    }
    const status = method.startsWith("pm_processing") ? "processing" : "succeeded";
    return { status: 200, body: this.#intent({ ...facts, status }) };
  }

  #intent(facts: Json): Json {
    const received = facts.status === "succeeded" ? facts.amount : 0;
    const id = this.#id("pi");
    return this.#keep({ id, object: "payment_intent", currency: "usd", amount_received: received, ...facts });
  }

  #keep(object: Json): Json {
    this.#objects.set(object.id as string, object);
    return object;
  }

  #id(kind: string): string {
    return `${kind}_${process.pid}x${++this.#made}`;
  }
}

function metadataOf(form: URLSearchParams, field: string): Record<string, string> {
  const found = [...form].flatMap(([name, value]) =>
    name.startsWith(`${field}[`) ? [[name.slice(field.length + 1, -1), value] as const] : [],
  );
  return Object.fromEntries(found);
}

export async function startStripe(): Promise<IdentityServer> {
  const standIn = new StripeStandIn();
  return listen((request, response, url) => standIn.handle(request, response, url));
}
