import { build } from "esbuild";

/**
 * A page that shows an app as clients do: in a sandboxed frame without an origin, under a policy that allows no network, with the
 * official host bridge behind it. What the host is told is put into `window.told`.
 */
const HOST = `
import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";

window.told = { sizes: [], calls: [] };
window.show = async ({ html, hostContext, serverTools, args, result }) => {
  const frame = document.createElement("iframe");
  frame.setAttribute("sandbox", "allow-scripts");
  frame.style.cssText = "border:0;width:100%;height:700px";
  const bridge = new AppBridge(null, { name: "host", version: "1" }, serverTools ? { serverTools: {} } : {}, { hostContext });
  bridge.oncalltool = async (params) => { window.told.calls.push(params); return window.callTool(params); };
  bridge.addEventListener("sizechange", (size) => window.told.sizes.push(size));
  const ready = new Promise((resolve) => bridge.addEventListener("initialized", resolve));
  document.body.replaceChildren(frame);
  await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
  frame.srcdoc = html;
  await ready;
  await bridge.sendToolInput({ arguments: args || {} });
  await bridge.sendToolResult(result);
  window.bridge = bridge;
};
`;

/** What hosts put in front of an app that names no origins. */
export const POLICY =
  "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'none'; img-src data:";

export async function hostPage(): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: HOST, resolveDir: import.meta.dirname, loader: "js" },
    bundle: true,
    write: false,
    format: "iife",
    platform: "browser",
    minify: true,
    logLevel: "error",
  });
  const script = (outputFiles[0]?.text ?? "").replaceAll("</script", "<\\/script");
  return `<!doctype html><meta charset="utf-8"><body style="margin:0"><script>${script}</script>`;
}

export const underPolicy = (html: string): string =>
  html.replace("<head>", `<head><meta http-equiv="Content-Security-Policy" content="${POLICY}">`);
