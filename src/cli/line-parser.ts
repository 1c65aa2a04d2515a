import { UsageError } from './usage-error.ts'

/** One line of a console producer as a record. */
export interface LineRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[]
}

const withTabs = (text: string): string => text.replaceAll('\\t', '\t')

/**
 * Splits lines as Kafka's LineMessageReader does: headers, key and value, each only when asked for. A line that lacks a
 * part is an error, or, with ignore.error, a value as a whole.
 */
export function lineParser(
  properties: Readonly<Record<string, string>>,
): (line: string, lineNumber: number) => LineRecord {
  const property = (name: string, otherwise: string) => withTabs(properties[name] ?? otherwise)
  const withHeaders = properties['parse.headers'] === 'true'
  const withKey = properties['parse.key'] === 'true'
  const lenient = properties['ignore.error'] === 'true'
  const afterHeaders = property('headers.delimiter', '\t')
  const betweenHeaders = property('headers.separator', ',')
  const inHeader = property('headers.key.separator', ':')
  const afterKey = property('key.separator', '\t')
  const nullMarker = properties['null.marker']
  const bytes = (text: string) => (text === nullMarker ? null : Buffer.from(text))

  /** What is before and behind the separator; null when the line goes on as a value. */
  function cut(text: string, separator: string, what: string, lineNumber: number): [string, string] | null {
    const at = text.indexOf(separator)
    if (at >= 0) return [text.slice(0, at), text.slice(at + separator.length)]
    if (lenient) return null
    throw new UsageError(`line ${lineNumber} has no ${what}: there is no ${JSON.stringify(separator)} in it`)
  }

  function headersOf(text: string, lineNumber: number): LineRecord['headers'] {
    if (text === '' || text === nullMarker) return []
    return text.split(betweenHeaders).flatMap((pair) => {
      const parts = cut(pair, inHeader, `header value in ${JSON.stringify(pair)}`, lineNumber)
      return parts === null ? [] : [{ key: parts[0], value: bytes(parts[1]) }]
    })
  }

  return (line, lineNumber) => {
    const headed = withHeaders ? cut(line, afterHeaders, 'headers', lineNumber) : null
    const rest = headed === null ? line : headed[1]
    const keyed = withKey ? cut(rest, afterKey, 'key', lineNumber) : null
    return {
      headers: headed === null ? [] : headersOf(headed[0], lineNumber),
      key: keyed === null ? null : bytes(keyed[0]),
      value: bytes(keyed === null ? rest : keyed[1]),
    }
  }
}
