/** A JSON pointer (RFC 6901) as its steps; none is the whole document. */
export type JsonPointer = readonly string[]

/** Reads a pointer. `/` alone is the whole document too, as castorm's connector has it. Throws what is wrong with it. */
export function parsePointer(text: string): JsonPointer {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed === '/') return []
  if (!trimmed.startsWith('/')) throw new TypeError(`"${text}" is no JSON pointer; write /name or /name/0/inner`)
  if (/~(?![01])/.test(trimmed)) throw new TypeError(`"${text}" is no JSON pointer; a ~ in a name is written ~0`)
  const steps = trimmed.slice(1).split('/')
  return steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** What is at the pointer; undefined where there is nothing. */
export function valueAt(document: unknown, pointer: JsonPointer): unknown {
  let current = document
  for (const step of pointer) {
    if (typeof current !== 'object' || current === null) return undefined
    if (Array.isArray(current)) current = /^(0|[1-9]\d*)$/.test(step) ? (current as unknown[])[Number(step)] : undefined
    else current = Object.hasOwn(current, step) ? (current as Readonly<Record<string, unknown>>)[step] : undefined
  }
  return current
}

/** What is at the pointer as text: text as it is, anything else as JSON; undefined where there is nothing or null. */
export function textAt(document: unknown, pointer: JsonPointer): string | undefined {
  const value = valueAt(document, pointer)
  if (value === undefined || value === null) return undefined
  return typeof value === 'string' ? value : jsonText(value)
}

/** Reads `name=/pointer, other=/pointer`. Throws what is wrong with it. */
export function parsePointers(text: string): ReadonlyMap<string, JsonPointer> {
  const pointers = new Map<string, JsonPointer>()
  for (const entry of text.split(',')) {
    if (entry.trim() === '') continue
    const at = entry.indexOf('=')
    const name = entry.slice(0, Math.max(at, 0)).trim()
    if (name === '') throw new TypeError(`"${entry.trim()}" is not of the form name=/pointer`)
    pointers.set(name, parsePointer(entry.slice(at + 1)))
  }
  return pointers
}

type Source = { readonly source?: string }
const raw = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON

/** Parses JSON; whole numbers that a JavaScript number cannot hold become bigints. */
export function parseJson(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text)
  return JSON.parse(text, (_key, value: unknown, context?: Source) => {
    const isExact = typeof value !== 'number' || Number.isSafeInteger(value)
    return !isExact && /^-?\d+$/.test(context?.source ?? '') ? BigInt(context!.source!) : value
  })
}

/** The JSON text of what `parseJson` gave. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? raw(String(item)) : item))
}
