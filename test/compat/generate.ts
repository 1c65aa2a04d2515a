import type { Random } from '../../src/base/index.ts'
import type { RecordJson } from './records.ts'

/** Schemas, values and records by chance, in the form of ConnectData.java; a seed gives the same ones again. */
export class Generator {
  readonly #random: Random

  constructor(random: Random) {
    this.#random = random
  }

  chance(probability: number): boolean {
    return this.#random.next() < probability
  }

  below(limit: number): number {
    return Math.floor(this.#random.next() * limit)
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T
  }

  /** Some of the items, in order, at least `least`. */
  some<T>(items: readonly T[], most = 3, least = 0): T[] {
    const count = least + this.below(most - least + 1)
    return Array.from({ length: count }, () => this.pick(items))
  }

  schema(depth = 0, plain = false): any {
    const roll = this.below(plain ? 9 : depth > 2 ? 13 : 18)
    const schema = this.#type(roll, depth)
    schema.optional = this.chance(0.5)
    if (!schema.name && this.chance(0.15)) schema.name = this.pick(['n.One', 'Two'])
    if (!schema.version && this.chance(0.1)) schema.version = 1 + this.below(3)
    if (this.chance(0.1)) schema.doc = 'words'
    if (!schema.parameters && this.chance(0.1)) schema.parameters = { p: 'q' }
    if (roll < 13 && this.chance(0.25)) schema.default = defaultOf(schema, this.value({ ...schema, optional: false }))
    return schema
  }

  #type(roll: number, depth: number): any {
    if (roll < PLAIN.length) return { type: PLAIN[roll] }
    if (roll === 9)
      return { type: 'bytes', name: `${DATA}Decimal`, version: 1, parameters: { scale: this.pick(['0', '2']) } }
    if (roll === 10) return { type: 'int32', name: `${DATA}Date`, version: 1 }
    if (roll === 11) return { type: 'int32', name: `${DATA}Time`, version: 1 }
    if (roll === 12) return { type: 'int64', name: `${DATA}Timestamp`, version: 1 }
    if (roll === 13) return { type: 'array', items: this.schema(depth + 1, true) }
    if (roll === 14)
      return { type: 'map', keys: { type: 'string', optional: false }, values: this.schema(depth + 1, true) }
    return this.struct(depth + 1)
  }

  struct(depth = 0, names: readonly string[] = NAMES): any {
    const chosen = names.filter(() => this.chance(0.6))
    return { type: 'struct', optional: false, fields: chosen.map((field) => ({ ...this.schema(depth), field })) }
  }

  value(schema: any): any {
    if (schema.optional && this.chance(0.25)) return null
    switch (schema.name) {
      case `${DATA}Decimal`:
        return schema.parameters.scale === '2'
          ? this.pick(['0.00', '12.50', '-1.99', '99999999999999999999.01'])
          : this.pick(['7', '-300'])
      case `${DATA}Date`:
        return this.pick([0, 1, 19_675, -1]) * 86_400_000
      case `${DATA}Time`:
        return this.pick([0, 1, 80_000_123, 86_399_999])
      case `${DATA}Timestamp`:
        return this.pick(MOMENTS)
      default:
        return this.#plainValue(schema)
    }
  }

  #plainValue(schema: any): any {
    switch (schema.type) {
      case 'int8':
        return this.pick([0, 1, -1, 127, -128])
      case 'int16':
        return this.pick([0, 300, -32_768, 32_767])
      case 'int32':
        return this.pick([0, 42, -2_147_483_648, 2_147_483_647])
      case 'int64':
        return this.pick(['0', '5000000000', '-9223372036854775808', '9223372036854775807', '1700000000123'])
      case 'float':
        return this.pick([0, 1.5, -2.75, 3.4e38, 16_777_216])
      case 'double':
        return this.pick([0, 1.9, -1.1, 1e10, 1e300, 123_456_789.125, 5e-324])
      case 'boolean':
        return this.chance(0.5)
      case 'string':
        return this.pick(TEXTS)
      case 'bytes':
        return this.pick(['', '00', 'deadbeef'])
      case 'array':
        return Array.from({ length: this.below(3) }, () => this.value(schema.items))
      case 'map':
        return ['k', 'l'].slice(this.below(3)).map((key) => [key, this.value(schema.values)])
      default:
        return Object.fromEntries(schema.fields.flatMap((field: any) => this.#member(field)))
    }
  }

  /** A field with a default may be left out, although it is required. */
  #member(field: any): [string, unknown][] {
    return field.default !== undefined && this.chance(0.3) ? [] : [[field.field, this.value(field)]]
  }

