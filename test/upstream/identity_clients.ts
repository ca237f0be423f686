/** Who Waypost is to the stand-in providers. */
export const CLIENT_ID = "waypost-at-the-issuer";
/** With characters that Basic authentication must encode (RFC 6749 2.3.1). */
export const CLIENT_SECRET = "secret of:waypost+at%the/issuer";
export const GITHUB_CLIENT_ID = "Iv1.waypost";
export const GITHUB_CLIENT_SECRET = "secret-of-waypost-at-github";
