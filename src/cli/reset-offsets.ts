import { type Admin, allOrThrow, type TopicPartition } from '../client/index.ts'
import { exactlyOne, wholeNumber } from './kafka-tool.ts'
import { readTextFile } from './properties-file.ts'
import { UsageError } from './usage-error.ts'

/** The options that say what is reset, and where to. */
export interface ResetOptions {
  readonly topic?: string[]
  readonly allTopics?: boolean
  readonly toEarliest?: boolean
  readonly toLatest?: boolean
  readonly toCurrent?: boolean
  readonly toOffset?: string
  readonly shiftBy?: string
  readonly toDatetime?: string
  readonly byDuration?: string
  readonly fromFile?: string
}

const LATEST = -1
const EARLIEST = -2

/** The partitions of `--topic a:0,1 --topic b`, or all that the group has committed. */
export async function scopeOf(admin: Admin, groupId: string, options: ResetOptions): Promise<TopicPartition[]> {
  if (options.allTopics === true) {
    const committed = await admin.groups.offsets(groupId)
    return committed.map(({ topic, partition }) => ({ topic, partition }))
  }
  if (options.topic === undefined) throw new UsageError('--topic or --all-topics is missing')
  const found: TopicPartition[] = []
  for (const text of options.topic) {
    const [name = '', partitions] = text.split(':')
    if (partitions !== undefined) {
      const numbers = partitions.split(',').map((number) => wholeNumber('--topic partition', number, 0))
      found.push(...numbers.map((partition) => ({ topic: name, partition })))
      continue
    }
    const [topic] = allOrThrow(await admin.topics.describe([name]))
    found.push(...(topic?.partitions ?? []).map(({ partition }) => ({ topic: name, partition })))
  }
  return found
}

/** Where the group would be after the reset, never outside of what the log holds. */
export async function newOffsets(
  admin: Admin,
  groupId: string,
  options: ResetOptions,
): Promise<(TopicPartition & { offset: number })[]> {
  const how = exactlyOne(options, [
    'toEarliest',
    'toLatest',
    'toCurrent',
    'toOffset',
    'shiftBy',
    'toDatetime',
    'byDuration',
    'fromFile',
  ])
  const planned = options.fromFile === undefined ? null : readPlan(options.fromFile, groupId)
  const scope = planned ?? (await scopeOf(admin, groupId, options))
  const at = (timestamp: number) => admin.topics.listOffsets(scope.map((partition) => ({ ...partition, timestamp })))
  const starts = await at(EARLIEST)
  const ends = await at(LATEST)
  const timed = how === 'toDatetime' || how === 'byDuration' ? await at(timestampOf(options)) : []
  const current = how === 'toCurrent' || how === 'shiftBy' ? await committedOffsets(admin, groupId) : new Map()
  return scope.map((partition, i) => {
    const start = starts[i]?.offset ?? 0
    const end = ends[i]?.offset ?? 0
    const where = current.get(`${partition.topic} ${partition.partition}`) as number | undefined
    const wanted = () => {
      switch (how) {
        case 'toEarliest':
          return start
        case 'toLatest':
          return end
        case 'toOffset':
          return wholeNumber('--to-offset', options.toOffset ?? '', 0)
        case 'fromFile':
          return planned?.[i]?.offset ?? end
        case 'toCurrent':
          return where ?? end
        case 'shiftBy':
          if (where === undefined) {
            throw new UsageError(
              `Cannot shift offset for partition ${partition.topic}-${partition.partition} since there is no current committed offset`,
            )
          }
          return where + wholeNumber('--shift-by', options.shiftBy ?? '', Number.MIN_SAFE_INTEGER)
        case 'toDatetime':
        case 'byDuration': {
          const found = timed[i]?.offset ?? -1
          return found < 0 ? end : found
        }
      }
    }
    return { ...partition, offset: Math.min(Math.max(wanted(), start), end) }
  })
}

/** Lines of `topic,partition,offset`, or with the group before them, as --export prints them; quotes are allowed. */
function readPlan(file: string, groupId: string): (TopicPartition & { offset: number })[] {
  const lines = readTextFile(file).split(/\r?\n/)
  return lines.flatMap((line, i) => {
    if (line.trim() === '') return []
    const cells = line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))
    const [group, topic = '', partition = '', offset = ''] = cells.length === 3 ? [groupId, ...cells] : cells
    if (cells.length < 3 || cells.length > 4) throw new UsageError(`${file}:${i + 1} is not topic,partition,offset`)
    if (group !== groupId) return []
    const place = `${file}:${i + 1}`
    return [{ topic, partition: wholeNumber(place, partition, 0), offset: wholeNumber(place, offset, 0) }]
  })
}

async function committedOffsets(admin: Admin, groupId: string): Promise<Map<string, number>> {
  const committed = await admin.groups.offsets(groupId)
  return new Map(
    committed
      .filter(({ offset }) => offset >= 0)
      .map(({ topic, partition, offset }) => [`${topic} ${partition}`, offset]),
  )
}

function timestampOf({ toDatetime, byDuration }: ResetOptions): number {
  if (toDatetime !== undefined) {
    // Kafka reads a time without a zone as UTC.
    const hasZone = /(?:Z|[+-]\d{2}:?\d{2})$/.test(toDatetime)
    const timestamp = Date.parse(hasZone ? toDatetime : `${toDatetime}Z`)
    if (Number.isNaN(timestamp)) throw new UsageError(`--to-datetime ${toDatetime} is not YYYY-MM-DDTHH:mm:SS.sss`)
    return timestamp
  }
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(byDuration ?? '')
  if (match === null) throw new UsageError(`--by-duration ${byDuration ?? ''} is not PnDTnHnMnS`)
  const [days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
  ]
  return Date.now() - (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
}
