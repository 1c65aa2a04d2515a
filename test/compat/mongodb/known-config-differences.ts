import type { ConfigCase } from './config-cases.ts'

interface Known {
  readonly why: string
  /** What ours says, where the original says the opposite. */
  readonly ours: 'accepted' | 'refused'
  readonly keys: readonly string[]
  /** Left out: all values. */
  readonly values?: readonly (string | RegExp)[]
}

/** Where other configurations are taken than those of the original, on purpose. */
export const CONFIG_KNOWN: readonly Known[] = [
  {
    why: 'empty is as if it were not there: errors.tolerance counts; the original refuses it',
    ours: 'accepted',
    keys: ['mongo.errors.tolerance'],
    values: [''],
  },
  {
    why: 'delete.on.null.values works with UuidProvidedInKeyStrategy too, which makes ids of keys',
    ours: 'accepted',
    keys: ['delete.on.null.values, document.id.strategy'],
    values: [/UuidProvidedInKeyStrategy/],
  },
  {
    why: 'whether the server can do time series is seen when the collection is made; the original asks before',
    ours: 'accepted',
    keys: ['timeseries.timefield'],
    values: ['at'],
  },
  {
    why: 'names of databases that every server refuses are refused with the options',
    ours: 'refused',
    keys: ['database'],
    values: ['a$b', /^l+$/],
  },
  {
    why: 'classes that cannot be loaded are refused with the options; the original loads them when they are needed',
    ours: 'refused',
    keys: ['delete.writemodel.strategy', 'output.json.formatter'],
    values: ['x.Nope'],
  },
  {
    why: 'renames without a name, or with a pattern that is none, are refused with the options; the original fails with records',
    ours: 'refused',
    keys: ['field.renamer.mapping', 'field.renamer.regexp'],
    values: ['[{"oldName": "value.a"}]', '[{}]', /"regexp": "\("/],
  },
  {
    why: 'what needs timeseries.timefield is refused without it; the original passes it over',
    ours: 'refused',
    keys: ['timeseries.timefield.auto.convert'],
  },
  {
    why: 'a time before 1970 has no place in an oplog',
    ours: 'refused',
    keys: ['startup.mode.timestamp.start.at.operation.time'],
    values: ['-1'],
  },
  {
    why: 'an override that has no effect is refused; the original passes it over',
    ours: 'refused',
    keys: ['topic.override.t.connection.uri', 'topic.override.t.nope'],
  },
  {
    why: "Java's key stores and classes cannot be used here, and are refused by name",
    ours: 'refused',
    keys: ['connection.ssl.truststore', 'mongo.custom.auth.mechanism.enable'],
  },
]

/** Why a difference is meant, or undefined. */
export function whyConfigKnown({ key, value }: ConfigCase, ours: 'accepted' | 'refused'): string | undefined {
  const isOf = (known: string | RegExp): boolean => (typeof known === 'string' ? known === value : known.test(value))
  return CONFIG_KNOWN.find((known) => {
    return known.ours === ours && known.keys.includes(key) && (known.values?.some(isOf) ?? true)
  })?.why
}
