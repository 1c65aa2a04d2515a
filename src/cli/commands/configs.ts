import type { Command } from 'commander'
import { type Admin, type ConfigChange, type ConfigEntry, type ConfigResource, allOrThrow } from '../../client/index.ts'
import { exactlyOne, print, repeated, type ToolOptions, withAdmin, withBootstrapServer } from '../kafka-tool.ts'
import { UsageError } from '../usage-error.ts'

interface Options extends ToolOptions {
  readonly describe?: boolean
  readonly alter?: boolean
  readonly entityType?: string
  readonly entityName?: string
  readonly topic?: string
  readonly broker?: string
  readonly all?: boolean
  readonly addConfig?: string[]
  readonly deleteConfig?: string[]
}

export function define(command: Command): void {
  withBootstrapServer(command)
    .option('--describe', 'show configurations')
    .option('--alter', 'change configurations')
    .option('--entity-type <type>', 'topics or brokers')
    .option('--entity-name <name>', 'the topic or the id of the broker')
    .option('--topic <name>', 'short for --entity-type topics --entity-name')
    .option('--broker <id>', 'short for --entity-type brokers --entity-name')
    .option('--all', 'with --describe: also what was not set')
    .option('--add-config <name=value,...>', 'set these; lists in brackets: cleanup.policy=[compact,delete]', repeated)
    .option('--delete-config <name,...>', 'back to the default', repeated)
    .action((options: Options) => withAdmin(options, (admin) => run(admin, options)))
}

async function run(admin: Admin, options: Options): Promise<void> {
  const action = exactlyOne(options, ['describe', 'alter'])
  const resource = resourceOf(options)
  if (action === 'alter') {
    const changes = [...added(options.addConfig), ...deleted(options.deleteConfig)]
    if (changes.length === 0) throw new UsageError('give --add-config or --delete-config')
    allOrThrow(await admin.configs.incrementalAlter([{ ...resource, changes }]))
    print(`Completed updating config for ${resource.type} ${resource.name}.`)
    return
  }
  const [entries = []] = allOrThrow(await admin.configs.describe([resource], { includeSynonyms: true }))
  const all = options.all === true
  print(`${all ? 'All' : 'Dynamic'} configs for ${resource.type} ${resource.name} are:`)
  for (const entry of entries) if (all || entry.source.startsWith('DYNAMIC')) print(shown(entry))
}

function resourceOf(options: Options): ConfigResource {
  if (options.topic !== undefined) return { type: 'topic', name: options.topic }
  if (options.broker !== undefined) return { type: 'broker', name: options.broker }
  const { entityType, entityName } = options
  if (entityName === undefined) throw new UsageError('--entity-name is missing')
  if (entityType === 'topics') return { type: 'topic', name: entityName }
  if (entityType === 'brokers') return { type: 'broker', name: entityName }
  throw new UsageError(`--entity-type ${entityType ?? ''} must be topics or brokers`)
}

/** `a=1,b=[x,y],c=` with brackets around values that have commas. */
export function added(texts: readonly string[] = []): ConfigChange[] {
  return texts.flatMap((text) =>
    [...text.matchAll(/(?:^|,)\s*([^=,[\]]+)=(?:\[([^\]]*)\]|([^,[\]]*))(?=,|$)/g)].map(
      (match): ConfigChange => ({
        name: match[1]!.trim(),
        op: 'set',
        value: match[2] ?? match[3] ?? '',
      }),
    ),
  )
}

function deleted(texts: readonly string[] = []): ConfigChange[] {
  return texts.flatMap((text) => text.split(',').map((name) => ({ name: name.trim(), op: 'delete' as const })))
}

function shown({ name, value, isSensitive, synonyms }: ConfigEntry): string {
  const from = synonyms.map((synonym) => `${synonym.source}:${synonym.name}=${synonym.value}`).join(', ')
  return `  ${name}=${value ?? 'null'} sensitive=${isSensitive} synonyms={${from}}`
}
