import { type Parsed, parseConfigOrThrow, type RawConfig } from '@millrace/sdk'
import { withoutPrefix } from './config-def.ts'
import { sinkConnectorConfig } from './sink-config.ts'
import { sourceConnectorConfig } from './source-config.ts'

export type SourceConnectorConfig = Parsed<typeof sourceConnectorConfig>
export type SinkConnectorConfig = Parsed<typeof sinkConnectorConfig>

/** What the framework reads of a source connector's configuration; throws ConfigError with every problem. */
export function parseSourceConnectorConfig(raw: RawConfig): SourceConnectorConfig {
  return parseConfigOrThrow(sourceConnectorConfig, raw)
}

/** What the framework reads of a sink connector's configuration; throws ConfigError with every problem. */
export function parseSinkConnectorConfig(raw: RawConfig): SinkConnectorConfig {
  return parseConfigOrThrow(sinkConnectorConfig, raw)
}

/** A transformation or predicate of a connector, not yet resolved to a class. */
export interface AliasedPlugin {
  readonly alias: string
  readonly className: string
  /** Its own options, without the prefix. */
  readonly config: RawConfig
}

/** One step of the chain of transformations. */
export interface TransformationStep extends AliasedPlugin {
  /** The alias of the predicate that decides whether the step applies. */
  readonly predicate: string | null
  readonly negate: boolean
}

/** The aliases of `transforms`, `predicates` or `topic.creation.groups`, each once. */
export function aliasesOf(raw: RawConfig, key: string): string[] {
  const text = raw[key]?.trim() ?? ''
  return text === '' ? [] : [...new Set(text.split(/\s*,\s*/))]
}

/** The chain of transformations in the order in which they apply. */
export function transformationSteps(raw: RawConfig): TransformationStep[] {
  return aliasesOf(raw, 'transforms').map((alias) => {
    const config = withoutPrefix(raw, `transforms.${alias}.`)
    return {
      alias,
      className: config['type']?.trim() ?? '',
      config,
      predicate: config['predicate']?.trim() || null,
      negate: config['negate']?.trim().toLowerCase() === 'true',
    }
  })
}

/** The predicates of a connector. */
export function predicatesOf(raw: RawConfig): AliasedPlugin[] {
  return aliasesOf(raw, 'predicates').map((alias) => {
    const config = withoutPrefix(raw, `predicates.${alias}.`)
    return { alias, className: config['type']?.trim() ?? '', config }
  })
}

export type ConverterKey = 'key.converter' | 'value.converter' | 'header.converter'

/**
 * The converter that a connector uses, and its options. A connector that names a converter takes none of the options
 * of the worker's; a connector that names none takes the worker's converter with the worker's options.
 */
export function converterOf(
  key: ConverterKey,
  connector: RawConfig,
  worker: RawConfig,
): { readonly className: string; readonly config: RawConfig } {
  const own = connector[key]?.trim()
  const source = own ? connector : worker
  const fallback = key === 'header.converter' ? 'org.apache.kafka.connect.storage.SimpleHeaderConverter' : ''
  const { [key]: className = fallback } = source
  return { className: className.trim(), config: withoutPrefix(source, `${key}.`) }
}
