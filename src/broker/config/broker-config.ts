import { type BrokerConfigName, brokerConfigKey } from './broker-keys.ts'
import { configBoolean, configNumber, configValueError, splitList } from './config-key.ts'
import { type ListenerConfig, parseListeners } from './listeners.ts'

/** Every problem of a broker configuration at once, each naming its key. */
export class BrokerConfigError extends Error {
  override name = 'BrokerConfigError'
  readonly code = 'INVALID_BROKER_CONFIG'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(`The broker configuration cannot be used:\n${problems.map((p) => `  - ${p}`).join('\n')}`)
    this.problems = problems
  }
}

/** The configuration of one broker: the file's values over the defaults, under those altered while it runs. */
export class BrokerConfig {
  readonly #given: ReadonlyMap<string, string>
  #dynamic: ReadonlyMap<string, string> = new Map()
  #dynamicDefault: ReadonlyMap<string, string> = new Map()
  readonly listeners: readonly ListenerConfig[]
  readonly dataDirectory: string
  readonly nodeId: number
  /** Keys of the file that mean nothing here; kept so that they can be logged. */
  readonly unknown: readonly string[]

  /** Throws BrokerConfigError with everything that is wrong. */
  constructor(given: Readonly<Record<string, string>>) {
    this.#given = new Map(Object.entries(given))
    const problems: string[] = []
    for (const [name, value] of this.#given) {
      const key = brokerConfigKey(name)
      const error = key === undefined ? undefined : configValueError(key, value)
      if (error !== undefined) problems.push(error)
    }
    this.unknown = [...this.#given.keys()].filter((name) => brokerConfigKey(name) === undefined)
    const { listeners, problems: listenerProblems } = parseListeners({
      listeners: splitList(this.string('listeners')),
      advertised: splitList(this.stringOrNull('advertised.listeners') ?? ''),
      protocolMap: splitList(this.string('listener.security.protocol.map')),
      controllerNames: splitList(this.string('controller.listener.names')),
    })
    problems.push(...listenerProblems)
    const directories = splitList(this.stringOrNull('log.dirs') ?? this.string('log.dir'))
    if (directories.length !== 1) {
      problems.push(`log.dirs names ${directories.length} directories; give exactly one`)
    }
    const clusterId = this.stringOrNull('cluster.id')
    if (clusterId !== null && !/^[A-Za-z0-9_-]{22}$/.test(clusterId)) {
      problems.push(
        `cluster.id ${clusterId} must be 22 characters of base64url, as kafka-storage random-uuid prints them`,
      )
    }
    if (problems.length > 0) throw new BrokerConfigError(problems)
    this.listeners = listeners
    this.dataDirectory = directories[0]!
    this.nodeId = configNumber(this.#given.get('node.id') ?? this.#given.get('broker.id') ?? this.string('node.id'))
  }

  stringOrNull(name: BrokerConfigName): string | null {
    return (
      this.#dynamic.get(name) ??
      this.#dynamicDefault.get(name) ??
      this.#given.get(name) ??
      brokerConfigKey(name)!.default
    )
  }

  string(name: BrokerConfigName): string {
    const value = this.stringOrNull(name)
    if (value === null) throw new BrokerConfigError([`${name} has no value`])
    return value
  }

  number(name: BrokerConfigName): number {
    return configNumber(this.string(name))
  }

  boolean(name: BrokerConfigName): boolean {
    return configBoolean(this.string(name))
  }

  /** The value of the file, if it has one. */
  givenValue(name: string): string | undefined {
    return this.#given.get(name)
  }

  /** The value that was set on this broker while it ran, if there is one. */
  dynamicValue(name: string): string | undefined {
    return this.#dynamic.get(name)
  }

  /** The value that was set as the default of all brokers while it ran, if there is one. */
  dynamicDefaultValue(name: string): string | undefined {
    return this.#dynamicDefault.get(name)
  }

  /** Replaces all values that were set while the broker ran: its own, which win, and the defaults of all brokers. */
  setDynamic(values: ReadonlyMap<string, string>, defaults: ReadonlyMap<string, string> = new Map()): void {
    this.#dynamic = values
    this.#dynamicDefault = defaults
  }
}

/** Why these values cannot be set while the broker runs; undefined when they can. */
export function dynamicBrokerConfigError(values: ReadonlyMap<string, string>): string | undefined {
  for (const [name, value] of values) {
    const key = brokerConfigKey(name)
    if (key?.dynamic !== true) return `Cannot update these configs dynamically: Set(${name})`
    const error = configValueError(key, value)
    if (error !== undefined) return error
  }
  return undefined
}
