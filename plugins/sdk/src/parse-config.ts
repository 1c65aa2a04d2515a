import type { ConfigDef, ConfigKey, Parsed } from './config.ts'
import type { ConfigIssue, RawConfig } from './connector.ts'
import { ConfigError } from './errors.ts'
import { doubleToString } from './number-text.ts'

/** What stands for a password wherever a value is shown. */
export const HIDDEN = '[hidden]'

/** One key of a configuration after parsing. */
export interface ParsedKey {
  readonly value: unknown
  /** The value as REST shows it; null where there is none or it does not parse. Never a password. */
  readonly text: string | null
  /** Every problem, in Kafka's words, each a whole sentence that names the key. */
  readonly errors: readonly string[]
}

/** A configuration after parsing. A key with an issue has its default, or null, among the values. */
export interface ParsedConfig<D extends ConfigDef> {
  readonly values: Parsed<D>
  readonly issues: readonly ConfigIssue[]
}

type Attempt = { readonly value: unknown } | { readonly problem: string }

/** Parses text by Kafka's ConfigDef rules. Collects every problem; the messages are Kafka's. Keys without definition are ignored. */
export function parseConfig<const D extends ConfigDef>(definition: D, raw: RawConfig): ParsedConfig<D> {
  const values: Record<string, unknown> = {}
  const issues: ConfigIssue[] = []
  for (const [name, parsed] of parseConfigKeys(definition, raw)) {
    values[name] = parsed.value
    for (const message of parsed.errors) issues.push({ key: name, message })
  }
  return { values: values as Parsed<D>, issues }
}

/** As `parseConfig`, but throws a ConfigError with all problems when there is one. */
export function parseConfigOrThrow<const D extends ConfigDef>(definition: D, raw: RawConfig): Parsed<D> {
  const { values, issues } = parseConfig(definition, raw)
  const [first] = issues
  if (first) throw new ConfigError(issues.map((issue) => issue.message).join('\n'), { key: first.key })
  return values
}

/** Parses every key of the definition, in its order. */
export function parseConfigKeys(definition: ConfigDef, raw: RawConfig): Map<string, ParsedKey> {
  const parsed = new Map<string, ParsedKey>()
  const all: Record<string, unknown> = {}
  for (const [name, key] of Object.entries(definition)) {
    const result = parseKey(name, key, readRaw(name, key, raw))
    parsed.set(name, result)
    all[name] = result.value
  }
  for (const [name, key] of Object.entries(definition)) {
    const result = parsed.get(name)
    if (!result || !key.validate || result.errors.length > 0 || result.value === null) continue
    const problem = (key as ConfigKey).validate?.(result.value as never, all)
    if (problem !== undefined) {
      const message = invalid(name, shown(key, result.value), problem)
      parsed.set(name, { value: key.default ?? null, text: result.text, errors: [message] })
    }
  }
  return parsed
}

/** Kafka's sentence for a value that is refused. The caller gives `[hidden]` for a password. */
export function invalid(name: string, text: string, problem: string): string {
  return `Invalid value ${text} for configuration ${name}: ${problem}`
}

/** A parsed value as REST shows it: lists joined by commas, numbers as Java writes them, passwords hidden. */
export function configValueToString(key: Pick<ConfigKey, 'type'>, value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (key.type === 'password') return HIDDEN
  if (Array.isArray(value)) return value.join(',')
  if (key.type === 'double' && typeof value === 'number') return doubleToString(value)
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean)
}

function readRaw(name: string, key: ConfigKey, raw: RawConfig): string | undefined {
  // JSON bodies may hold null, which means the same as leaving the key out.
  const own = raw[name] ?? undefined
  if (own !== undefined || !key.aliases) return own
  for (const alias of key.aliases) if (raw[alias] !== undefined) return raw[alias]
  return undefined
}

function parseKey(name: string, key: ConfigKey, raw: string | undefined): ParsedKey {
  if (raw === undefined) {
    if (key.default !== undefined) {
      return { value: key.default, text: configValueToString(key, key.default), errors: [] }
    }
    return {
      value: null,
      text: null,
      errors: [`Missing required configuration "${name}" which has no default value.`],
    }
  }
  const trimmed = String(raw).trim()
  const attempt = parseValue(key, trimmed)
  if ('problem' in attempt) {
    const text = key.type === 'password' ? HIDDEN : trimmed
    return { value: key.default ?? null, text: null, errors: [invalid(name, text, attempt.problem)] }
  }
  const errors = checkValue(name, key, attempt.value)
  const text = key.type === 'list' ? trimmedList(trimmed) : configValueToString(key, attempt.value)
  const usable = errors.length === 0 || key.type === 'list'
  return { value: usable ? normalise(key, attempt.value) : (key.default ?? null), text, errors }
}

