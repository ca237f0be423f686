/** CRC-32 (IEEE 802.3) of a text of ASCII. `node:zlib` has one too, with streams that every start would load. */
export function crc32(text: string): number {
  table ??= tableOf();
  let crc = -1;
  for (let i = 0; i < text.length; i++) crc = (table[(crc ^ text.charCodeAt(i)) & 0xff] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** Made when first needed: a start has better things to do. */
let table: Int32Array | undefined;

const tableOf = (): Int32Array =>
  Int32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc;
  });
