/**
 * The app's side of MCP Apps 2026-01-26: JSON-RPC in messages to and from the window that shows it. `bridge.ask` sends a request
 * and gives its result; `bridge.on` names what is done when the host tells something.
 */
export const BRIDGE_SCRIPT = `
const bridge = (() => {
  const host = window.parent;
  const waiting = new Map();
  const heard = {};
  let next = 1;
  const send = (message) => host.postMessage({ jsonrpc: "2.0", ...message }, "*");
  const ask = (method, params) => new Promise((resolve, reject) => {
    const id = next++;
    waiting.set(id, { resolve, reject });
    send({ id, method, params });
  });
  window.addEventListener("message", ({ source, data }) => {
    if (source !== host || !data || data.jsonrpc !== "2.0") return;
    const { id, method, params, result, error } = data;
    if (method === undefined) {
      const asked = waiting.get(id);
      if (!asked) return;
      waiting.delete(id);
      if (error) asked.reject(new Error(error.message));
      else asked.resolve(result);
    } else if (id === undefined) {
      if (heard[method]) heard[method](params || {});
    } else if (method === "ping" || method === "ui/resource-teardown") {
      send({ id, result: {} });
    } else {
      send({ id, error: { code: -32601, message: "Method not found" } });
    }
  });
  return { ask, tell: (method, params = {}) => send({ method, params }), on: (method, then) => { heard[method] = then; } };
})();
`;
