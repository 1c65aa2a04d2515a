import type { Command } from 'commander'
import { type Admin, allOrThrow, type GroupDescription, type GroupListing } from '../../client/index.ts'
import { describedMembers, describedOffsets, describedState } from '../group-tables.ts'
import {
  exactlyOne,
  print,
  repeated,
  table,
  type ToolOptions,
  wholeNumber,
  withAdmin,
  withBootstrapServer,
  withRefused,
} from '../kafka-tool.ts'
import { newOffsets, type ResetOptions, scopeOf } from '../reset-offsets.ts'
import { UsageError } from '../usage-error.ts'

interface Options extends ToolOptions, ResetOptions {
  readonly list?: boolean
  readonly describe?: boolean
  readonly delete?: boolean
  readonly resetOffsets?: boolean
  readonly deleteOffsets?: boolean
  readonly group?: string[]
  readonly allGroups?: boolean
  readonly state?: string | boolean
  readonly type?: string | boolean
  readonly verbose?: boolean
  readonly timeout?: string
  readonly members?: boolean
  readonly offsets?: boolean
  readonly execute?: boolean
  readonly dryRun?: boolean
  readonly export?: boolean
}

/** Options of Kafka's tool that mean nothing here. */
const REFUSED = {
  '--validate-regex': 'patterns of RE2 are not evaluated here',
}

export function define(command: Command): void {
  withRefused(withBootstrapServer(command), REFUSED)
    .option('--list', 'list groups')
    .option('--describe', 'show offsets and lag; with --members or --state those')
    .option('--delete', 'delete groups without members')
    .option('--reset-offsets', 'move committed offsets')
    .option('--delete-offsets', 'forget committed offsets of topics')
    .option('--group <id>', 'the group; may be repeated', repeated)
    .option('--all-groups', 'all groups')
    .option('--offsets', 'with --describe: committed offsets (default)')
    .option('--members', 'with --describe: the members')
    .option('--state [states]', 'with --describe: the state; with --list: states too, of these only')
    .option('--type [types]', 'with --list: types too, of these only')
    .option('--verbose', 'with --describe: more columns')
    .option('--timeout <ms>', 'how long the tool may wait for answers')
    .option('--topic <name[:partition,...]>', 'what to reset or forget; may be repeated', repeated)
    .option('--all-topics', 'everything the group has committed')
    .option('--to-earliest', 'the oldest record')
    .option('--to-latest', 'after the newest record')
    .option('--to-current', 'where the group is')
    .option('--to-offset <n>', 'this offset')
    .option('--shift-by <n>', 'so many records on, or back when negative')
    .option('--to-datetime <YYYY-MM-DDTHH:mm:SS.sss>', 'the first record since then')
    .option('--by-duration <PnDTnHnMnS>', 'the first record since so long ago')
    .option('--from-file <file>', 'offsets as --export wrote them')
    .option('--dry-run', 'only show what would be done (default)')
    .option('--execute', 'do it')
    .option('--export', 'show it as CSV')
    .action((options: Options) => {
      const timeoutMs = options.timeout === undefined ? undefined : wholeNumber('--timeout', options.timeout, 1)
      return withAdmin(options, (admin) => run(admin, options), timeoutMs)
    })
}

async function run(admin: Admin, options: Options): Promise<void> {
  const action = exactlyOne(options, ['list', 'describe', 'delete', 'resetOffsets', 'deleteOffsets'])
  if (action === 'list') return list(admin, options)
  const groupIds = await groupsOf(admin, options)
  for (const groupId of groupIds) {
    if (action === 'describe') await describe(admin, groupId, options)
    else if (action === 'resetOffsets') await reset(admin, groupId, options)
    else if (action === 'deleteOffsets') await deleteOffsets(admin, groupId, options)
  }
  if (action === 'delete') {
    allOrThrow(await admin.groups.delete(groupIds))
    const names = groupIds.map((groupId) => `'${groupId}'`).join(', ')
    print(`Deletion of requested consumer groups (${names}) was successful.`)
  }
}

