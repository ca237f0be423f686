import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import {
  Client,
  type OAuthClientProvider,
  StreamableHTTPClientTransport,
  UnauthorizedError,
} from "@modelcontextprotocol/client";

/** An MCP client program of the official SDK that signs in through a browser, as an IDE does. */

type Stored = { client?: unknown; discovery?: unknown; tokens?: Tokens; verifier?: string };
interface Tokens {
  access_token: string;
  refresh_token?: string;
  scope?: string;
}

/** What the person does in the browser with the address the program opens. */
export type Visit = (address: string) => Promise<void>;

export interface App {
  readonly client: Client;
  readonly stored: Stored;
  /** How often the browser was opened. */
  readonly visits: () => number;
  /** Connects, signing in when it must. */
  connect(): Promise<void>;
  /** Calls a tool, signing in (again) when it must. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever the tool says
  call(tool: string, input?: object): Promise<any>;
  close(): Promise<void>;
}

export interface AppOptions {
  name: string;
  mcp: string;
  visit: Visit;
  /** Address of its client metadata document; absent: it registers. */
  metadataUrl?: string;
}

/** The program, with its callback listening on this machine. */
export async function startApp(options: AppOptions): Promise<App> {
  const callback = createServer().listen(0, "127.0.0.1");
  await once(callback, "listening");
  const redirectUrl = `http://127.0.0.1:${(callback.address() as AddressInfo).port}/callback`;
  let arrived: ((parameters: URLSearchParams) => void) | undefined;
  callback.on("request", (request, response) => {
    const url = new URL(request.url ?? "/", redirectUrl);
    response.end("You can close this window.");
    if (url.pathname === "/callback") arrived?.(url.searchParams);
  });

  const stored: Stored = {};
  const state = randomUUID();
  let visits = 0;
  let answered: Promise<URLSearchParams> | undefined;
  const provider: OAuthClientProvider = {
    redirectUrl,
    ...(options.metadataUrl ? { clientMetadataUrl: options.metadataUrl } : {}),
    clientMetadata: {
      client_name: options.name,
      redirect_uris: [redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    },
    state: () => state,
    clientInformation: () => stored.client as never,
    saveClientInformation: (client) => {
      stored.client = client;
    },
    tokens: () => stored.tokens as never,
    saveTokens: (tokens) => {
      stored.tokens = tokens as Tokens;
    },
    saveDiscoveryState: (discovered) => {
      stored.discovery = discovered;
    },
    discoveryState: () => stored.discovery as never,
    saveCodeVerifier: (verifier) => {
      stored.verifier = verifier;
    },
    codeVerifier: () => stored.verifier ?? "",
    invalidateCredentials: (what) => {
      if (what === "all" || what === "tokens") delete stored.tokens;
      if (what === "all" || what === "client") delete stored.client;
    },
    redirectToAuthorization: async (address) => {
      visits++;
      answered = new Promise((resolve) => {
        arrived = resolve;
      });
      await options.visit(address.href);
    },
  };

  let client: Client;
  let current: StreamableHTTPClientTransport;

  /** Does it; when it needs a sign-in, finishes that and does it again, once. */
  async function signedIn<T>(action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (!(error instanceof UnauthorizedError) || !answered) throw error;
      const parameters = await answered;
      answered = undefined;
      if (parameters.get("state") !== state) throw new Error("the state came back changed");
      await current.finishAuth(parameters);
      return action();
    }
  }
  const app: App = {
    get client() {
      return client;
    },
    stored,
    visits: () => visits,
    connect: () =>
      signedIn(() => {
        client = new Client(
          { name: options.name, version: "1.0.0" },
          { versionNegotiation: { mode: { pin: "2026-07-28" } } },
        );
        current = new StreamableHTTPClientTransport(new URL(options.mcp), { authProvider: provider });
        return client.connect(current);
      }),
    call: (name, input = {}) => signedIn(() => client.callTool({ name, arguments: input as Record<string, unknown> })),
    close: async () => {
      await client.close();
      callback.closeAllConnections();
      await new Promise((done) => callback.close(done));
    },
  };
  return app;
}
