import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { type ConfigDef, parseConfig, type PluginDefinition } from '@millrace/sdk'
import { Command } from 'commander'
import { builtinManifests } from '../../connectors/index.ts'
import { parseProperties } from '../../src/base/index.ts'
import { BrokerConfig } from '../../src/broker/config/broker-config.ts'
import { BROKER_CONFIG_KEYS } from '../../src/broker/config/broker-keys.ts'
import { manifests } from '../../src/catalogue.ts'
import { commands } from '../../src/cli/commands.ts'
import { readMirrorFile } from '../../src/cli/mirror/mirror-file.ts'
import { sinkConnectorConfig } from '../../src/connect/config/sink-config.ts'
import { sourceConnectorConfig } from '../../src/connect/config/source-config.ts'
import {
  distributedWorkerConfig,
  type Herder,
  parseDistributedConfig,
  parseStandaloneConfig,
  standaloneWorkerConfig,
} from '../../src/connect/index.ts'
import { adminRoutes } from '../../src/rest/admin-routes.ts'
import { connectorRoutes } from '../../src/rest/connector-routes.ts'
import { pluginRoutes } from '../../src/rest/plugin-routes.ts'
import { serverRoutes } from '../../src/rest/server-routes.ts'
import { root } from './files.ts'

const SKIPPED = new Set(['node_modules', 'dist', 'golden', 'coverage'])

/** All Markdown of the repository, relative to its root. */
export function markdownFiles(): string[] {
  const found: string[] = []
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (SKIPPED.has(entry.name) || entry.name.startsWith('.')) continue
      const path = join(folder, entry.name)
      if (entry.isDirectory()) walk(path)
      else if (entry.name.endsWith('.md')) found.push(relative(root, path).replaceAll('\\', '/'))
    }
  }
  walk(root)
  return found.sort()
}

export interface Block {
  readonly language: string
  readonly text: string
}

/** The fenced blocks of a page. */
export function blocksOf(markdown: string): Block[] {
  const fences = markdown.matchAll(/^```(\w*)[^\n]*\n(.*?)^```/gms)
  return [...fences].map(([, language = '', text = '']) => ({ language, text }))
}

/** What is wrong with a JSON block: it does not parse, or what it configures does not exist. */
export async function jsonProblems(text: string): Promise<string[]> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return [`is not JSON: ${String(error)}`]
  }
  if (typeof json !== 'object' || json === null) return []
  const { name, config } = json as { name?: string; config?: Record<string, string> }
  if (typeof config === 'object') return connectorProblems({ ...(name ? { name } : {}), ...config })
  return 'connector.class' in json ? connectorProblems({ name: 'example', ...(json as Record<string, string>) }) : []
}

const OPEN_PREFIXES =
  /^(transforms|predicates|(key|value|header)\.converter|(producer|consumer|admin)\.override|topic\.creation|connection|driver)\./

async function connectorProblems(config: Record<string, string>): Promise<string[]> {
  const className = config['connector.class'] ?? ''
  const manifest = builtinManifests.find(({ name, aliases }) => name === className || aliases.includes(className))
  if (!manifest) return [`there is no connector class ${className}`]
  const definition = ((await manifest.load()) as { default: PluginDefinition }).default
  const framework = manifest.kind === 'source' ? sourceConnectorConfig : sinkConnectorConfig
  const keys: ConfigDef = { ...framework, ...definition.config }
  const known = new Set(Object.entries(keys).flatMap(([name, key]) => [name, ...(key.aliases ?? [])]))
  const unknown = Object.keys(config).filter((key) => !known.has(key) && !OPEN_PREFIXES.test(key))
  const classes = Object.entries(config).filter(([key]) => /^(transforms|predicates)\.[^.]+\.type$/.test(key))
  const missing = classes.filter(
    ([, type]) => !manifests.some(({ name, aliases }) => [name, ...aliases].includes(type)),
  )
  return [
    ...unknown.map((key) => `${className} has no option ${key}`),
    ...missing.map(([key, type]) => `${key}: there is no class ${type}`),
    ...parseConfig(keys, config).issues.map(({ message }) => message),
  ]
}

const ANY_KEY = new Set([
  ...Object.keys({ ...distributedWorkerConfig, ...standaloneWorkerConfig }),
  ...BROKER_CONFIG_KEYS.map(({ name }) => name),
])

/** What is wrong with a properties block: a comment in its first line may say whose whole file it is. */
export function propertiesProblems(text: string): string[] {
  const [, file = ''] = /^# (\S+)/.exec(text) ?? []
  const parsers: Readonly<Record<string, (values: Record<string, string>) => readonly string[]>> = {
    'server.properties': (values) => new BrokerConfig(values).unknown.map((key) => `the broker has no key ${key}`),
    'worker.properties': (values) => (parseDistributedConfig(values), []),
    'standalone.properties': (values) => (parseStandaloneConfig(values), []),
    'mm2.properties': (values) => readMirrorFile(values).ignored.map((key) => `nobody takes ${key} of a mirror`),
  }
  const parse = parsers[file]
  try {
    const values = parseProperties(text)
    if (parse) return [...parse(values)]
    return Object.keys(values).flatMap((key) =>
      ANY_KEY.has(key) ? [] : [`neither worker nor broker has a key ${key}`],
    )
  } catch (error) {
    return [(error as Error).message]
  }
}

const nobody = {} as Herder
const routes = [
  ...serverRoutes(nobody, ''),
  ...connectorRoutes(nobody),
  ...pluginRoutes(nobody),
  ...adminRoutes(nobody),
].map(({ method, path }) => ({ method, pattern: new RegExp(`^${path.replaceAll(/:[a-z]+/g, '[^/]+')}$`) }))

