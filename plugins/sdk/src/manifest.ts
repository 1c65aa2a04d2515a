import type { ConverterDefinition, HeaderConverterDefinition } from './converter.ts'
import type { SinkConnector, SourceConnector } from './connector.ts'
import type { PredicateDefinition, Transformation } from './transform.ts'

export type PluginKind = 'source' | 'sink' | 'transformation' | 'predicate' | 'converter' | 'header-converter'

/** Any plugin definition. The config type is erased: the runtime parses by `config` before it calls. */
export type PluginDefinition =
  | SourceConnector
  | SinkConnector
  | Transformation
  | PredicateDefinition
  | ConverterDefinition
  | HeaderConverterDefinition

/** What is known of a plugin without importing its code. */
export interface PluginManifest {
  readonly kind: PluginKind
  /** The class name users write; also its identity in lists. */
  readonly name: string
  /** Java class names and other names that mean the same plugin. */
  readonly aliases: readonly string[]
  readonly version: string
  readonly title: string
  readonly summary: string
  readonly stability: 'stable' | 'preview'
  /** Connectors only. at-most-once: what is lost on the way is not asked for again. */
  readonly delivery?: 'at-most-once' | 'at-least-once' | 'exactly-once'
  /** Imports the definition; called only where a task, connector or validation of it runs. */
  readonly load: () => Promise<unknown>
}

/** Declares a manifest; `load` resolves to a module whose default export is the definition. */
export function defineManifest(manifest: PluginManifest): PluginManifest {
  return manifest
}
