import { DataError, type SourceOffset, type SourcePartition } from '@millrace/sdk'

type Primitive = SourceOffset[string]

/** The key of an offset as Kafka Connect stores it: `["<connector>",{partition}]`, JSON without a schema. */
export function offsetKey(connector: string, partition: SourcePartition): Buffer {
  return Buffer.from(`[${JSON.stringify(connector)},${mapToJson(partition, 'source partition')}]`)
}

/** The value of an offset: the map as JSON. */
export function offsetValue(offset: SourceOffset): Buffer {
  return Buffer.from(mapToJson(offset, 'source offset'))
}

function mapToJson(map: SourceOffset, what: string): string {
  if (typeof map !== 'object' || map === null || Array.isArray(map)) {
    throw new DataError(`A ${what} must be a map of primitives, not ${Array.isArray(map) ? 'a list' : typeof map}`)
  }
  const parts = Object.entries(map).map(([key, value]) => `${JSON.stringify(key)}:${primitiveToJson(value, key, what)}`)
  return `{${parts.join(',')}}`
}

function primitiveToJson(value: Primitive | undefined, key: string, what: string): string {
  if (value === null) return 'null'
  switch (typeof value) {
    case 'bigint':
      return value.toString()
    case 'boolean':
    case 'string':
      return JSON.stringify(value)
    case 'number':
      if (Number.isFinite(value)) return String(value)
      throw new DataError(`Field ${key} of a ${what} is ${value}, which JSON cannot hold`)
    default:
      throw new DataError(
        `Offsets may only contain primitive types as values, but field ${key} of a ${what} contains ${typeof value}`,
      )
  }
}

/** Reads a stored offset; integers beyond 2^53 come back as bigint. */
export function parseOffset(bytes: Uint8Array): SourceOffset | null {
  const text = Buffer.from(bytes).toString('utf8')
  const reviver = (_: string, value: unknown, context: { source?: string }): unknown => {
    const unsafe = typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context.source ?? '')
    return unsafe ? BigInt(context.source!) : value
  }
  const json = JSON.parse(text, reviver as (key: string, value: unknown) => unknown) as unknown
  if (json === null) return null
  if (typeof json !== 'object' || Array.isArray(json)) throw new DataError(`A stored offset is not a map: ${text}`)
  return json as SourceOffset
}
