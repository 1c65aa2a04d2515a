import {
  arrayOf,
  ConfigError,
  decimalSchema,
  mapOf,
  primitive,
  type Schema,
  type SchemaOptions,
  schemas,
  struct,
} from '@millrace/sdk'

type Node = Readonly<Record<string, unknown>>

const DEPTH_MAX = 64

const PRIMITIVES = {
  string: 'STRING',
  bytes: 'BYTES',
  int: 'INT32',
  long: 'INT64',
  float: 'FLOAT32',
  double: 'FLOAT64',
  boolean: 'BOOLEAN',
} as const

const REFUSED: Readonly<Record<string, string>> = {
  fixed: 'the type fixed is not supported, as nobody checks the length; use bytes',
  enum: 'the type enum is not supported, as nobody checks the values; use string',
  null: 'the type null stands only in a union, beside one other type',
}

/**
 * The Connect schema of an Avro schema, which only says here what documents are made of: records with defaults, arrays, maps
 * and optional values. Throws ConfigError.
 */
export function avroSchemaOf(text: string): Schema {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new ConfigError(`is no JSON: ${(error as Error).message}`, { cause: error })
  }
  if ((parsed as Node | null)?.['type'] !== 'record') throw new ConfigError('has to be an Avro schema of type record')
  return new Reader().read(parsed, {}, '', 0)
}

class Reader {
  readonly #named = new Map<string, { readonly node: Node; readonly space: string }>()
  /** The namespace of the record around, which names without one have too. */
  #space = ''

  read(node: unknown, options: SchemaOptions, path: string, depth: number): Schema {
    if (depth > DEPTH_MAX) throw misfit(path, 'the schema is nested too deeply, or refers to itself')
    if (Array.isArray(node)) return this.#union(node, path, depth)
    if (typeof node === 'string') return this.#byName(node, options, path, depth)
    if (typeof node !== 'object' || node === null) throw misfit(path, 'a schema is text, an object or an array')
    const schema = node as Node
    switch (schema['type']) {
      case 'record':
        return this.#record(schema, options, path, depth)
      case 'array':
        return arrayOf(this.read(schema['items'], {}, path, depth + 1), options)
      case 'map':
        return mapOf(schemas.string, this.read(schema['values'], {}, path, depth + 1), options)
      default:
        return decimalOf(schema, options) ?? this.read(schema['type'], options, path, depth + 1)
    }
  }

  #byName(name: string, options: SchemaOptions, path: string, depth: number): Schema {
    if (Object.hasOwn(PRIMITIVES, name)) return primitive(PRIMITIVES[name as keyof typeof PRIMITIVES], options)
    const named = this.#named.get(fullName(name, this.#space)) ?? this.#named.get(name)
    if (named === undefined) throw misfit(path, REFUSED[name] ?? `there is no type ${name}`)
    return this.#within(named.space, () => this.read(named.node, options, path, depth + 1))
  }

  #within<T>(space: string, read: () => T): T {
    const around = this.#space
    this.#space = space
    try {
      return read()
    } finally {
      this.#space = around
    }
  }

  #union(branches: readonly unknown[], path: string, depth: number): Schema {
    const others = branches.filter((branch) => branch !== 'null')
    if (others.length !== 1 || branches.length !== 2) {
      throw misfit(path, 'a union has to be of one type and null, which makes a value optional')
    }
    // As in the original the default of a union does not count.
    return this.read(others[0], { optional: true }, path, depth + 1)
  }

  #record(node: Node, options: SchemaOptions, path: string, depth: number): Schema {
    const { name, namespace, fields } = node
    if (typeof name !== 'string' || !Array.isArray(fields)) throw misfit(path, 'a record needs a name and fields')
    const full = fullName(name, typeof namespace === 'string' ? namespace : this.#space)
    this.#named.set(full, { node, space: this.#space })
    const space = full.slice(0, Math.max(0, full.lastIndexOf('.')))
    const entries = this.#within(space, () => this.#fields(fields as readonly Node[], path, depth))
    return struct(entries, { ...options, name: full })
  }

  #fields(fields: readonly Node[], path: string, depth: number): [string, Schema][] {
    return fields.map((field) => {
      const fieldName = String(field['name'])
      const fallback = field['default']
      const its = path === '' ? fieldName : `${path}.${fieldName}`
      const schema = this.read(field['type'], {}, its, depth + 1)
      const hasDefault = fallback !== undefined && fallback !== null
      return [fieldName, hasDefault ? this.read(field['type'], { default: plain(fallback, schema) }, its, 0) : schema]
    })
  }
}

function fullName(name: string, space: string): string {
  return space === '' || name.includes('.') ? name : `${space}.${name}`
}

/** Defaults are written as JSON. */
function plain(value: unknown, schema: Schema): unknown {
  return schema.type === 'INT64' && typeof value === 'number' ? BigInt(value) : value
}

/** As in the original dates and times are plain numbers; it has no form of decimals. */
function decimalOf(node: Node, options: SchemaOptions): Schema | undefined {
  const isDecimal = node['logicalType'] === 'decimal' && node['type'] === 'bytes'
  return isDecimal ? decimalSchema(Number(node['scale'] ?? 0), options) : undefined
}

function misfit(path: string, message: string): ConfigError {
  return new ConfigError(path === '' ? message : `field ${path}: ${message}`)
}
