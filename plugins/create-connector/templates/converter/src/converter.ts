import { type Converter, DataError, defineConverter, type Parsed, type Schema } from '@millrace/sdk'
import { config } from './config.ts'
import { readLogfmt, writeLogfmt } from './logfmt.ts'

/** Between Connect data and logfmt. The format has no types: what was a number or a boolean comes back as text. */
function createConverter({ 'pairs.max': pairsMax }: Parsed<typeof config>): Converter {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  return {
    fromConnectData(topic, schema, value) {
      // A tombstone stays one.
      if (value === null || value === undefined) return null
      const pairs = pairsOf(schema, value)
      if (pairs === undefined) throw new DataError(`${topic}: logfmt holds structs, maps and objects, nothing else`)
      return Buffer.from(writeLogfmt(pairs))
    },
    toConnectData(topic, bytes) {
      if (bytes === null) return { schema: null, value: null }
      return { schema: null, value: readLogfmt(textOf(topic, bytes), pairsMax) }
    },
  }

  function textOf(topic: string, bytes: Uint8Array): string {
    try {
      return decoder.decode(bytes)
    } catch (error) {
      throw new DataError(`${topic}: the bytes are no UTF-8`, { cause: error })
    }
  }
}

/** Data with a schema is what the schema says; without one it is what JSON can hold. */
function pairsOf(schema: Schema | null, value: unknown): Readonly<Record<string, unknown>> | undefined {
  if (value instanceof Map) return Object.fromEntries(value as Map<unknown, unknown>) as Record<string, unknown>
  const isObject = typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype
  if (schema === null ? isObject : schema.type === 'STRUCT') return value as Record<string, unknown>
  return undefined
}

export default defineConverter({
  name: 'StarlingConverter',
  version: '0.1.0',
  doc: 'Writes and reads logfmt: name=value pairs in a line.',
  config,
  create: createConverter,
})
