import { apis } from '../../protocol/index.ts'
import type { Cluster, Target } from '../cluster.ts'
import { brokerError } from '../errors.ts'
import type { AdminCallOptions } from './topics.ts'
import type { KeyedResult } from './results.ts'

export type ConfigResourceType = 'topic' | 'broker' | 'broker-logger' | 'client-metrics' | 'group'

export interface ConfigResource {
  readonly type: ConfigResourceType
  readonly name: string
}

export type ConfigSource =
  | 'UNKNOWN'
  | 'DYNAMIC_TOPIC_CONFIG'
  | 'DYNAMIC_BROKER_CONFIG'
  | 'DYNAMIC_DEFAULT_BROKER_CONFIG'
  | 'STATIC_BROKER_CONFIG'
  | 'DEFAULT_CONFIG'
  | 'DYNAMIC_BROKER_LOGGER_CONFIG'
  | 'DYNAMIC_CLIENT_METRICS_CONFIG'
  | 'DYNAMIC_GROUP_CONFIG'

export interface ConfigEntry {
  readonly name: string
  readonly value: string | null
  readonly source: ConfigSource
  readonly isDefault: boolean
  readonly isReadOnly: boolean
  readonly isSensitive: boolean
  readonly synonyms: readonly { readonly name: string; readonly value: string | null; readonly source: ConfigSource }[]
  readonly documentation: string | null
}

export type AlterConfigOp = 'set' | 'delete' | 'append' | 'subtract'

export interface ConfigChange {
  readonly name: string
  readonly op: AlterConfigOp
  readonly value?: string | null
}

const TYPE_CODES: Readonly<Record<ConfigResourceType, number>> = {
  topic: 2,
  broker: 4,
  'broker-logger': 8,
  'client-metrics': 16,
  group: 32,
}

const SOURCES: readonly ConfigSource[] = [
  'UNKNOWN',
  'DYNAMIC_TOPIC_CONFIG',
  'DYNAMIC_BROKER_CONFIG',
  'DYNAMIC_DEFAULT_BROKER_CONFIG',
  'STATIC_BROKER_CONFIG',
  'DEFAULT_CONFIG',
  'DYNAMIC_BROKER_LOGGER_CONFIG',
  'DYNAMIC_CLIENT_METRICS_CONFIG',
  'DYNAMIC_GROUP_CONFIG',
]

const OPS: readonly AlterConfigOp[] = ['set', 'delete', 'append', 'subtract']

/** `topic:orders`, the key of results about resources. */
export function resourceKey({ type, name }: ConfigResource): string {
  return `${type}:${name}`
}

function typeOf(code: number): ConfigResourceType {
  const entry = Object.entries(TYPE_CODES).find(([, value]) => value === code)
  return (entry?.[0] ?? 'topic') as ConfigResourceType
}

