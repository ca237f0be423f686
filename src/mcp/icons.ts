/** The server's icon for clients that show one: an address, since every answer of 2026 carries what the server is called. */
export const iconsAt = (origin: string) => [
  { src: `${origin}/assets/icon.svg`, mimeType: "image/svg+xml", sizes: ["any"] },
];
