import type { ConfigDef, Parsed } from './config.ts'
import type { ConnectRecord } from './record.ts'

/** A configured single message transform. */
export interface Transform {
  /** Gives the record back, changed or not, or null to drop it. Throw DataError for a record that does not fit. */
  apply<R extends ConnectRecord>(record: R): R | null
  close?(): void
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
  create(config: Parsed<D>): Transform
}

export interface PredicateDefinition<D extends ConfigDef = ConfigDef> {
  readonly kind: 'predicate'
  readonly name: string
  readonly version: string
  readonly aliases?: readonly string[]
  readonly doc: string
  readonly config: D
  create(config: Parsed<D>): Predicate
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
