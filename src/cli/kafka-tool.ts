import type { Command } from 'commander'
import { type Logger, silentLogger } from '../base/index.ts'
import { realClock, realNet, realRandom } from '../base/real/index.ts'
import { type Admin, type Client, clientOptionsFrom, createClient, type PropertyOptions } from '../client/index.ts'
import { readPropertiesFile } from './properties-file.ts'
import { UsageError } from './usage-error.ts'

/** The options that all of Kafka's client tools have. */
export interface ToolOptions {
  readonly bootstrapServer: string
  /** A file of client properties. */
  readonly commandConfig?: string
}

/** Adds `--bootstrap-server`, by default the broker on this machine, and `--command-config`. */
export function withBootstrapServer(command: Command): Command {
  return command
    .option('--bootstrap-server <host:port,...>', 'the brokers to ask first', '127.0.0.1:9092')
    .option('--command-config <file>', "a .properties file with client settings of Kafka's names")
}

/** What the client warns of, such as a broker that does not answer, so that no tool waits in silence. */
const warnings: Logger = {
  ...silentLogger,
  warn: (_, message) => process.stderr.write(`WARN ${message}\n`),
  child: () => warnings,
}

export function clientOf(options: ToolOptions): Client {
  return createClient({
    bootstrapServers: options.bootstrapServer,
    clientId: 'millrace-cli',
    net: realNet,
    clock: realClock,
    random: realRandom,
    logger: warnings,
  })
}

/** Client options of a properties file and of `key=value` pairs, which win; says which of them mean nothing. */
export function clientSettings<T>(
  read: (properties: Readonly<Record<string, string>>) => PropertyOptions<T>,
  file: string | undefined,
  pairs: readonly string[] = [],
): T {
  const properties = { ...(file === undefined ? {} : readPropertiesFile(file)), ...keyValues(pairs) }
  const { options, unknown } = read(properties)
  if (unknown.length > 0) warnings.warn({}, `these settings mean nothing here: ${unknown.join(', ')}`)
  return options
}

/** Runs something with an admin client and closes it afterwards. */
export async function withAdmin(
  options: ToolOptions,
  run: (admin: Admin) => Promise<void>,
  timeoutMs?: number,
): Promise<void> {
  const { bootstrapServers: _, ...settings } = clientSettings(clientOptionsFrom, options.commandConfig)
  const admin = clientOf(options).admin(
    timeoutMs === undefined ? settings : { ...settings, defaultApiTimeoutMs: timeoutMs },
  )
  try {
    await run(admin)
  } finally {
    await admin.close()
  }
}

/**
 * Options that Kafka's tool has and this one has not: they are refused by their names with the reason, and are not in the
 * help, which says what can be used.
 */
export function withRefused(command: Command, options: Readonly<Record<string, string>>): Command {
  for (const [flag, reason] of Object.entries(options)) {
    const option = command.createOption(`${flag} [value]`, reason).hideHelp()
    command.addOption(option)
    command.on(`option:${option.name()}`, () => {
      throw new UsageError(`${flag} is not supported: ${reason}`)
    })
  }
  return command
}

/** A class of Kafka's that an option may name: with or without its package; answers the simple name. */
export function knownClass(
  option: string,
  name: string,
  packages: readonly string[],
  known: readonly string[],
): string {
  const simple = packages.reduce((rest, prefix) => (rest.startsWith(prefix) ? rest.slice(prefix.length) : rest), name)
  if (known.includes(simple)) return simple
  throw new UsageError(`${option} ${name}: Java classes cannot be loaded here; use one of ${known.join(', ')}`)
}

/** Collects the values of an option that may be repeated. */
export function repeated(value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value]
}

/** `key=value` pairs of repeated options, such as `--config`. */
export function keyValues(pairs: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=')
      if (equals <= 0) throw new UsageError(`${pair} is not key=value`)
      return [pair.slice(0, equals).trim(), pair.slice(equals + 1)]
    }),
  )
}

/** A whole number of an option. */
export function wholeNumber(option: string, text: string, min: number): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < min)
    throw new UsageError(`${option} ${text} must be a whole number of at least ${min}`)
  return number
}

/** Exactly one of these options must be given; answers which. */
export function exactlyOne<K extends string>(given: Readonly<Partial<Record<K, unknown>>>, names: readonly K[]): K {
  const present = names.filter((name) => given[name] !== undefined && given[name] !== false)
  const [only] = present
  if (present.length !== 1 || only === undefined) {
    throw new UsageError(`give exactly one of ${names.map((name) => `--${dashed(name)}`).join(', ')}`)
  }
  return only
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/** Rows as Kafka's tools print them: columns padded to their longest value. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, i) => Math.max(title.length, 10, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join(' ')
      .trimEnd()
  return [header, ...rows].map(line).join('\n')
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** Names that match one of the patterns of an option, which may be names or regular expressions. */
export function matching(names: readonly string[], pattern: string | undefined): string[] {
  if (pattern === undefined) return [...names]
  let expression: RegExp
  try {
    expression = new RegExp(`^(?:${pattern.replaceAll(',', '|')})$`)
  } catch {
    throw new UsageError(`${pattern} is neither a topic nor a regular expression`)
  }
  return names.filter((name) => expression.test(name))
}
