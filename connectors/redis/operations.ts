import { DataError, type Schema, type SinkRecord, valueToString } from '@millrace/sdk'
import { type Encode, encoderOf } from './charset.ts'
import { jsonText } from './json-text.ts'
import type { SinkConfig, SinkType } from './sink-config.ts'

export type Argument = string | Buffer
/** A command with its arguments; the second is the key. */
export type Operation = readonly Argument[]

type MappingConfig = Pick<
  SinkConfig,
  'redis.type' | 'redis.keyspace' | 'redis.separator' | 'redis.key.ttl' | 'redis.charset' | 'behavior.on.null.values'
>

const TTL_HEADER = 'redis.key.ttl'
/** What a script can hand on as arguments of one command is bounded by Lua's stack. */
const ARGUMENTS_MAX = 7000

/** Makes the commands of a record; none when there is nothing to do. DataError for a record that has no form in Redis. */
export type ToOperations = (record: SinkRecord) => readonly Operation[]

/** The mapping of one connector. */
export function operationsOf(config: MappingConfig): ToOperations {
  const type = config['redis.type'].toUpperCase() as SinkType
  const keyspace = config['redis.keyspace']
  const encode = encoderOf(config['redis.charset'])
  const onNull = config['behavior.on.null.values'].toLowerCase()
  const isKeyed = type === 'STRING' || type === 'HASH' || type === 'JSON'
  const keyOf = isKeyed ? recordKeys(keyspace, config['redis.separator'], encode) : collectionKeys(keyspace, encode)
  const write = writer(type, encode)
  const remove = remover(type, encode)
  return (record) => {
    if (record.value === null || record.value === undefined) {
      if (onNull === 'fail') throw new DataError('the value is null, and behavior.on.null.values is fail')
      return onNull === 'ignore' ? [] : remove(keyOf(record), record)
    }
    const key = keyOf(record)
    const operations = write(key, record)
    const ttl = ttlOf(record, config['redis.key.ttl'])
    return ttl > 0 ? [...operations, ['EXPIRE', key, String(ttl)]] : operations
  }
}

function collectionKeys(keyspace: string, encode: Encode): (record: SinkRecord) => Argument {
  const known = new Map<string, Argument>()
  return ({ topic }) => {
    let key = known.get(topic)
    if (key === undefined) known.set(topic, (key = encode(keyspace.replaceAll('${topic}', topic))))
    return key
  }
}

function recordKeys(keyspace: string, separator: string, encode: Encode): (record: SinkRecord) => Argument {
  if (keyspace === '') return (record) => member(record, encode)
  return ({ topic, key, keySchema }) => {
    const space = `${keyspace.replaceAll('${topic}', topic)}${separator}`
    if (key === null || key === undefined) throw new DataError('the key is null; it names the key in Redis')
    if (key instanceof Uint8Array) return Buffer.concat([Buffer.from(encode(space) as string), key])
    if (typeof key === 'object')
      throw new DataError('the key is no text, number or bytes; take one of its fields as key')
    return encode(space + valueToString(keySchema, key))
  }
}

/** The key of the record as it is: text or bytes. */
function member({ key }: SinkRecord, encode: Encode): Argument {
  return textOrBytes('key', key, encode)
}

function textOrBytes(what: string, value: unknown, encode: Encode): Argument {
  if (typeof value === 'string' && (value !== '' || what !== 'key')) return encode(value)
  if (value instanceof Uint8Array && (value.length > 0 || what !== 'key')) return bytes(value)
  if (value === null || value === undefined || what === 'key') {
    const shown =
      value === null || value === undefined ? 'null' : typeof value === 'object' ? 'no text' : 'empty or no text'
    throw new DataError(`the ${what} is ${shown}; it must be a string or bytes that are not empty`)
  }
  throw new DataError(
    `the ${what} must be a string or bytes; use the StringConverter or the ByteArrayConverter, or another redis.type`,
  )
}

function bytes(value: Uint8Array): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

type Write = (key: Argument, record: SinkRecord) => readonly Operation[]

function writer(type: SinkType, encode: Encode): Write {
  switch (type) {
    case 'STREAM':
      return (key, record) => [streamEntry(key, record, encode)]
    case 'STRING':
      return (key, { value }) => [['SET', key, textOrBytes('value', value, encode)]]
    case 'HASH':
      return (key, record) => hashFields(key, record, encode)
    case 'JSON':
      return (key, { value, valueSchema }) => {
        const isText = typeof value === 'string' || value instanceof Uint8Array
        return [
          ['JSON.SET', key, '$', isText ? textOrBytes('value', value, encode) : encode(jsonText(valueSchema, value))],
        ]
      }
    case 'LIST':
      return (key, record) => [['RPUSH', key, member(record, encode)]]
    case 'SET':
      return (key, record) => [['SADD', key, member(record, encode)]]
    case 'ZSET':
      return (key, record) => [['ZADD', key, numberText('value', record.value), member(record, encode)]]
    case 'TIMESERIES':
      return (key, record) => [['TS.ADD', key, wholeText(record.key), numberText('value', record.value)]]
  }
}

