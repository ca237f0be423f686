/**
 * Schemes that name no installed app but something a browser or the system acts on by itself: running code, opening
 * files, mail or another page. A code must never be sent there.
 */
const NOT_APPS = new Set(
  (
    "about afp android-app blob brave chrome cid content data edge facetime feed file filesystem ftp ftps geo gopher " +
    "hcp help intent irc itms itms-apps jar javascript ldap ldaps livescript mailto market mhtml mid mocha news nntp " +
    "opera rdp res resource rtsp search search-ms sftp shell smb sms ssh steam tel telnet urn vbscript view-source vnc " +
    "ws wss wyciwyg x-apple"
  ).split(" "),
);

/**
 * Whether an authorization code may be sent to a redirect target: `https`, `http` on this machine with any port
 * (RFC 8252 7.3), or an app's own scheme (RFC 8252 7.1) such as `cursor://…`; without userinfo and without a fragment.
 */
export function acceptableRedirect(target: string): boolean {
  // The URL parser forgives these silently, so two readers of one target could take it for different ones.
  if (!/^[\x21-\x7e]+$/.test(target) || /[\\#"<>`{}|^]/.test(target)) return false;
  if (!URL.canParse(target)) return false;
  const url = new URL(target);
  if (url.username !== "" || url.password !== "") return false;
  const scheme = url.protocol.slice(0, -1);
  if (scheme === "https") return url.hostname !== "";
  if (scheme === "http") return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  return !NOT_APPS.has(scheme) && !scheme.startsWith("ms-") && !scheme.endsWith("-extension");
}
