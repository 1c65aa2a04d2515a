import { DataError, type SinkRecord } from '@millrace/sdk'

/** Takes something out of a record; undefined where the record has none. */
export type Pick = (record: SinkRecord) => unknown

/** Reads `field:path` and `header:name`; anything else is a constant. */
export function pickOf(text: string): Pick {
  if (text.startsWith('field:')) {
    const path = text.slice('field:'.length).split('.')
    return ({ value }) => fieldAt(value, path)
  }
  if (text.startsWith('header:')) {
    const name = text.slice('header:'.length)
    return ({ headers }) => headers.findLast(({ key }) => key === name)?.value ?? undefined
  }
  return () => text
}

/** Text in which `${topic}`, `${partition}` and `${offset}` stand for where the record is in the log. */
export function placeText(template: string, record: SinkRecord): string {
  return template
    .replaceAll('${topic}', record.originalTopic)
    .replaceAll('${partition}', String(record.originalPartition))
    .replaceAll('${offset}', String(record.originalOffset))
}

function fieldAt(value: unknown, path: readonly string[]): unknown {
  let current = value
  for (const name of path) {
    if (typeof current !== 'object' || current === null) return undefined
    if (current instanceof Map) current = current.get(name)
    else current = Object.hasOwn(current, name) ? (current as Record<string, unknown>)[name] : undefined
  }
  return current ?? undefined
}

/** Text of what was picked. */
export function textOf(what: string, value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  throw new DataError(
    `${what} is ${value === undefined || value === null ? 'missing' : 'no text or number'} in the record`,
  )
}
