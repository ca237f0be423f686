import { Hono } from "hono";

/** The least a route can do: what governed calls are measured against. */
const app = new Hono();
app.get("/v1/usage", (c) => c.json({ ok: true }));

export default app;
