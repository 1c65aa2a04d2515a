import type { Command } from 'commander'
import { type Admin, type ConfigChange, type ConfigEntry, type ConfigResource, allOrThrow } from '../../client/index.ts'
import { readPropertiesFile } from '../properties-file.ts'
import {
  exactlyOne,
  print,
  repeated,
  type ToolOptions,
  withAdmin,
  withBootstrapServer,
  withRefused,
} from '../kafka-tool.ts'
import { UsageError } from '../usage-error.ts'

interface Options extends ToolOptions {
  readonly describe?: boolean
  readonly alter?: boolean
  readonly entityType?: string
  readonly entityName?: string
  readonly entityDefault?: boolean
  readonly brokerDefaults?: boolean
  readonly addConfigFile?: string
  readonly topic?: string
  readonly broker?: string
  readonly all?: boolean
  readonly addConfig?: string[]
  readonly deleteConfig?: string[]
}

/** Options of Kafka's tool that mean nothing here. */
const REFUSED = {
  '--bootstrap-controller': 'there is no controller; use --bootstrap-server',
  '--broker-logger': 'log levels of a broker cannot be changed while it runs',
  '--client': 'quotas are not supported',
  '--client-defaults': 'quotas are not supported',
  '--client-metrics': 'telemetry of clients is not supported',
  '--group': 'groups have no configurations of their own',
  '--ip': 'quotas are not supported',
  '--ip-defaults': 'quotas are not supported',
  '--user': 'users and quotas are not supported',
  '--user-defaults': 'users and quotas are not supported',
}

export function define(command: Command): void {
  withRefused(withBootstrapServer(command), REFUSED)
    .option('--describe', 'show configurations')
    .option('--alter', 'change configurations')
    .option('--entity-type <type>', 'topics or brokers')
    .option('--entity-name <name>', 'the topic or the id of the broker')
    .option('--entity-default', 'what holds for all brokers')
    .option('--topic <name>', 'short for --entity-type topics --entity-name')
    .option('--broker <id>', 'short for --entity-type brokers --entity-name')
    .option('--broker-defaults', 'short for --entity-type brokers --entity-default')
    .option('--all', 'with --describe: also what was not set')
    .option('--add-config <name=value,...>', 'set these; lists in brackets: cleanup.policy=[compact,delete]', repeated)
    .option('--add-config-file <file>', 'set what is in this .properties file')
    .option('--delete-config <name,...>', 'back to the default', repeated)
    .action((options: Options) => withAdmin(options, (admin) => run(admin, options)))
}

async function run(admin: Admin, options: Options): Promise<void> {
  if (exactlyOne(options, ['describe', 'alter']) === 'alter') return alter(admin, options)
  const resource = resourceOf(options)
  if (resource !== null) return describe(admin, resource, options.all === true)
  // As Kafka's tool: without a name all of the kind.
  const topics = options.entityType === 'brokers' ? [] : await admin.topics.list({ listInternal: true })
  for (const { name } of topics) await describe(admin, { type: 'topic', name }, options.all === true)
  if (options.entityType !== 'brokers') return
  for (const { id } of (await admin.describeCluster()).brokers) {
    await describe(admin, { type: 'broker', name: String(id) }, options.all === true)
  }
  await describe(admin, { type: 'broker', name: '' }, options.all === true)
}

async function alter(admin: Admin, options: Options): Promise<void> {
  const resource = resourceOf(options)
  if (resource === null) throw new UsageError('--entity-name is missing')
  const file = options.addConfigFile === undefined ? {} : readPropertiesFile(options.addConfigFile)
  const changes = [
    ...Object.entries(file).map(([name, value]): ConfigChange => ({ name, op: 'set', value })),
    ...added(options.addConfig),
    ...deleted(options.deleteConfig),
  ]
  if (changes.length === 0) throw new UsageError('give --add-config, --add-config-file or --delete-config')
  allOrThrow(await admin.configs.incrementalAlter([{ ...resource, changes }]))
  const isDefault = resource.name === ''
  print(
    isDefault
      ? 'Completed updating default config for brokers in the cluster.'
      : `Completed updating config for ${resource.type} ${resource.name}.`,
  )
}

async function describe(admin: Admin, resource: ConfigResource, all: boolean): Promise<void> {
  const [entries = []] = allOrThrow(await admin.configs.describe([resource], { includeSynonyms: true }))
  const isDefault = resource.name === ''
  if (isDefault) print('Default configs for brokers in the cluster are:')
  else print(`${all ? 'All' : 'Dynamic'} configs for ${resource.type} ${resource.name} are:`)
  const sources = isDefault ? 'DYNAMIC_DEFAULT_BROKER_CONFIG' : dynamicSource(resource)
  for (const entry of entries) if ((all && !isDefault) || entry.source === sources) print(shown(entry))
}

function dynamicSource({ type }: ConfigResource): ConfigEntry['source'] {
  return type === 'topic' ? 'DYNAMIC_TOPIC_CONFIG' : 'DYNAMIC_BROKER_CONFIG'
}

/** What the options mean; null when they mean all of a kind. */
function resourceOf(options: Options): ConfigResource | null {
  if (options.topic !== undefined) return { type: 'topic', name: options.topic }
  if (options.broker !== undefined) return { type: 'broker', name: options.broker }
  if (options.brokerDefaults === true) return { type: 'broker', name: '' }
  const { entityType, entityName, entityDefault } = options
  if (entityType !== 'topics' && entityType !== 'brokers') {
    throw new UsageError(`--entity-type ${entityType ?? ''} must be topics or brokers`)
  }
  if (entityType === 'brokers' && entityDefault === true) return { type: 'broker', name: '' }
  if (entityName === undefined) return null
  return { type: entityType === 'topics' ? 'topic' : 'broker', name: entityName }
}

/** `a=1,b=[x,y],c=` with brackets around values that have commas. */
export function added(texts: readonly string[] = []): ConfigChange[] {
  return texts.flatMap((text) => {
    if (!text.includes('=')) throw new UsageError(`--add-config ${text} is not name=value`)
    return [...text.matchAll(/(?:^|,)\s*([^=,[\]]+)=(?:\[([^\]]*)\]|([^,[\]]*))(?=,|$)/g)].map(
      (match): ConfigChange => ({
        name: match[1]!.trim(),
        op: 'set',
        value: match[2] ?? match[3] ?? '',
      }),
    )
  })
}

function deleted(texts: readonly string[] = []): ConfigChange[] {
  return texts.flatMap((text) => text.split(',').map((name) => ({ name: name.trim(), op: 'delete' as const })))
}

function shown({ name, value, isSensitive, synonyms }: ConfigEntry): string {
  const from = synonyms.map((synonym) => `${synonym.source}:${synonym.name}=${synonym.value}`).join(', ')
  return `  ${name}=${value ?? 'null'} sensitive=${isSensitive} synonyms={${from}}`
}