const INTEGER_BOUNDS: Readonly<Record<string, bigint>> = { short: 1n << 15n, int: 1n << 31n, long: 1n << 63n }

function parseValue(key: ConfigKey, text: string): Attempt {
  switch (key.type) {
    case 'boolean': {
      const lower = text.toLowerCase()
      if (lower === 'true' || lower === 'false') return { value: lower === 'true' }
      return { problem: 'Expected value to be either true or false' }
    }
    case 'int':
    case 'long':
    case 'short': {
      const bound = INTEGER_BOUNDS[key.type] ?? 0n
      if (/^[+-]?\d{1,20}$/.test(text)) {
        const number = BigInt(text.startsWith('+') ? text.slice(1) : text)
        if (number < bound && number >= -bound) return { value: Number(number) }
      }
      return { problem: `Not a number of type ${key.type.toUpperCase()}` }
    }
    case 'double':
      if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[dDfF]?$/.test(text)) return { value: Number.parseFloat(text) }
      return { problem: 'Not a number of type DOUBLE' }
    case 'list':
      return { value: text === '' ? [] : text.split(/\s*,\s*/) }
    default:
      return { value: text }
  }
}

/** The checks that the definition declares, in Kafka's words. */
function checkValue(name: string, key: ConfigKey, value: unknown): string[] {
  const problem = (text: string): string[] => [invalid(name, shown(key, value), text)]
  if (Array.isArray(value)) return checkList(name, key, value as string[])
  if (typeof value === 'number') {
    if (key.min !== undefined && value < key.min) return problem(`Value must be at least ${key.min}`)
    if (key.max !== undefined && value > key.max) return problem(`Value must be no more than ${key.max}`)
    return []
  }
  if (key.nonEmpty && value === '') return problem('String must be non-empty')
  if (key.oneOf && typeof value === 'string' && !isOneOf(key, value)) return problem(oneOfProblem(key))
  return []
}

function checkList(name: string, key: ConfigKey, members: readonly string[]): string[] {
  if (key.nonEmpty && members.length === 0) {
    return [
      `Configuration '${name}' must not be empty. Valid values include: ${key.oneOf?.join(', ') ?? 'any non-empty value'}`,
    ]
  }
  if ((key.unique || key.oneOf) && members.includes('')) return [`Configuration '${name}' values must not be empty.`]
  if (key.unique && new Set(members).size < members.length) {
    return [`Configuration '${name}' values must not be duplicated.`]
  }
  const wrong = members.find((member) => !isOneOf(key, member))
  return wrong === undefined ? [] : [invalid(name, wrong, oneOfProblem(key))]
}

function isOneOf(key: ConfigKey, value: string): boolean {
  if (!key.oneOf || key.oneOf.includes(value)) return true
  return key.ignoreCase === true && key.oneOf.some((legal) => legal.toLowerCase() === value.toLowerCase())
}

function oneOfProblem(key: ConfigKey): string {
  const legal = key.oneOf ?? []
  if (!key.ignoreCase) return `String must be one of: ${legal.join(', ')}`
  return `String must be one of (case insensitive): ${legal.map((value) => value.toUpperCase()).join(', ')}`
}

/** Code compares with the literals of the definition, so a value that differs in case only becomes one; lists of distinct members lose repeats. */
function normalise(key: ConfigKey, value: unknown): unknown {
  const canonical = (text: string): string =>
    key.oneOf?.find((legal) => legal.toLowerCase() === text.toLowerCase()) ?? text
  if (Array.isArray(value)) {
    const members = key.ignoreCase ? (value as string[]).map(canonical) : (value as string[])
    return key.unique ? [...new Set(members)] : members
  }
  return key.ignoreCase && typeof value === 'string' ? canonical(value) : value
}

function shown(key: ConfigKey, value: unknown): string {
  return Array.isArray(value) ? `[${value.join(', ')}]` : (configValueToString(key, value) ?? 'null')
}

function trimmedList(text: string): string {
  return text === '' ? '' : text.split(/\s*,\s*/).join(',')
}
