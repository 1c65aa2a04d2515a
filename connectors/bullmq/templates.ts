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

/** Makes text of a template in which `${topic}`, `${partition}` and `${offset}` stand for where a record is in the log. */
export function placeText(template: string): (record: SinkRecord) => string {
  const parts = template.split(/(\$\{(?:topic|partition|offset)\})/)
  return (record) => {
    let text = ''
    for (const part of parts) text += partText(part, record)
    return text
  }
}

function partText(part: string, { originalTopic, originalPartition, originalOffset }: SinkRecord): string | number {
  switch (part) {
    case '${topic}':
      return originalTopic
    case '${partition}':
      return originalPartition
    case '${offset}':
      return originalOffset
    default:
      return part
  }
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
