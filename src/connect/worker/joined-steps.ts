import {
  type ConnectRecord,
  type FieldSource,
  isDecimal,
  type Schema,
  type StructPlan,
  type Transform,
  withChanges,
} from '@millrace/sdk'

/** The part of a step of a chain that matters here. */
interface Step {
  readonly transform: Transform
  readonly predicate: unknown
}

type Struct = Readonly<Record<string, unknown>>
type Read = (data: unknown, record: ConnectRecord) => unknown
type Map1 = (value: unknown) => unknown

/** A field on its way through the steps: where it came from, and what became of its value since. */
interface Origin {
  readonly source: FieldSource
  readonly maps: readonly Map1[]
}

/** Several steps in one, for data of one schema. */
interface Joined {
  /** The step after them. */
  readonly end: number
  readonly schema: Schema
  readonly needsStruct: boolean
  build(data: unknown, record: ConnectRecord): Struct
}

/** One step alone is as fast by itself. */
const WORTH_JOINING = 2

/**
 * Steps in a row that tell beforehand what they make of a struct (`Transform.structs`), joined into one pass: the last
 * struct is made straight from the first data, and nothing between them exists. What cannot be joined, and whatever
 * throws, is left to the steps themselves, one after the other, which then also say where it failed.
 */
export class JoinedSteps {
  readonly #steps: readonly Step[]
  readonly #start: number
  readonly #part: 'key' | 'value'
  readonly #bySchema = new WeakMap<Schema, { readonly joined: Joined | undefined }>()
  #lastSchema: Schema | undefined
  #last: Joined | undefined

  private constructor(steps: readonly Step[], start: number, part: 'key' | 'value') {
    this.#steps = steps
    this.#start = start
    this.#part = part
  }

  /** Undefined where the step at this place and the next one cannot be joined whatever the schema. */
  static at(steps: readonly Step[], start: number): JoinedSteps | undefined {
    const [first, second] = [partOf(steps[start]), partOf(steps[start + 1])]
    return first !== undefined && first === second ? new JoinedSteps(steps, start, first) : undefined
  }

  /** The step after those that were applied by the last `apply` that gave a record. */
  end = 0

  /** The record after as many steps as could be joined; undefined when the steps have to be applied one by one. */
  apply<R extends ConnectRecord>(record: R): R | undefined {
    const isValue = this.#part === 'value'
    const schema = isValue ? record.valueSchema : record.keySchema
    if (schema === null) return undefined
    const joined = schema === this.#lastSchema ? this.#last : this.#joinedFor(schema)
    if (!joined) return undefined
    try {
      const data = isValue ? record.value : record.key
      if (data === null || data === undefined || (joined.needsStruct && !isStruct(data))) return undefined
      const made = joined.build(data, record)
      this.end = joined.end
      return isValue
        ? withChanges(record, { valueSchema: joined.schema, value: made })
        : withChanges(record, { keySchema: joined.schema, key: made })
    } catch {
      // The steps are pure: applied one by one they throw again, and then it is known which one.
      return undefined
    }
  }

