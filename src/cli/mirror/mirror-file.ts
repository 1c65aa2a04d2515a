import type { RawConfig } from '@millrace/sdk'
import { UsageError } from '../usage-error.ts'
import { clusterAliases, type Flow, flowName, flowsOf, isTrue } from './flows.ts'
import { clientKeys, connectorKeys, processKeys, workerPrefixes } from './known-keys.ts'

/** What a file of MirrorMaker 2 asks for. */
export interface MirrorFile {
  readonly flows: readonly Flow[]
  /** `dedicated.mode.enable.internal.rest`: whether workers speak to each other by REST. */
  readonly hasRest: boolean
  /** Keys that nobody takes, as MirrorMaker takes them from nobody. */
  readonly ignored: readonly string[]
}

/** Aliases become parts of topic names. */
const ALIAS = /^[a-zA-Z0-9._-]+$/
const BOOTSTRAP = '.bootstrap.servers'
/** Keys that end like the brokers of a cluster and are none. */
const CLIENT_BOOTSTRAP = /^((source|target)\.)?(consumer|producer|admin|cluster)\.bootstrap\.servers$/

/**
 * Reads a file of MirrorMaker 2. `only` are the target clusters of this process, empty for all. What MirrorMaker would pass
 * over though it can only be a mistake is refused: throws UsageError with every problem at once.
 */
export function readMirrorFile(raw: RawConfig, values: RawConfig = raw, only: readonly string[] = []): MirrorFile {
  const aliases = clusterAliases(values)
  const problems = [...aliasProblems(aliases, only), ...keyProblems(values, aliases), ...booleanProblems(values)]
  const flows = flowsOf(raw, values).filter(({ target }) => only.length === 0 || only.includes(target))
  if (problems.length === 0) problems.push(...flowProblems(flows, aliases, only))
  if (problems.length > 0) throw new UsageError(problems.join('\n'))
  return {
    flows,
    hasRest: isTrue(values['dedicated.mode.enable.internal.rest']),
    ignored: Object.keys(raw).filter((key) => !isTaken(key, aliases)),
  }
}

function aliasProblems(aliases: readonly string[], only: readonly string[]): readonly string[] {
  if (aliases.length === 0) return ['clusters is missing; name the clusters, for example clusters = primary, backup']
  const malformed = aliases
    .filter((alias) => !ALIAS.test(alias))
    .map(
      (alias) =>
        `clusters: ${alias} cannot be part of a topic's name; use letters, digits, dots, dashes and underscores`,
    )
  const unknown = only
    .filter((alias) => !aliases.includes(alias))
    .map((alias) => `--clusters: there is no cluster ${alias}; clusters names ${aliases.join(', ')}`)
  return [...malformed, ...unknown]
}

/** Keys that name a flow or a cluster which is not there. */
function keyProblems(properties: RawConfig, aliases: readonly string[]): readonly string[] {
  const names = flowNames(aliases)
  const known = aliases.join(', ')
  const problems = new Map<string, string>()
  for (const key of Object.keys(properties)) {
    if (isOf(key, names)) continue
    const arrow = key.indexOf('->')
    if (arrow >= 0) {
      const flow = misspeltFlow(key, arrow, aliases)
      const problem = `${key}: ${flow.problem}; clusters names ${known}`
      if (!problems.has(flow.name)) problems.set(flow.name, problem)
    } else if (key.endsWith(BOOTSTRAP) && !isOf(key, aliases) && !CLIENT_BOOTSTRAP.test(key)) {
      const alias = key.slice(0, -BOOTSTRAP.length)
      problems.set(alias, `${key}: there is no cluster ${alias}; clusters names ${known}`)
    }
  }
  return [...problems.values()]
}

function flowNames(aliases: readonly string[]): readonly string[] {
  return aliases.flatMap((source) =>
    aliases.filter((target) => target !== source).map((target) => flowName(source, target)),
  )
}

/** Whether a key is below one of these names. */
function isOf(key: string, names: readonly string[]): boolean {
  return names.some((name) => key.startsWith(`${name}.`))
}

/** What is wrong with the flow of a key; its target may have dots, so it is taken up to the first of them. */
function misspeltFlow(
  key: string,
  arrow: number,
  aliases: readonly string[],
): { readonly name: string; readonly problem: string } {
  const source = key.slice(0, arrow)
  const rest = key.slice(arrow + 2)
  const target = aliases.find((alias) => rest.startsWith(`${alias}.`)) ?? rest.split('.', 1)[0] ?? ''
  const name = flowName(source, target)
  if (/\s/.test(source + target)) return { name, problem: 'a flow is written without spaces, as source->target' }
  const unknown = [source, target].filter((alias) => !aliases.includes(alias))
  if (unknown.length > 0) return { name, problem: `there is no cluster ${[...new Set(unknown)].join(' and no ')}` }
  if (source === target) return { name, problem: 'a cluster is not mirrored to itself' }
  return { name, problem: `the flow ${name} needs a dot and a key behind it` }
}

/** What decides which flows there are must not be read as false because it is misspelt. */
function booleanProblems(properties: RawConfig): readonly string[] {
  const deciding = (key: string) =>
    key === 'dedicated.mode.enable.internal.rest' ||
    key === 'emit.heartbeats.enabled' ||
    (key.includes('->') && /\.(emit\.heartbeats\.)?enabled$/.test(key))
  return Object.entries(properties)
    .filter(([key, value]) => deciding(key) && !/^\s*(true|false)\s*$/i.test(value))
    .map(([key, value]) => `${key}: ${value} is neither true nor false`)
}

function flowProblems(flows: readonly Flow[], aliases: readonly string[], only: readonly string[]): readonly string[] {
  if (flows.length === 0) {
    const [source = '', target = 'another'] = aliases
    const where = only.length === 0 ? '' : ` to ${only.join(', ')}`
    return [`there is no flow${where}; add for example ${flowName(source, target)}.enabled = true`]
  }
  const used = new Set(flows.flatMap(({ source, target }) => [source, target]))
  const withBrokers = new Set<string>()
  for (const { source, target, worker, connectors } of flows) {
    if (worker['bootstrap.servers']) withBrokers.add(target)
    if (connectors[0]?.config['source.cluster.bootstrap.servers']) withBrokers.add(source)
  }
  return [...used]
    .filter((alias) => !withBrokers.has(alias))
    .map((alias) => `${alias}${BOOTSTRAP} is missing; give host:port of brokers of the cluster ${alias}`)
}

const TAKEN = new Set([...clientKeys, ...connectorKeys, ...processKeys])

function isTaken(key: string, aliases: readonly string[]): boolean {
  const prefixes = [...workerPrefixes, 'config.providers']
  return (
    TAKEN.has(key) || isOf(key, aliases) || isOf(key, flowNames(aliases)) || prefixes.some((one) => key.startsWith(one))
  )
}
