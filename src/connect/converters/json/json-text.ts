// Jackson escapes the quote, the backslash and control characters only.
// oxlint-disable-next-line no-control-regex
const NEEDS_ESCAPE = /["\\\u0000-\u001f\ud800-\udfff]/

/**
 * A string as a JSON string, byte for byte as Jackson writes it: hexadecimal digits in capitals, and characters beyond
 * the basic plane as two escapes. Keys must be equal to what Java wrote, or they would go to another partition.
 */
export function quote(text: string): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`
  return JSON.stringify(text).replace(/\\(?:u[0-9a-f]{4}|[^u])|[\ud800-\udfff]/g, (part) => {
    if (part.length === 1) return `\\u${part.charCodeAt(0).toString(16).toUpperCase()}`
    return part.length === 6 ? `\\u${part.slice(2).toUpperCase()}` : part
  })
}
