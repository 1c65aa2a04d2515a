/** Kafka's config types. */
export type ConfigType = 'string' | 'int' | 'long' | 'short' | 'double' | 'boolean' | 'list' | 'class' | 'password'
export type Importance = 'high' | 'medium' | 'low'
export type Width = 'none' | 'short' | 'medium' | 'long'

/** The JavaScript value of a config type. A long beyond 2^53 is rounded to the nearest number: such values mean "for ever". */
export type ConfigValue<K extends ConfigType> = K extends 'int' | 'short' | 'long' | 'double'
  ? number
  : K extends 'boolean'
    ? boolean
    : K extends 'list'
      ? readonly string[]
      : string

/** One key of a configuration: the single source of its type, parsing, validation, documentation, form and redaction. */
export interface ConfigKey<K extends ConfigType = ConfigType> {
  readonly type: K
  readonly doc: string
  readonly importance: Importance
  /** Left out: the key is required. Null: it may be absent and is null then. */
  readonly default?: ConfigValue<K> | null
  /** The legal values of a string, or of the members of a list. Matching ignores no case unless `ignoreCase` is set. */
  readonly oneOf?: readonly string[]
  readonly ignoreCase?: boolean
  /** Bounds of a number, both included. */
  readonly min?: number
  readonly max?: number
  /** A string or list that may not be empty. */
  readonly nonEmpty?: boolean
  /** A list whose members may not repeat nor be empty, as Kafka's own lists. */
  readonly unique?: boolean
  /** Says what is wrong with a parsed value, or undefined. Pure: no I/O. */
  readonly validate?: (value: never, all: Readonly<Record<string, unknown>>) => string | undefined
  /** Values to offer in a form. */
  readonly recommend?: (all: Readonly<Record<string, unknown>>) => readonly string[]
  /** Whether the key matters with the other values; false hides it. */
  readonly visible?: (all: Readonly<Record<string, unknown>>) => boolean
  readonly group?: string
  readonly order?: number
  readonly width?: Width
  readonly displayName?: string
  readonly dependents?: readonly string[]
  /** A value for the documentation where free text is asked. */
  readonly example?: string
  /** Older names of the key that are still read. */
  readonly aliases?: readonly string[]
}

/** A configuration: its keys, in the order of the documentation. */
export type ConfigDef = Readonly<Record<string, { [K in ConfigType]: ConfigKey<K> }[ConfigType]>>

type OneOf<F> = F extends { type: 'list' } ? never : F extends { oneOf: readonly (infer U)[] } ? U : never
type Base<F> = [OneOf<F>] extends [never]
  ? F extends { type: infer K extends ConfigType }
    ? ConfigValue<K>
    : never
  : OneOf<F>

/** The parsed form of a definition, inferred from it. */
export type Parsed<D extends ConfigDef> = {
  readonly [N in keyof D]: D[N] extends { default: infer V }
    ? null extends V
      ? Base<D[N]> | null
      : Base<D[N]>
    : Base<D[N]>
}

/** Declares a configuration. Types of the parsed values follow from it; write no interface by hand. */
export function defineConfig<const D extends ConfigDef>(definition: D): D {
  return definition
}
