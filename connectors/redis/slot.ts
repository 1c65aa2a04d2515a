/** The hash slot of a key in a cluster: CRC16 (XMODEM) of the key or of its tag in braces. */
export function slotOf(key: string | Buffer): number {
  const all = typeof key === 'string' ? Buffer.from(key) : key
  const open = all.indexOf(0x7b)
  const close = open === -1 ? -1 : all.indexOf(0x7d, open + 1)
  const hashed = close > open + 1 ? all.subarray(open + 1, close) : all
  let crc = 0
  for (const byte of hashed) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff
  }
  return crc & 0x3fff
}