  #joinedFor(schema: Schema): Joined | undefined {
    let known = this.#bySchema.get(schema)
    if (!known) {
      known = { joined: join(this.#steps, this.#start, this.#part, schema) }
      this.#bySchema.set(schema, known)
    }
    this.#lastSchema = schema
    this.#last = known.joined
    return known.joined
  }
}

function partOf(step: Step | undefined): 'key' | 'value' | undefined {
  return step?.predicate === null ? step.transform.structs?.part : undefined
}

function join(steps: readonly Step[], start: number, part: 'key' | 'value', input: Schema): Joined | undefined {
  let schema = input
  let fields: ReadonlyMap<string, Origin> | undefined
  let end = start
  for (; partOf(steps[end]) === part; end++) {
    const plan = planOf(steps[end]!.transform, schema)
    const next = plan && joinedWith(fields, plan)
    if (!next) break
    fields = next
    schema = plan.schema
  }
  if (!fields || end - start < WORTH_JOINING) return undefined
  return { end, schema, ...builderOf(input, fields) }
}

function planOf(transform: Transform, schema: Schema): StructPlan | undefined {
  try {
    return transform.structs?.plan(schema)
  } catch {
    // `apply` throws the same, with a record to report it for.
    return undefined
  }
}

/** The fields after one more step; undefined when that step has to be applied by itself. */
function joinedWith(
  fields: ReadonlyMap<string, Origin> | undefined,
  { schema, sources }: StructPlan,
): ReadonlyMap<string, Origin> | undefined {
  const next = new Map<string, Origin>()
  const dropped = new Set(fields?.keys())
  for (const [index, { name }] of schema.fields.entries()) {
    const source = sources[index]!
    // A member that is not there must not read Object's own.
    if (name in Object.prototype || (source.from === 'field' && source.name in Object.prototype)) return undefined
    const origin = originOf(fields, source)
    if (!origin) return undefined
    if (source.from === 'field') dropped.delete(source.name)
    next.set(name, origin)
  }
  // What might throw has to throw, also when a later step drops the field.
  for (const name of dropped) if (mayThrow(fields?.get(name))) return undefined
  return next
}

function originOf(fields: ReadonlyMap<string, Origin> | undefined, source: FieldSource): Origin | undefined {
  if (source.from === 'field') {
    const maps = source.map ? [source.map] : []
    if (!fields) return { source: { from: 'field', name: source.name }, maps }
    const before = fields.get(source.name)
    return before && { source: before.source, maps: [...before.maps, ...maps] }
  }
  // A struct within a struct has no name for what is in it.
  if (source.from === 'whole' && fields) return undefined
  return { source, maps: [] }
}

function mayThrow(origin: Origin | undefined): boolean {
  return origin !== undefined && (origin.maps.length > 0 || origin.source.from === 'record')
}

function builderOf(
  input: Schema,
  fields: ReadonlyMap<string, Origin>,
): { readonly needsStruct: boolean; readonly build: Joined['build'] } {
  const origins = [...fields].map(([name, origin]) => ({ name, origin: settled(origin) }))
  const needsStruct = origins.every(({ origin }) => origin.source.from !== 'whole')
  const isCopied = ({ name, origin }: (typeof origins)[number]): boolean =>
    origin.source.from === 'field' && origin.source.name === name && origin.maps.length === 0
  // A struct that keeps all its fields is copied as a whole, which costs less than one field after the other.
  const copies = needsStruct && input.fields.every(({ name }) => isNamed(fields.get(name)?.source, name))
  const template: Record<string, unknown> = {}
  for (const { name, origin } of origins) {
    template[name] = origin.source.from === 'constant' ? origin.source.value : null
  }
  const set = origins.filter((each) => {
    if (copies) return !isCopied(each)
    return each.origin.source.from !== 'constant' || each.origin.maps.length > 0
  })
  const names = set.map(({ name }) => name)
  const reads = set.map(({ origin }) => readerOf(origin))
  return {
    needsStruct,
    build(data, record) {
      const made: Record<string, unknown> = copies ? { ...(data as Struct) } : { ...template }
      for (let i = 0; i < names.length; i++) made[names[i]!] = reads[i]!(data, record)
      return made
    },
  }
}

function isNamed(source: FieldSource | undefined, name: string): boolean {
  return source?.from === 'field' && source.name === name
}

/** What happens to a constant is known now, unless it throws. */
function settled(origin: Origin): Origin {
  const { source, maps } = origin
  if (source.from !== 'constant' || maps.length === 0) return origin
  try {
    return { source: { from: 'constant', value: maps.reduce((value, map) => map(value), source.value) }, maps: [] }
  } catch {
    return origin
  }
}

function readerOf({ source, maps }: Origin): Read {
  const read = sourceReader(source)
  const [first, ...more] = maps
  if (!first) return read
  if (more.length === 0) return (data, record) => first(read(data, record))
  return (data, record) => maps.reduce((value, map) => map(value), read(data, record))
}

function sourceReader(source: FieldSource): Read {
  switch (source.from) {
    case 'whole':
      return (data) => data
    case 'field': {
      const { name } = source
      return (data) => (data as Struct)[name] ?? null
    }
    case 'record': {
      const { read } = source
      return (_data, record) => read(record) ?? null
    }
    default: {
      const { value } = source
      return () => value
    }
  }
}

function isStruct(data: unknown): boolean {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return false
  return !(data instanceof Map || data instanceof Uint8Array || data instanceof Date || isDecimal(data))
}
