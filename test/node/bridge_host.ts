import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

/** What tests of the bridge need around it: its process, and a connection to its server that can be cut. */

export const BRIDGE = join(resolve(import.meta.dirname, "../.."), "bin/waypost.mjs");

export interface BridgeEnv {
  url: string;
  key: string;
}

/** Environment of a bridge: what a client's configuration would give it, and nothing of this process. */
export const bridgeEnv = ({ url, key }: BridgeEnv): Record<string, string> => ({
  PATH: process.env.PATH ?? "",
  WAYPOST_URL: url,
  WAYPOST_API_KEY: key,
});

export interface BridgeProcess {
  child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Writes one JSON-RPC message. */
  say(message: unknown): void;
  /** The next line of standard output, parsed. */
  next(): Promise<Record<string, unknown>>;
  stderr(): string;
  /** Its exit code. */
  ended: Promise<number | null>;
}

/** A bridge spoken to line by line, for what no client library would send. */
export function startBridge(env: Record<string, string>, args = ["mcp"]): BridgeProcess {
  const child = spawn(process.execPath, [BRIDGE, ...args], {
    env: env as NodeJS.ProcessEnv,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors += chunk;
  });
  return {
    child,
    say: (message) => void child.stdin.write(`${JSON.stringify(message)}\n`),
    next: async () => {
      const { value, done } = await lines.next();
      if (done) throw new Error(`the bridge ended: ${errors}`);
      return JSON.parse(value);
    },
    stderr: () => errors,
    ended: new Promise((done) => child.once("close", done)),
  };
}

export interface Wire {
  url: string;
  /** Connections made so far. */
  connections: number;
  /** Cuts every connection there is. */
  cut(): void;
  /** Cuts a connection as soon as the server has answered anything on it, so many times. */
  cutAnswers: number;
  /** Refuses connections, or takes them again. */
  refuse(refused: boolean): void;
  close(): Promise<void>;
}

/** A port that leads to another, until it is cut. */
export async function wireTo(port: number): Promise<Wire> {
  const sockets = new Set<Socket>();
  let refused = false;
  const server = createTcpServer((near) => {
    wire.connections++;
    if (refused) return near.destroy();
    const far = connect(port, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket
        .on("error", () => {})
        .once("close", () => {
          sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
    }
    near.pipe(far);
    far.on("data", (chunk) => {
      if (wire.cutAnswers > 0) {
        wire.cutAnswers--;
        near.destroy();
      } else if (!near.write(chunk)) {
        far.pause();
        near.once("drain", () => far.resume());
      }
    });
    far.once("end", () => near.end());
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const wire: Wire = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: 0,
    cutAnswers: 0,
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    refuse: (now) => {
      refused = now;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((done) => void server.close(() => done()));
    },
  };
  return wire;
}

/** An HTTP server on a free port. */
export async function listen(handler: (request: IncomingMessage, response: ServerResponse) => void, port = 0) {
  const server: Server = createServer(handler);
  await new Promise<void>((done) => server.listen(port, "127.0.0.1", done));
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((done) => void server.close(() => done()));
  };
  return { port: (server.address() as AddressInfo).port, close };
}