  schemaless(depth = 0): any {
    switch (this.below(depth > 2 ? 8 : 12)) {
      case 0:
        return null
      case 1:
        return this.pick(TEXTS)
      case 2:
        return this.pick([0, 1, -5, 300, 5_000_000_000, 1_700_000_000_123])
      case 3:
        return this.pick([1.5, -2.75, 1.9, 0.1])
      case 4:
        return this.chance(0.5)
      case 5:
        return { $bytes: this.pick(['', '00ff']) }
      case 6:
        return { $date: this.pick(MOMENTS) }
      case 7:
        return this.pick(TEXTS)
      case 8:
        return Array.from({ length: this.below(3) }, () => this.schemaless(depth + 1))
      default:
        return this.map(depth + 1)
    }
  }

  map(depth = 0): any {
    const names = NAMES.filter(() => this.chance(0.6))
    return Object.fromEntries(names.map((name) => [name, this.schemaless(depth)]))
  }

  /** A value, mostly a struct or a map, with its schema. */
  data(): readonly [schema: unknown, value: unknown] {
    const roll = this.below(20)
    if (roll < 10) {
      const schema = this.struct()
      schema.optional = this.chance(0.2)
      if (this.chance(0.5)) schema.name = 'shop.Order'
      if (this.chance(0.2)) schema.version = 2
      if (this.chance(0.2)) schema.doc = 'an order'
      if (this.chance(0.2)) schema.parameters = { p: '1' }
      return [schema, this.value(schema)]
    }
    if (roll < 15) return [null, this.map()]
    if (roll < 16) return [null, null]
    if (roll < 17) return [null, this.schemaless()]
    const schema = this.schema()
    return [schema, this.value(schema)]
  }

  record(): RecordJson {
    const [keySchema, key] = this.data()
    const [valueSchema, value] = this.data()
    const isSink = this.chance(0.3)
    return {
      topic: this.pick(TOPICS),
      partition: isSink ? 3 : this.pick([null, 0, 7]),
      timestamp: this.pick([null, 0, 1_700_000_000_123]),
      ...(isSink ? { offset: 42 } : {}),
      keySchema,
      key,
      valueSchema,
      value,
      headers: this.some(['h', 'x', 'trace']).map((name) => {
        const schema = this.schema(3)
        return [name, schema, this.value(schema)] as const
      }),
    }
  }
}

export const NAMES = ['a', 'b', 'c', 'd', 'e', 'f.g'] as const
export const TOPICS = ['orders', 'shop.public.orders', 'orders-1', 'a-b-c'] as const
const DATA = 'org.apache.kafka.connect.data.'
const PLAIN = ['int8', 'int16', 'int32', 'int64', 'float', 'double', 'boolean', 'string', 'bytes']
const MOMENTS = [0, 1_700_000_000_123, -1, 86_400_000]
const TEXTS = [
  '',
  'abc',
  '42',
  '-7',
  '+9',
  '300',
  'true',
  'TRUE',
  '1.5',
  '1e3',
  'NaN',
  ' 5',
  '0x10',
  '1.5f',
  '2023-11-14 22:13:20.999',
  '2023-11-14',
]

/** A default as JsonConverter writes it. */
function defaultOf(schema: any, value: any): unknown {
  if (value === null) return undefined
  if (schema.name === `${DATA}Decimal`) return schema.parameters.scale === '2' ? 'BOI=' : 'Bw=='
  if (schema.name === `${DATA}Date`) return value / 86_400_000
  if (schema.name?.startsWith(DATA)) return value
  if (schema.type === 'bytes') return Buffer.from(value, 'hex').toString('base64')
  if (schema.type === 'int64') return 42
  return value
}
