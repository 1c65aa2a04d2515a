/** PostgreSQL cuts longer names silently; cutting them here keeps lookups right. */
const IDENTIFIER_BYTES_MAX = 63

/** Cuts a name to as many bytes as the database keeps, never inside a character. */
export function truncateIdentifier(name: string): string {
  const bytes = Buffer.from(name)
  if (bytes.length <= IDENTIFIER_BYTES_MAX) return name
  let end = IDENTIFIER_BYTES_MAX
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}