async function groupsOf(admin: Admin, options: Options): Promise<string[]> {
  if (options.allGroups === true) return (await admin.groups.list()).map(({ groupId }) => groupId)
  if (options.group === undefined) throw new UsageError('--group or --all-groups is missing')
  return options.group
}

/** A filter of --list: given without values it only shows the column. */
function wantedValues(option: string | boolean | undefined): readonly string[] | null {
  return typeof option === 'string' ? option.split(',').map((value) => value.trim().toLowerCase()) : null
}

async function list(admin: Admin, options: Options): Promise<void> {
  const states = wantedValues(options.state)
  const types = wantedValues(options.type)
  const groups = (await admin.groups.list())
    .filter(({ protocolType }) => ['', 'consumer'].includes(protocolType))
    .filter(({ state }) => states?.includes(state.toLowerCase()) ?? true)
    .filter(({ type }) => types?.includes(type.toLowerCase()) ?? true)
  const columns: [string, (group: GroupListing) => string][] = [['GROUP', ({ groupId }) => groupId]]
  if (options.type !== undefined) columns.push(['TYPE', ({ type }) => (type === '' ? 'Classic' : capitalized(type))])
  if (options.state !== undefined) columns.push(['STATE', ({ state }) => state])
  if (columns.length === 1) for (const { groupId } of groups) print(groupId)
  else {
    const rows = groups.map((group) => columns.map(([, value]) => value(group)))
    print(
      table(
        columns.map(([title]) => title),
        rows,
      ),
    )
  }
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

async function described(admin: Admin, groupId: string): Promise<GroupDescription> {
  const [group] = allOrThrow(await admin.groups.describe([groupId]))
  if (group === undefined || group.state === 'Dead') throw new UsageError(`Consumer group '${groupId}' does not exist.`)
  return group
}

async function describe(admin: Admin, groupId: string, options: Options): Promise<void> {
  const group = await described(admin, groupId)
  if (group.members.length === 0) process.stderr.write(`\nConsumer group '${groupId}' has no active members.\n`)
  if (options.state !== undefined) print(`\n${describedState(group)}`)
  else if (options.members === true) print(`\n${describedMembers(group, options.verbose === true)}`)
  else print(`\n${await describedOffsets(admin, group)}`)
}

async function reset(admin: Admin, groupId: string, options: Options): Promise<void> {
  const groups = await admin.groups.describe([groupId])
  const state = groups.get(groupId)?.value?.state ?? 'Dead'
  if (state !== 'Empty' && state !== 'Dead') {
    throw new UsageError(
      `Assignments can only be reset if the group '${groupId}' is inactive, but the current state is ${state}.`,
    )
  }
  const offsets = await newOffsets(admin, groupId, options)
  if (options.execute === true) await admin.groups.alterOffsets(groupId, offsets)
  if (options.export === true) {
    // As Kafka's tool: the group is a column only when there may be several.
    const prefix = options.allGroups === true || (options.group?.length ?? 0) > 1 ? `${groupId},` : ''
    for (const { topic, partition, offset } of offsets) print(`${prefix}${topic},${partition},${offset}`)
    return
  }
  const rows = offsets.map(({ topic, partition, offset }) => [groupId, topic, String(partition), String(offset)])
  print(`\n${table(['GROUP', 'TOPIC', 'PARTITION', 'NEW-OFFSET'], rows)}`)
}

async function deleteOffsets(admin: Admin, groupId: string, options: Options): Promise<void> {
  const partitions = await scopeOf(admin, groupId, options)
  await admin.groups.deleteOffsets(groupId, partitions)
  print(`Request succeeded for deleting offsets from group ${groupId}.`)
  const rows = partitions.map(({ topic, partition }) => [topic, String(partition), 'Successful'])
  print(`\n${table(['TOPIC', 'PARTITION', 'STATUS'], rows)}`)
}
