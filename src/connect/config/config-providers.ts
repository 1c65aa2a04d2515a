import { isAbsolute, join, normalize, sep } from 'node:path'
import { ConfigError, type RawConfig } from '@millrace/sdk'
import { type Disk, parseProperties } from '../../base/index.ts'
import type { Redaction } from '../host/redaction.ts'
import type { ConfigInfos } from './config-infos.ts'

/** Kafka's pattern: `${alias:path:key}` or `${alias:key}`; what follows the second colon is the key, colons included. */
const VARIABLE = /\$\{([^}]*?):(?:([^}]*?):)?([^}]*?)\}/g

/** Shorter values would tear holes into every text and are no secrets worth the name. */
const MIN_SECRET_LENGTH = 4

/** A larger file is no file of settings, and would be read on the loop that keeps the worker in its group. */
const MAX_FILE_BYTES = 1 << 20

/** A configuration with the values of its variables. */
export interface Resolution {
  /** A value with a variable that cannot be resolved is left as it was written. */
  readonly config: RawConfig
  /** What the providers answered: secrets, longest first, each with the variable that stands for it. */
  readonly secrets: ReadonlyMap<string, string>
  /** One for each variable that cannot be resolved; the message says which one and what to do. */
  readonly issues: readonly { readonly key: string; readonly message: string }[]
}

/** Puts values from outside into configurations (KIP-297). */
export interface ConfigProviders {
  resolve(config: RawConfig): Resolution
}

export interface ProviderSources {
  readonly disk: Disk
  readonly environment: Readonly<Record<string, string | undefined>>
}

/** Answers the value of a key; throws a ConfigError whose message says why there is none, and what to do. */
type Provider = (path: string, key: string) => string

/** What a provider is made from: a function that reads a parameter, and the name of that parameter's property. */
interface Parameters {
  readonly get: (name: string) => string | undefined
  readonly property: (name: string) => string
}

const PROVIDERS: Readonly<Record<string, (parameters: Parameters, sources: ProviderSources) => Provider>> = {
  FileConfigProvider: fileProvider,
  DirectoryConfigProvider: directoryProvider,
  EnvVarConfigProvider: environmentProvider,
}
const KAFKA_PACKAGE = 'org.apache.kafka.common.config.provider.'

/** The providers that a worker's properties set up; throws where they are set up wrongly. */
export function createConfigProviders(worker: RawConfig, sources: ProviderSources): ConfigProviders {
  const aliases = (worker['config.providers'] ?? '').split(',').map((alias) => alias.trim())
  const providers = new Map<string, Provider>()
  for (const alias of aliases) {
    if (alias !== '') providers.set(alias, createProvider(alias, worker, sources))
  }
  return { resolve: (config) => resolveAll(config, providers) }
}

function createProvider(alias: string, worker: RawConfig, sources: ProviderSources): Provider {
  const property = `config.providers.${alias}.class`
  const className = worker[property]?.trim()
  const known = Object.keys(PROVIDERS).join(', ')
  if (className === undefined || className === '') {
    throw new ConfigError(`Missing required configuration ${property}: config.providers names ${alias}; use ${known}`)
  }
  const simple = className.startsWith(KAFKA_PACKAGE) ? className.slice(KAFKA_PACKAGE.length) : className
  const create = Object.hasOwn(PROVIDERS, simple) ? PROVIDERS[simple] : undefined
  if (!create) {
    throw new ConfigError(
      `Invalid value ${className} for configuration ${property}: there is no such config provider; use ${known}`,
    )
  }
  const parameter = (name: string) => `config.providers.${alias}.param.${name}`
  return create({ get: (name) => worker[parameter(name)], property: parameter }, sources)
}

function resolveAll(raw: RawConfig, providers: ReadonlyMap<string, Provider>): Resolution {
  if (providers.size === 0) return { config: raw, secrets: new Map(), issues: [] }
  const config: Record<string, string> = {}
  const found: (readonly [value: string, variable: string])[] = []
  const issues: { key: string; message: string }[] = []
  for (const [key, text] of Object.entries(raw)) {
    const problems = issues.length
    const resolved = text.replace(VARIABLE, (variable, alias: string, path: string | undefined, name: string) => {
      const provider = providers.get(alias)
      // As in Kafka: an alias that nobody set up is no variable, because templates of connectors look alike.
      if (!provider) return variable
      try {
        const value = provider(path ?? '', name)
        // Files end in a line feed that parsing takes away: both forms are known.
        for (const form of new Set([value, value.trim()])) {
          if (form.length >= MIN_SECRET_LENGTH) found.push([form, variable])
        }
        return value
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error
        issues.push({ key, message: `Cannot resolve ${variable} for configuration ${key}: ${error.message}` })
        return variable
      }
    })
    config[key] = issues.length === problems ? resolved : text
  }
  return { config, secrets: new Map(found.toSorted(([a], [b]) => b.length - a.length)), issues }
}

/**
 * Puts the variables back into what a connector made of its configuration, so that no secret is written to the topic.
 * Invariant 10: also where the connector has taken the value over to another key, or into a longer text.
 */
