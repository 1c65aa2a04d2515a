import { mapOf, primitive, schemas } from '@millrace/sdk'
import { type ColumnCodec, semantic, type TypeOptions } from './column-codec.ts'

const PAIR = /"((?:[^"\\]|\\.)*)"=>(?:"((?:[^"\\]|\\.)*)"|(NULL))/gs
const unescape = (text: string): string => text.replace(/\\(.)/gs, '$1')

/** Reads `"k"=>"v", "n"=>NULL`. */
function parseHstore(text: string): Map<string, string | null> {
  const map = new Map<string, string | null>()
  for (const [, key = '', value = '', isNull] of text.matchAll(PAIR)) {
    map.set(unescape(key), isNull === undefined ? unescape(value) : null)
  }
  return map
}

export function hstoreCodec(options: TypeOptions): ColumnCodec {
  if (options.hstoreMode === 'map') {
    return {
      schema: mapOf(schemas.string, schemas.optional.string),
      value: parseHstore,
      fallback: new Map(),
      placeholder: (bytes) => new Map([[bytes.toString('utf8'), bytes.toString('utf8')]]),
    }
  }
  return {
    schema: primitive('STRING', semantic('io.debezium.data.Json')),
    value: (text) => JSON.stringify(Object.fromEntries(parseHstore(text))),
    fallback: '{}',
    placeholder: (bytes) => bytes.toString('utf8'),
  }
}
