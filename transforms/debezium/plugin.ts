import {
  type ConfigDef,
  defineManifest,
  defineTransformation,
  type Parsed,
  type PluginContext,
  type PluginManifest,
  type Transform,
  type Transformation,
} from '@millrace/sdk'

/** The version of Debezium whose transformations these are. */
const VERSION = '3.7.0.Final'
const PACKAGE = 'io.debezium.transforms.'

const simpleName = (path: string): string => path.slice(path.lastIndexOf('.') + 1)

/** A transformation of Debezium; the path is its class name within `io.debezium.transforms`. */
export function defineDebezium<const D extends ConfigDef>(
  path: string,
  doc: string,
  config: D,
  create: (config: Parsed<D>, context: PluginContext) => Transform,
): Transformation<D> {
  const name = PACKAGE + path
  return defineTransformation({ name, version: VERSION, aliases: [simpleName(path)], doc, config, create })
}

/** The manifest of a transformation of Debezium. */
export function debeziumManifest(path: string, summary: string, load: () => Promise<unknown>): PluginManifest {
  const title = simpleName(path)
  const name = PACKAGE + path
  const common = { kind: 'transformation', version: VERSION, stability: 'stable', title, summary, load } as const
  return defineManifest({ ...common, name, aliases: [title] })
}