async function commandOf(name: string): Promise<Command | undefined> {
  const entry = commands.find((command) => command.name === name)
  if (!entry) return undefined
  const command = new Command(name)
  ;(await entry.load()).define(command)
  return command
}

/** What is wrong with a shell block: commands and options of ours, paths and bodies of REST. */
export async function shellProblems(text: string): Promise<string[]> {
  const problems: string[] = []
  for (const line of text.replaceAll('\\\n', ' ').split(/\n(?=\S)/)) {
    const [, name, rest = ''] = /(?:^|\s)(?:npm run -s millrace --|millrace) ([a-z-]+)(.*)/s.exec(line) ?? []
    if (name !== undefined) problems.push(...(await commandProblems(name, rest)))
    if (/(^|\s)curl .*localhost/s.test(line)) problems.push(...(await curlProblems(line)))
  }
  return problems
}

/** Unknown options, options that must be there and are not, and arguments that the command does not take or misses. */
async function commandProblems(name: string, rest: string): Promise<string[]> {
  const command = await commandOf(name)
  if (!command) return [`there is no command ${name}`]
  const words =
    rest
      .split(/[|&;#]/)[0]
      ?.split(/\s+/)
      .filter((word) => word !== '') ?? []
  return wordProblems(name, command, words)
}

function wordProblems(name: string, command: Command, words: readonly string[]): string[] {
  if (command.commands.length > 0) {
    const inner = command.commands.find((one) => one.name() === words[0])
    return inner ? wordProblems(`${name} ${words[0]}`, inner, words.slice(1)) : [`${name} has no command ${words[0]}`]
  }
  const problems: string[] = []
  const given = new Set<string>()
  let operands = 0
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (!word.startsWith('-')) operands++
    else {
      const option = command.options.find(({ long, short }) => long === word || short === word)
      if (!option) problems.push(`${name} has no option ${word}`)
      else given.add(option.name())
      if (option?.required) i++
    }
  }
  const { registeredArguments } = command
  const needed = registeredArguments.filter((argument) => argument.required).length
  const most = registeredArguments.some((argument) => argument.variadic) ? Infinity : registeredArguments.length
  if (operands < needed || operands > most) problems.push(`${name} does not take ${operands} arguments`)
  const missing = command.options.filter((option) => option.mandatory && !given.has(option.name()))
  return [...problems, ...missing.map((option) => `${name} needs ${option.long}`)]
}

async function curlProblems(line: string): Promise<string[]> {
  const [, path] = /localhost:\d+(\/[^\s'"?]*)/.exec(line) ?? []
  if (path === undefined) return [`no URL of a worker in: ${line}`]
  const [, given] = /-X ([A-Z]+)/.exec(line) ?? []
  const method = given ?? (/ -d /.test(line) ? 'POST' : 'GET')
  const exists = routes.some((route) => route.method === method && route.pattern.test(path))
  if (!exists) return [`REST has no ${method} ${path}`]
  const [, body] = /-d '(\{.*\})'/s.exec(line) ?? []
  // What is sent to be validated may be wrong on purpose.
  return body === undefined || path.endsWith('/validate') ? [] : jsonProblems(body)
}

/** The anchors that headings make. */
function anchorsOf(markdown: string): Set<string> {
  const headings = markdown.replaceAll(/^```.*?^```/gms, '').matchAll(/^#+ (.*)$/gm)
  return new Set(
    [...headings].map(([, text = '']) =>
      text
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  )
}

/** Links of a page to files or headings that are not there. */
export function deadLinks(file: string, markdown: string, read: (path: string) => string): string[] {
  const text = markdown.replaceAll(/^```.*?^```/gms, '').replaceAll(/`[^`\n]*`/g, '')
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return []
    const [path = '', anchor] = target.split('#')
    const to = path === '' ? file : join(dirname(file), path)
    if (!existsSync(join(root, to))) return [`${file}: ${target} leads nowhere`]
    if (anchor === undefined || !to.endsWith('.md')) return []
    return anchorsOf(path === '' ? markdown : read(to)).has(anchor) ? [] : [`${file}: ${target} has no such heading`]
  })
}

const PARTS = ['Summary', 'Context', 'Decision', 'Alternatives', 'Consequences']

/** The parts that a decision record lacks; at least two alternatives are named. */
export function missingParts(markdown: string): string[] {
  const places = PARTS.map((part) => markdown.search(new RegExp(`^## ${part}$`, 'm')))
  const missing = PARTS.filter((_, index) => places[index] === -1)
  const alternatives = markdown.slice(places[3], places[4])
  const count = [...alternatives.matchAll(/^- /gm)].length
  return missing.length === 0 && count < 2 ? ['two Alternatives'] : missing
}

/** Files and tests of the architecture page that do not exist: paths in backquotes, and names of tests in quotes behind them. */
export function architectureProblems(markdown: string, read: (path: string) => string): string[] {
  const text = markdown.replaceAll(/\s+/g, ' ')
  const paths = [...text.matchAll(/`((?:src|test|connectors|transforms|plugins|docs)\/[\w./-]+)`(?: "([^"]+)")?/g)]
  return paths.flatMap(([, path = '', name]) => {
    if (!existsSync(join(root, path))) return [`there is no ${path}`]
    return name === undefined || read(path).includes(`'${name}'`) ? [] : [`${path} has no test "${name}"`]
  })
}

/** The invariants of the architecture page that name no test. */
export function untestedInvariants(markdown: string): number[] {
  const part = markdown.slice(markdown.indexOf('## Invariants'), markdown.indexOf('## Where to start'))
  const items = part.split(/^(?=\d+\. )/m).slice(1)
  return items.flatMap((item, index) => (/\.test\.ts` "/.test(item.replaceAll(/\s+/g, ' ')) ? [] : [index + 1]))
}
