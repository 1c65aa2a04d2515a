import { HIDDEN, type RawConfig } from '@millrace/sdk'
import type { Clock } from '../../base/index.ts'
import type { ConfigInfos, ConfigKeyInfo } from '../config/config-infos.ts'

/** Keys whose value is a secret though no definition at hand says so: those of clients, and of plugins that are gone. */
const SECRET_NAME =
  /(^|[._-])(password|passwd|secret|token|api[._-]?key|private[._-]?key|credentials?|jaas[._-]config|keystore[._-]key)$/i

/** A reference to a config provider says where the secret is, not what it is, and is answered as written. */
const PROVIDER_REFERENCE = /^\$\{[^}]+\}$/

/** Keys that are never secret and that an answer needs to make sense. */
const OPEN_KEY =
  /^(name|connector\.class|tasks\.max|topics|topics\.regex|transforms|predicates|(key|value|header)\.converter|(transforms|predicates)\.[^.]+\.type)$/

/** Answers the definitions of a plugin class; null when there is no such plugin. */
export type DefinitionLookup = (className: string) => Promise<readonly ConfigKeyInfo[]> | null

/** How long an answer waits for the definitions of a plugin; its code may hang. */
const LOOKUP_MS_MAX = 3000

/** The password keys of a plugin; unknown when it did not say in time. */
type PasswordKeys = ReadonlySet<string> | 'unknown'

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
  private readonly clock: Clock

  constructor(definitions: DefinitionLookup, clock: Clock) {
    this.definitions = definitions
    this.clock = clock
  }

  private async keysOf(className: string): Promise<PasswordKeys> {
    let keys = this.passwordKeys.get(className)
    if (!keys) {
      const lookup = this.definitions(className)
      // A plugin that is not there now may be installed later: nothing of it is remembered.
      if (lookup === null) return new Set()
      keys = lookup.then((infos) => new Set(infos.filter((info) => info.type === 'PASSWORD').map((info) => info.name)))
      keys.catch(() => this.passwordKeys.delete(className))
      this.passwordKeys.set(className, keys)
    }
    return inTime(this.clock, keys)
  }

  /** The keys of the configuration whose values are secret. */
  async secretKeys(config: RawConfig): Promise<ReadonlySet<string>> {
    const secret = new Set(Object.keys(config).filter((key) => SECRET_NAME.test(key)))
    for (const [className, prefix] of pluginsNamedIn(config)) {
      const keys = await this.keysOf(className)
      for (const key of Object.keys(config)) {
        const own = key.startsWith(prefix) ? key.slice(prefix.length) : null
        // What cannot be told apart is hidden: a secret shown is worse than a harmless value not shown.
        if (own !== null && (keys === 'unknown' ? !OPEN_KEY.test(key) : keys.has(own))) secret.add(key)
      }
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

function inTime(clock: Clock, keys: Promise<ReadonlySet<string>>): Promise<PasswordKeys> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(LOOKUP_MS_MAX, () => resolve('unknown'), { unref: true })
    keys.then(resolve, () => resolve('unknown')).finally(() => timer.cancel())
  })
}
