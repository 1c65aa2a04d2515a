import { HIDDEN, type RawConfig } from '@millrace/sdk'
import type { ConfigInfos, ConfigKeyInfo } from '../config/config-infos.ts'

/** Keys whose value is a secret though no definition at hand says so: those of clients, and of plugins that are gone. */
const SECRET_NAME =
  /(^|[._-])(password|passwd|secret|token|api[._-]?key|private[._-]?key|credentials?|jaas[._-]config|keystore[._-]key)$/i

/** A reference to a config provider says where the secret is, not what it is, and is answered as written. */
const PROVIDER_REFERENCE = /^\$\{[^}]+\}$/

/** Answers the definitions of a plugin class; rejects when there is no such plugin. */
export type DefinitionLookup = (className: string) => Promise<readonly ConfigKeyInfo[]>

/** Where a configuration names plugins, and the prefix of their keys. */
function pluginsNamedIn(config: RawConfig): readonly (readonly [className: string, prefix: string])[] {
  const named: (readonly [string, string])[] = []
  for (const [key, value] of Object.entries(config)) {
    if (key === 'connector.class') named.push([value, ''])
    else if (/^(key|value|header)\.converter$/.test(key)) named.push([value, `${key}.`])
    else if (/^(transforms|predicates)\.[^.]+\.type$/.test(key)) named.push([value, key.slice(0, -'type'.length)])
  }
  return named
}

/**
 * Knows which values of a configuration are secret, from the definitions of the plugins that it names.
 * Invariant 10: a value marked password leaves in no answer.
 */
export class Secrets {
  private readonly passwordKeys = new Map<string, Promise<ReadonlySet<string>>>()
  private readonly definitions: DefinitionLookup

  constructor(definitions: DefinitionLookup) {
    this.definitions = definitions
  }

  private keysOf(className: string): Promise<ReadonlySet<string>> {
    let keys = this.passwordKeys.get(className)
    if (!keys) {
      keys = this.definitions(className).then(
        (infos) => new Set(infos.filter((info) => info.type === 'PASSWORD').map((info) => info.name)),
        () => {
          // A plugin that is not there now may be installed later: its definitions are asked for again.
          this.passwordKeys.delete(className)
          return new Set<string>()
        },
      )
      this.passwordKeys.set(className, keys)
    }
    return keys
  }

  /** The keys of the configuration whose values are secret. */
  async secretKeys(config: RawConfig): Promise<ReadonlySet<string>> {
    const secret = new Set(Object.keys(config).filter((key) => SECRET_NAME.test(key)))
    for (const [className, prefix] of pluginsNamedIn(config)) {
      for (const key of await this.keysOf(className)) if (config[prefix + key] !== undefined) secret.add(prefix + key)
    }
    for (const key of secret) if (PROVIDER_REFERENCE.test(config[key] ?? '')) secret.delete(key)
    return secret
  }

  /** The configuration with its secrets hidden. */
  async mask(config: RawConfig): Promise<RawConfig> {
    const secret = await this.secretKeys(config)
    if (secret.size === 0) return config
    return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, secret.has(key) ? HIDDEN : value]))
  }
}

/** What a client read and sends back: a hidden value means the stored one. */
export function restoreHidden(submitted: RawConfig, stored: RawConfig | null): RawConfig {
  if (stored === null || !Object.values(submitted).includes(HIDDEN)) return submitted
  return Object.fromEntries(
    Object.entries(submitted).map(([key, value]) => [key, value === HIDDEN ? (stored[key] ?? value) : value]),
  )
}

/** Hides submitted passwords in the answer of a validation. */
export function maskInfos(infos: ConfigInfos): ConfigInfos {
  const configs = infos.configs.map((config) =>
    config.definition?.type === 'PASSWORD' && config.value.value !== null && config.value.value !== ''
      ? { ...config, value: { ...config.value, value: HIDDEN } }
      : config,
  )
  return { ...infos, configs }
}

/** Takes secret values out of a text such as a stack trace. */
export function scrub(text: string, secretValues: readonly string[]): string {
  let clean = text
  for (const value of secretValues) if (value.length >= MIN_SCRUBBED_LENGTH) clean = clean.replaceAll(value, HIDDEN)
  return clean
}

/** Shorter values would tear holes into every text and are no secrets worth the name. */
const MIN_SCRUBBED_LENGTH = 4
