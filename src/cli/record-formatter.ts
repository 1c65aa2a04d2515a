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
  const wants = (name: string) => properties[name] === 'true'
  const unescaped = (text: string) => text.replaceAll('\\t', '\t').replaceAll('\\n', '\n')
  const bytes = (name: string, otherwise: string) => Buffer.from(unescaped(properties[name] ?? otherwise))
  const separator = bytes('key.separator', '\t')
  const end = bytes('line.separator', '\n')
  const betweenHeaders = unescaped(properties['headers.separator'] ?? ',')
  const nothing = bytes('null.literal', 'null')
  const withValue = properties['print.value'] !== 'false'
  const showKey = deserializer(properties['key.deserializer'])
  const showValue = deserializer(properties['value.deserializer'])
  return (record) => {
    const fields: Buffer[] = []
    if (wants('print.timestamp')) fields.push(Buffer.from(`${record.timestampType}:${record.timestamp}`))
    if (wants('print.partition')) fields.push(Buffer.from(`Partition:${record.partition}`))
    if (wants('print.offset')) fields.push(Buffer.from(`Offset:${record.offset}`))
    if (wants('print.headers')) {
      const text = record.headers.map(
        ({ key, value }) => `${key}:${value === null ? nothing.toString() : Buffer.from(value).toString()}`,
      )
      fields.push(Buffer.from(text.length === 0 ? 'NO_HEADERS' : text.join(betweenHeaders)))
    }
    if (wants('print.key')) fields.push(record.key === null ? nothing : showKey(record.key))
    if (withValue) fields.push(record.value === null ? nothing : showValue(record.value))
    return [...fields.flatMap((field, i) => (i === 0 ? [field] : [separator, field])), end]
  }
}
