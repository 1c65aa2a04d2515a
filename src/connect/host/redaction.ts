import type { ConfigDef, RawConfig } from '@millrace/sdk'
import type { Logger } from '../../base/index.ts'

const HIDDEN = '[hidden]'

/** Shorter values would tear holes into every text and are no secrets worth the name. */
const MIN_SECRET_LENGTH = 4

/** Keys that are secret whatever their definition, for those of clients and of plugins without one. */
const SECRET_KEY =
  /(^|[._-])(password|passwd|secret|token|jaas[._-]config|(api|private|keystore)[._-]?key|credentials?)$/i

/** The values of a configuration that must not be seen. */
export function secretValues(config: RawConfig, definition: ConfigDef): string[] {
  const isSecret = (key: string) => definition[key]?.type === 'password' || SECRET_KEY.test(key)
  return Object.entries(config)
    .filter(([key, value]) => isSecret(key) && value.length >= MIN_SECRET_LENGTH)
    .map(([, value]) => value)
}

/**
 * Takes secrets out of what leaves a host: log lines and traces.
 * Invariant 10: drivers put passwords and connection strings into their messages, so every text is looked through.
 */
export class Redaction {
  readonly #byUnit = new Map<string, readonly string[]>()
  #all: readonly string[] = []

  /** The secrets of a unit; an empty list forgets them. */
  set(unit: string, secrets: readonly string[]): void {
    if (secrets.length === 0) this.#byUnit.delete(unit)
    else this.#byUnit.set(unit, secrets)
    // A secret that contains another one has to go first.
    this.#all = [...new Set([...this.#byUnit.values()].flat())].toSorted((a, b) => b.length - a.length)
  }

  text(text: string): string {
    let clean = text
    for (const secret of this.#all) clean = clean.replaceAll(secret, HIDDEN)
    return clean
  }

  get isEmpty(): boolean {
    return this.#all.length === 0
  }

  /** The same error with its texts cleaned. */
  error<E>(error: E): E {
    if (!(error instanceof Error) || this.#all.length === 0) return error
    error.message = this.text(error.message)
    if (error.stack !== undefined) error.stack = this.text(error.stack)
    if (error.cause !== undefined) this.error(error.cause)
    return error
  }

  /** The same for plain data. */
  data<T>(value: T): T {
    if (this.#all.length === 0) return value
    if (typeof value === 'string') return this.text(value) as T
    if (Array.isArray(value)) return value.map((item) => this.data(item as unknown)) as T
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.data(inner as unknown)])) as T
  }
}

/** A logger whose lines are looked through before they are written. */
export function redactedLogger(logger: Logger, redaction: Redaction): Logger {
  const clean = (fields: object): object =>
    Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, cleanField(redaction, value)]))
  const line = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) =>
    redaction.isEmpty ? logger[level](fields, message) : logger[level](clean(fields), redaction.text(message))
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: (context) => redactedLogger(logger.child(context), redaction),
  }
}

/** Errors are not copied: what they are matters to who writes them down. */
function cleanField(redaction: Redaction, value: unknown): unknown {
  return value instanceof Error ? redaction.error(value) : redaction.data(value)
}
