import { Agent, getAgentByName } from "agents";

/** A Worker with an agent of Cloudflare's `agents`: it connects to the server it is told and says what it found. */

export interface Question {
  url: string;
  bearer: string;
}

export interface Answer {
  tools: string[];
  /** What `whoami` said, as JSON. */
  me: string;
}

export class Asker extends Agent {
  async ask({ url, bearer }: Question): Promise<Answer> {
    const headers = { Authorization: `Bearer ${bearer}` };
    const { id } = await this.addMcpServer("waypost", url, { transport: { type: "streamable-http", headers } });
    const tools = this.mcp.listTools().map(({ name }) => name);
    const me = JSON.stringify(await this.mcp.callTool({ serverId: id, name: "whoami", arguments: {} }));
    await this.removeMcpServer(id);
    return { tools, me };
  }
}

export default {
  async fetch(request: Request, env: { Asker: DurableObjectNamespace<Asker> }): Promise<Response> {
    const agent = await getAgentByName(env.Asker, crypto.randomUUID());
    return Response.json(await agent.ask(await request.json()));
  },
};
