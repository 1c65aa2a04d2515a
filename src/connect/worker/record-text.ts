import type { Schema, SourceRecord } from '@millrace/sdk'

/** A record may be megabytes; a line of the log names it, and is no copy of it. */
const MAX_VALUE_CHARS = 2000

/** A source record for people, in the form in which Kafka Connect writes it into its log. */
export function sourceRecordText(record: SourceRecord): string {
  const { topic, partition, timestamp, sourcePartition, sourceOffset } = record
  // The data of a record may be decoded only now, and be what is wrong with it.
  const part = (read: () => unknown) => cut(attempt(read))
  const headers = record.headers.map(({ key, value, schema }) => {
    return `ConnectHeader(key=${key}, value=${part(() => value)}, schema=${schemaText(schema)})`
  })
  return (
    `SourceRecord{sourcePartition=${mapText(sourcePartition)}, sourceOffset=${mapText(sourceOffset)}} ` +
    `ConnectRecord{topic='${topic}', kafkaPartition=${partition}, ` +
    `key=${part(() => record.key)}, keySchema=${schemaText(record.keySchema)}, ` +
    `value=${part(() => record.value)}, valueSchema=${schemaText(record.valueSchema)}, ` +
    `timestamp=${timestamp}, headers=ConnectHeaders(headers=${headers.join(', ')})}`
  )
}

function attempt(read: () => unknown): string {
  try {
    return valueText(read())
  } catch (error) {
    return `(not readable: ${error instanceof Error ? error.message : String(error)})`
  }
}

function cut(text: string): string {
  return text.length > MAX_VALUE_CHARS ? `${text.slice(0, MAX_VALUE_CHARS)}... (${text.length} characters)` : text
}

function mapText(map: object): string {
  return `{${Object.entries(map)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(', ')}}`
}

function schemaText(schema: Schema | null): string {
  return schema === null ? 'null' : `Schema{${schema.name === undefined ? '' : `${schema.name}:`}${schema.type}}`
}

function valueText(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  if (value instanceof Uint8Array) return `${value.length} bytes`
  return JSON.stringify(value, function (this: Record<string, unknown>, key, inner: unknown) {
    // A Buffer has become the list of its bytes before it comes here.
    const own = this[key]
    if (own instanceof Uint8Array) return `${own.length} bytes`
    if (typeof inner === 'bigint') return inner.toString()
    return inner instanceof Map ? [...inner] : inner
  })
}