/** The part of the admin client about configurations. */
export class ConfigAdmin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** Results by `resourceKey`. */
  async describe(
    resources: readonly (ConfigResource & { readonly names?: readonly string[] })[],
    options: AdminCallOptions & { includeSynonyms?: boolean; includeDocumentation?: boolean } = {},
  ): Promise<KeyedResult<ConfigEntry[]>> {
    const result: KeyedResult<ConfigEntry[]> = new Map()
    for (const [target, list] of Map.groupBy(resources, targetOf)) {
      const request = {
        resources: list.map(({ type, name, names }) => ({
          resourceType: TYPE_CODES[type],
          resourceName: name,
          configurationKeys: names ?? null,
        })),
        includeSynonyms: options.includeSynonyms ?? false,
        includeDocumentation: options.includeDocumentation ?? false,
      }
      const answer = await this.#send('DescribeConfigs', target, options, () =>
        this.#cluster.request(target, apis.describeConfigs, request),
      )
      for (const one of answer.results) {
        const key = resourceKey({ type: typeOf(one.resourceType), name: one.resourceName })
        if (one.errorCode !== 0) result.set(key, { error: brokerError(one.errorCode, key, one.errorMessage) })
        else result.set(key, { value: one.configs.map(toEntry) })
      }
    }
    return result
  }

  /** Changes single keys and leaves the others. */
  async incrementalAlter(
    changes: readonly (ConfigResource & { readonly changes: readonly ConfigChange[] })[],
    options: AdminCallOptions & { validateOnly?: boolean } = {},
  ): Promise<KeyedResult<void>> {
    const result: KeyedResult<void> = new Map()
    for (const [target, list] of Map.groupBy(changes, targetOf)) {
      const request = {
        resources: list.map(({ type, name, changes: ops }) => ({
          resourceType: TYPE_CODES[type],
          resourceName: name,
          configs: ops.map((op) => ({
            name: op.name,
            configOperation: OPS.indexOf(op.op),
            value: op.op === 'delete' ? null : (op.value ?? null),
          })),
        })),
        validateOnly: options.validateOnly ?? false,
      }
      const answer = await this.#send('IncrementalAlterConfigs', target, options, () =>
        this.#cluster.request(target, apis.incrementalAlterConfigs, request),
      )
      note(result, answer.responses)
    }
    return result
  }

  /** Replaces all keys of a resource: those not named go back to their default. */
  async alter(
    resources: readonly (ConfigResource & { readonly configs: Readonly<Record<string, string | null>> })[],
    options: AdminCallOptions & { validateOnly?: boolean } = {},
  ): Promise<KeyedResult<void>> {
    const result: KeyedResult<void> = new Map()
    for (const [target, list] of Map.groupBy(resources, targetOf)) {
      const request = {
        resources: list.map(({ type, name, configs }) => ({
          resourceType: TYPE_CODES[type],
          resourceName: name,
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        })),
        validateOnly: options.validateOnly ?? false,
      }
      const answer = await this.#send('AlterConfigs', target, options, () =>
        this.#cluster.request(target, apis.alterConfigs, request),
      )
      note(result, answer.responses)
    }
    return result
  }

  #send<T>(what: string, target: Target, options: AdminCallOptions, attempt: () => Promise<T>): Promise<T> {
    const known = async () => {
      const unknown = typeof target === 'number' && !this.#cluster.metadata.brokers.has(target)
      if (unknown) await this.#cluster.refresh()
      return attempt()
    }
    return this.#cluster.retrying(what, known, options)
  }
}

/** A broker's own configuration is asked of that broker. */
function targetOf({ type, name }: ConfigResource): Target {
  return (type === 'broker' || type === 'broker-logger') && name !== '' ? Number(name) : 'any'
}

interface AlterAnswer {
  readonly errorCode: number
  readonly errorMessage: string | null
  readonly resourceType: number
  readonly resourceName: string
}

function note(result: KeyedResult<void>, answers: readonly AlterAnswer[]): void {
  for (const { errorCode, errorMessage, resourceType, resourceName } of answers) {
    const key = resourceKey({ type: typeOf(resourceType), name: resourceName })
    const error = errorCode === 0 ? undefined : brokerError(errorCode, key, errorMessage)
    result.set(key, error ? { error } : { value: undefined })
  }
}

interface ConfigAnswer {
  readonly name: string
  readonly value: string | null
  readonly readOnly: boolean
  readonly configSource: number
  readonly isSensitive: boolean
  readonly synonyms: readonly { readonly name: string; readonly value: string | null; readonly source: number }[]
  readonly documentation: string | null
}

function sourceOf(code: number): ConfigSource {
  return SOURCES[code] ?? 'UNKNOWN'
}

function toEntry(config: ConfigAnswer): ConfigEntry {
  const source = sourceOf(config.configSource)
  return {
    name: config.name,
    value: config.value,
    source,
    isDefault: source === 'DEFAULT_CONFIG',
    isReadOnly: config.readOnly,
    isSensitive: config.isSensitive,
    synonyms: config.synonyms.map((synonym) => ({ ...synonym, source: sourceOf(synonym.source) })),
    documentation: config.documentation,
  }
}