function remover(type: SinkType, encode: Encode): Write {
  switch (type) {
    case 'STRING':
    case 'HASH':
    case 'JSON':
      return (key) => [['DEL', key]]
    case 'SET':
      return (key, record) => [['SREM', key, member(record, encode)]]
    case 'ZSET':
      return (key, record) => [['ZREM', key, member(record, encode)]]
    default:
      return () => []
  }
}

function streamEntry(key: Argument, record: SinkRecord, encode: Encode): Operation {
  const operation: Argument[] = ['XADD', key, '*']
  eachField(record, (name, schema, value) => {
    if (value !== null && value !== undefined) operation.push(encode(name), fieldText(schema, value, encode))
  })
  if (operation.length === 3) throw new DataError('the value has no fields, and a stream entry needs one')
  if (operation.length > ARGUMENTS_MAX) {
    throw new DataError(`the value has more than ${(ARGUMENTS_MAX - 3) / 2} fields; a stream entry cannot be so wide`)
  }
  return operation
}

/** A field that is null is taken out of the hash: what stood there is not the record's any more. */
function hashFields(key: Argument, record: SinkRecord, encode: Encode): readonly Operation[] {
  const sets: Argument[] = []
  const removed: Argument[] = []
  eachField(record, (name, schema, value) => {
    if (value === null || value === undefined) removed.push(encode(name))
    else sets.push(encode(name), fieldText(schema, value, encode))
  })
  if (sets.length + removed.length === 0) throw new DataError('the value has no fields, and a hash needs one')
  return [...inParts('HSET', key, sets), ...inParts('HDEL', key, removed)]
}

function inParts(command: string, key: Argument, rest: readonly Argument[]): Operation[] {
  const operations: Operation[] = []
  for (let at = 0; at < rest.length; at += ARGUMENTS_MAX - 1000) {
    operations.push([command, key, ...rest.slice(at, at + ARGUMENTS_MAX - 1000)])
  }
  return operations
}

function eachField(
  { value, valueSchema }: SinkRecord,
  take: (name: string, schema: Schema | null, value: unknown) => void,
): void {
  if (value instanceof Map) {
    for (const [name, member] of value) take(String(name), valueSchema?.valueSchema ?? null, member)
    return
  }
  const isPlain = typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  if (!isPlain || (valueSchema !== null && valueSchema.type !== 'STRUCT')) {
    throw new DataError('the value is no struct or map; its fields are what is written')
  }
  if (valueSchema === null) {
    for (const [name, member] of Object.entries(value)) take(name, null, member)
    return
  }
  const struct = value as Readonly<Record<string, unknown>>
  for (const field of valueSchema.fields) take(field.name, field.schema, struct[field.name])
}

/** Text and bytes as they are, numbers as Java writes them, what has parts of its own as JSON. */
function fieldText(schema: Schema | null, value: unknown, encode: Encode): Argument {
  if (typeof value === 'string') return encode(value)
  if (value instanceof Uint8Array) return bytes(value)
  const hasParts = Array.isArray(value) || value instanceof Map || schema?.type === 'STRUCT'
  const isMap = schema === null && Object.getPrototypeOf(value) === Object.prototype
  return encode(hasParts || isMap ? jsonText(schema, value) : valueToString(schema, value))
}

function numberText(what: string, value: unknown): string {
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value))) return String(value)
  throw new DataError(`the ${what} must be a number; use a transformation such as Cast or ExtractField`)
}

function wholeText(key: unknown): string {
  if (typeof key === 'bigint' || (typeof key === 'number' && Number.isInteger(key))) return String(key)
  throw new DataError('the key must be a whole number, the time of the sample in milliseconds')
}

function ttlOf(record: SinkRecord, configured: number): number {
  for (const { key, value } of record.headers) {
    if (key !== TTL_HEADER) continue
    const ttl = Number(value instanceof Uint8Array ? bytes(value).toString() : value)
    if (!Number.isSafeInteger(ttl)) throw new DataError(`the header ${TTL_HEADER} is no whole number of seconds`)
    if (ttl > 0) return ttl
  }
  return configured
}