export function withVariables(made: RawConfig, raw: RawConfig, { config, secrets }: Resolution): RawConfig {
  if (config === raw) return made
  const values = [...secrets.keys()].map((value) => value.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  const anySecret = values.length === 0 ? null : new RegExp(values.join('|'), 'g')
  const original = (key: string, value: string): string => {
    const written = raw[key]
    if (written !== undefined && config[key] !== written && config[key]?.trim() === value.trim()) return written
    return anySecret === null ? value : value.replace(anySecret, (secret) => secrets.get(secret) ?? secret)
  }
  return Object.fromEntries(Object.entries(made).map(([key, value]) => [key, original(key, value)]))
}

/**
 * The answer of a validation as it may be shown: with variables instead of their values, and with an error for each
 * variable that could not be resolved.
 */
export function withoutValues(
  infos: ConfigInfos,
  raw: RawConfig,
  { config, issues }: Resolution,
  redaction: Pick<Redaction, 'text'>,
): ConfigInfos {
  if (config === raw) return infos
  const own = new Map<string, string[]>()
  for (const { key, message } of issues) own.set(key, [...(own.get(key) ?? []), message])
  const configs = infos.configs.map(({ definition, value }) => {
    const { name } = value
    const written = raw[name]
    const resolved = config[name]
    const isVariable = written !== undefined && resolved !== undefined && resolved !== written
    const shown = (text: string): string => {
      const [quoted, variable] = [`Invalid value ${resolved?.trim()} `, `Invalid value ${written} `]
      return redaction.text(isVariable ? text.replace(quoted, () => variable) : text)
    }
    // What is said of a text with an unresolved variable in it says nothing of the value.
    const errors = own.get(name) ?? value.errors.map(shown)
    own.delete(name)
    const recommended = value.recommended_values.map((text) => redaction.text(text))
    return {
      definition,
      value: { ...value, value: isVariable ? written : value.value, errors, recommended_values: recommended },
    }
  })
  for (const [name, errors] of own) {
    const value = { name, value: raw[name] ?? null, recommended_values: [], errors, visible: true }
    configs.push({ definition: null, value })
  }
  const errorCount = configs.reduce((sum, { value }) => sum + value.errors.length, 0)
  return { ...infos, error_count: errorCount, configs }
}

/** Reads a small file; the reasons why not are told apart, because the fix is another one. */
function readSmallFile(disk: Disk, path: string): string {
  try {
    const { size } = disk.stat(path)
    if (size > MAX_FILE_BYTES) throw new ConfigError(`${path} has ${size} bytes; at most ${MAX_FILE_BYTES} are read`)
    // Pipes and devices have no size, and reading one might never end.
    return size === 0 ? '' : disk.readFile(path).toString('utf8')
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const { code } = error as { code?: string }
    throw new ConfigError(`${path} cannot be read (${code ?? 'unknown reason'}); make it readable for the worker`)
  }
}

/** The folders of `allowed.paths`; null when everything may be read. */
function allowedPaths({ get, property }: Parameters, disk: Disk): readonly string[] | null {
  const paths = (get('allowed.paths') ?? '').split(',').map((path) => path.trim())
  const given = paths.filter((path) => path !== '')
  for (const path of given) {
    if (isAbsolute(path) && disk.exists(path)) continue
    const wrong = isAbsolute(path)
      ? 'does not exist; create it or take it out'
      : 'is not absolute; write the whole path'
    throw new ConfigError(`Invalid value ${path} for configuration ${property('allowed.paths')}: the path ${wrong}`)
  }
  return given.length === 0 ? null : given.map((path) => normalize(path))
}

function requireAllowed(path: string, allowed: readonly string[] | null, property: string): string {
  if (path === '') throw new ConfigError('it names no path; write ${alias:path:key}')
  if (allowed === null) return path
  const clean = normalize(path)
  const within = (folder: string) => clean === folder || clean.startsWith(folder.endsWith(sep) ? folder : folder + sep)
  if (allowed.some(within)) return clean
  throw new ConfigError(`${path} is not below ${property} (${allowed.join(', ')}); move the file or allow its folder`)
}

function fileProvider(parameters: Parameters, { disk }: ProviderSources): Provider {
  const allowed = allowedPaths(parameters, disk)
  return (path, key) => {
    const file = requireAllowed(path, allowed, parameters.property('allowed.paths'))
    const text = readSmallFile(disk, file)
    const values = parsed(text, file)
    const value = Object.hasOwn(values, key) ? values[key] : undefined
    if (value === undefined) throw new ConfigError(`${file} has no key ${key}; add ${key}=...`)
    return value
  }
}

function parsed(text: string, file: string): Readonly<Record<string, string>> {
  try {
    return parseProperties(text)
  } catch (error) {
    throw new ConfigError(`${file} is no properties file: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function directoryProvider(parameters: Parameters, { disk }: ProviderSources): Provider {
  const allowed = allowedPaths(parameters, disk)
  return (path, key) => {
    const folder = requireAllowed(path, allowed, parameters.property('allowed.paths'))
    // The key is the name of a file of the folder, never a way out of it.
    if (key === '' || key === '..' || key === '.' || key.includes('/') || key.includes(sep)) {
      throw new ConfigError(`${key} is no name of a file; write \${alias:folder:file}`)
    }
    const file = join(folder, key)
    if (!disk.exists(file)) throw new ConfigError(`${folder} has no file ${key}; create it`)
    return readSmallFile(disk, file)
  }
}

function environmentProvider({ get, property }: Parameters, { environment }: ProviderSources): Provider {
  const pattern = get('allowlist.pattern')
  const allowed = pattern === undefined ? null : wholePattern(pattern, property('allowlist.pattern'))
  return (path, key) => {
    if (path !== '')
      throw new ConfigError(`a path is not supported for variables of the environment; leave out ${path}`)
    if (allowed !== null && !allowed.test(key)) {
      throw new ConfigError(
        `${key} does not match ${property('allowlist.pattern')} (${pattern}); rename it or widen it`,
      )
    }
    const value = Object.hasOwn(environment, key) ? environment[key] : undefined
    if (value === undefined)
      throw new ConfigError(`the worker's environment has no ${key}; set it and restart the worker`)
    return value
  }
}

function wholePattern(pattern: string, property: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`)
  } catch {
    throw new ConfigError(`Invalid value ${pattern} for configuration ${property}: it is no regular expression`)
  }
}
