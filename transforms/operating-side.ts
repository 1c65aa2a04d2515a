import {
  type ConfigDef,
  type ConnectRecord,
  type Parsed,
  type PluginManifest,
  type Schema,
  type Transform,
  type Transformation,
  defineManifest,
  defineTransformation,
  withChanges,
} from '@millrace/sdk'

/** The version of Kafka whose transformations these are. */
export const VERSION = '4.3.1'
export const PACKAGE = 'org.apache.kafka.connect.transforms.'

/** The part of a record that a transformation works on. */
export interface Side {
  readonly name: 'Key' | 'Value'
  readonly part: 'key' | 'value'
  schema(record: ConnectRecord): Schema | null
  value(record: ConnectRecord): unknown
  with<R extends ConnectRecord>(record: R, schema: Schema | null, value: unknown): R
}

const keySide: Side = {
  name: 'Key',
  part: 'key',
  schema: (record) => record.keySchema,
  value: (record) => record.key,
  with: (record, keySchema, key) => withChanges(record, { keySchema, key }),
}

const valueSide: Side = {
  name: 'Value',
  part: 'value',
  schema: (record) => record.valueSchema,
  value: (record) => record.value,
  with: (record, valueSchema, value) => withChanges(record, { valueSchema, value }),
}

/** The two classes that Kafka makes of a transformation, `X$Key` and `X$Value`. */
export function defineSides<const D extends ConfigDef>(
  name: string,
  doc: string,
  config: D,
  create: (side: Side, config: Parsed<D>) => Transform,
): { readonly key: Transformation<D>; readonly value: Transformation<D> } {
  const define = (side: Side): Transformation<D> =>
    defineTransformation({
      name: `${PACKAGE}${name}$${side.name}`,
      version: VERSION,
      aliases: [`${name}$${side.name}`],
      doc,
      config,
      create: (parsed) => create(side, parsed),
    })
  return { key: define(keySide), value: define(valueSide) }
}

/** A transformation without sides. */
export function defineWhole<const D extends ConfigDef>(
  name: string,
  doc: string,
  config: D,
  create: (config: Parsed<D>) => Transform,
): Transformation<D> {
  return defineTransformation({ name: PACKAGE + name, version: VERSION, aliases: [name], doc, config, create })
}

/** The manifest of a transformation or predicate of Kafka. */
export function manifestOf(
  kind: 'transformation' | 'predicate',
  name: string,
  summary: string,
  load: () => Promise<unknown>,
): PluginManifest {
  const folder = kind === 'predicate' ? `${PACKAGE}predicates.` : PACKAGE
  const title = name.replace('$', ' ')
  return defineManifest({
    kind,
    name: folder + name,
    aliases: [name],
    version: VERSION,
    title,
    summary,
    stability: 'stable',
    load,
  })
}

/** The manifests of both sides of a transformation. */
export function sideManifests(
  name: string,
  summary: string,
  load: () => Promise<{ readonly default: { readonly key: unknown; readonly value: unknown } }>,
): readonly PluginManifest[] {
  return [
    manifestOf('transformation', `${name}$Key`, summary, async () => ({ default: (await load()).default.key })),
    manifestOf('transformation', `${name}$Value`, summary, async () => ({ default: (await load()).default.value })),
  ]
}
