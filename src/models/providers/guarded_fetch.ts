import type { Patience } from "../patience.ts";
import type { Provider } from "../providers.ts";
import type { ModelInfo } from "../types.ts";
import { Upstream } from "../upstream.ts";

const never = new AbortController().signal;

/**
 * A provider's `fetch` for a library: watched for silence and size, sent with the provider's own headers. Whatever goes wrong
 * is thrown as the catalogue's `provider_*`, also by the body while it is read, so the library never sees an error's text.
 */
export function guardedFetch(info: ModelInfo, provider: Provider, patience: Patience): typeof fetch {
  return async (input: RequestInfo | URL, init?: RequestInit) => {
    const url = input instanceof Request ? input.url : String(input);
    const body = String(init?.body ?? "");
    const streamed = /"stream":true/.test(body);
    const longest = streamed ? patience.silentMs : patience.wholeMs;
    const upstream = new Upstream(info, init?.signal ?? never, longest, "converted");
    try {
      const response = await upstream.post(url, headersFor(provider, init?.headers), body, provider.fetch);
      const type = response.headers.get("content-type") ?? "";
      const right = streamed ? /^text\/event-stream\b/i : /^application\/(?:[\w.-]+\+)?json\b/i;
      if (!right.test(type)) throw upstream.failed("answered with something that is no completion");
      return new Response(upstream.body(response), { headers: { "content-type": type } });
    } catch (error) {
      upstream.close();
      throw upstream.explain(error);
    }
  };
}

/** Keys are the provider's affair: a library puts in one of its own when it is given none. */
function headersFor(provider: Provider, given: HeadersInit | undefined): Headers {
  const headers = new Headers(given);
  for (const name of ["authorization", "x-api-key", "api-key"]) headers.delete(name);
  for (const [name, value] of Object.entries(provider.headers)) headers.set(name, value);
  return headers;
}
