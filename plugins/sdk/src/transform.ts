import type { ConfigDef, Parsed } from './config.ts'
import type { PluginContext } from './connector.ts'
import type { ConnectRecord } from './record.ts'
import type { Schema } from './schema.ts'

/** A configured single message transform. */
export interface Transform {
  /** Gives the record back, changed or not, or null to drop it. Throw DataError for a record that does not fit. */
  apply<R extends ConnectRecord>(record: R): R | null
  /** Set where the result is a struct that can be told from the schema alone; the runtime may then leave `apply` out. */
  readonly structs?: StructPlanner
  close?(): void
}

/** Where a field of a planned struct comes from. */
export type FieldSource =
  /** The whole key or value, as it came. */
  | { readonly from: 'whole' }
  /** A field of the struct that came. `map` looks at the value alone, and throws DataError where `apply` would. */
  | { readonly from: 'field'; readonly name: string; readonly map?: (value: unknown) => unknown }
  /** The record, but for its key and value. */
  | { readonly from: 'record'; readonly read: (record: ConnectRecord) => unknown }
  | { readonly from: 'constant'; readonly value: unknown }

/** What a transformation makes of data of one schema: a struct of this schema. */
export interface StructPlan {
  readonly schema: Schema
  /** One for each field of the schema, in its order. */
  readonly sources: readonly FieldSource[]
}

/**
 * Tells beforehand what `apply` does to all records whose key or value has a certain schema and is not null. Several
 * such transformations in a row are joined: the runtime makes the last struct straight from the first data, without
 * the records and structs in between. What a plan gives must equal what `apply` gives.
 */
export interface StructPlanner {
  /** The part of a record that is changed; nothing else is. */
  readonly part: 'key' | 'value'
  /** Undefined for a schema that has to be looked at record by record. Called once for each schema object. */
  plan(schema: Schema): StructPlan | undefined
}

/** A configured predicate. */
export interface Predicate {
  test(record: ConnectRecord): boolean
  close?(): void
}

export interface Transformation<D extends ConfigDef = ConfigDef> {
  readonly kind: 'transformation'
  /** The class name users write, for example `InsertField$Value`. */
  readonly name: string
  readonly version: string
  readonly aliases?: readonly string[]
  readonly doc: string
  readonly config: D
  create(config: Parsed<D>, context: PluginContext): Transform
}

export interface PredicateDefinition<D extends ConfigDef = ConfigDef> {
  readonly kind: 'predicate'
  readonly name: string
  readonly version: string
  readonly aliases?: readonly string[]
  readonly doc: string
  readonly config: D
  create(config: Parsed<D>, context: PluginContext): Predicate
}

/** Declares a single message transform. `create` throws ConfigError when keys do not fit together. */
export function defineTransformation<const D extends ConfigDef>(
  definition: Omit<Transformation<D>, 'kind'>,
): Transformation<D> {
  return { kind: 'transformation', ...definition }
}

/** Declares a predicate. */
export function definePredicate<const D extends ConfigDef>(
  definition: Omit<PredicateDefinition<D>, 'kind'>,
): PredicateDefinition<D> {
  return { kind: 'predicate', ...definition }
}
