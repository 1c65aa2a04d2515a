import type { ConsumerRecord } from '../client/index.ts'
import { UsageError } from './usage-error.ts'

type Show = (bytes: Buffer) => Buffer

const asText = (read: (bytes: Buffer) => number | bigint | string, size?: number): Show => {
  return (bytes) => {
    if (size !== undefined && bytes.length !== size) {
      throw new UsageError(`a value of ${bytes.length} bytes is not what the deserializer reads, which has ${size}`)
    }
    return Buffer.from(String(read(bytes)))
  }
}

/** Kafka's deserializers by their simple names, as far as they have a text. */
const DESERIALIZERS: Readonly<Record<string, Show>> = {
  StringDeserializer: (bytes) => bytes,
  ByteArrayDeserializer: (bytes) => bytes,
  LongDeserializer: asText((bytes) => bytes.readBigInt64BE(), 8),
  IntegerDeserializer: asText((bytes) => bytes.readInt32BE(), 4),
  ShortDeserializer: asText((bytes) => bytes.readInt16BE(), 2),
  DoubleDeserializer: asText((bytes) => bytes.readDoubleBE(), 8),
  FloatDeserializer: asText((bytes) => bytes.readFloatBE(), 4),
}

function deserializer(name: string | undefined): Show {
  if (name === undefined) return (bytes) => bytes
  const found = DESERIALIZERS[name.replace(/^org\.apache\.kafka\.common\.serialization\./, '')]
  if (found === undefined) {
    throw new UsageError(`deserializer ${name} must be one of ${Object.keys(DESERIALIZERS).join(', ')}`)
  }
  return found
}

/** What is printed of a record, with the properties of Kafka's default formatter. */
export function recordFormatter(properties: Readonly<Record<string, string>>): (record: ConsumerRecord) => Buffer[] {
  const isTrue = (text: string | undefined) => text?.trim().toLowerCase() === 'true'
  const wants = (name: string) => isTrue(properties[name])
  const unescaped = (text: string) => text.replaceAll('\\t', '\t').replaceAll('\\n', '\n')
  const bytes = (name: string, otherwise: string) => Buffer.from(unescaped(properties[name] ?? otherwise))
  const separator = bytes('key.separator', '\t')
  const end = bytes('line.separator', '\n')
  const betweenHeaders = bytes('headers.separator', ',')
  const nothing = bytes('null.literal', 'null')
  const withValue = isTrue(properties['print.value'] ?? 'true')
  const showKey = deserializer(properties['key.deserializer'])
  const showValue = deserializer(properties['value.deserializer'])
  // Kafka reads the first name and documents the second.
  const showHeader = deserializer(properties['headers.deserializer'] ?? properties['header.deserializer'])
  const headersOf = ({ headers }: ConsumerRecord): Buffer => {
    if (headers.length === 0) return Buffer.from('NO_HEADERS')
    const parts = headers.flatMap(({ key, value }, i) => {
      const shown = value === null ? nothing : showHeader(Buffer.from(value))
      return [...(i === 0 ? [] : [betweenHeaders]), Buffer.from(`${key}:`), shown]
    })
    return Buffer.concat(parts)
  }
  return (record) => {
    const fields: Buffer[] = []
    if (wants('print.timestamp')) fields.push(Buffer.from(`${record.timestampType}:${record.timestamp}`))
    if (wants('print.partition')) fields.push(Buffer.from(`Partition:${record.partition}`))
    if (wants('print.offset')) fields.push(Buffer.from(`Offset:${record.offset}`))
    if (wants('print.epoch')) fields.push(Buffer.from(`Epoch:${record.leaderEpoch}`))
    if (wants('print.headers')) fields.push(headersOf(record))
    if (wants('print.key')) fields.push(record.key === null ? nothing : showKey(record.key))
    if (withValue) fields.push(record.value === null ? nothing : showValue(record.value))
    return [...fields.flatMap((field, i) => (i === 0 ? [field] : [separator, field])), end]
  }
}
