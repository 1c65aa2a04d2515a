// A source of files in temporary folders, and a log that acknowledges what it is told to.
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  parseConfigOrThrow,
  type RawConfig,
  type SourceConnector,
  type SourceOffset,
  type SourcePosition,
  type SourceRecord,
  type SourceTask,
} from '@millrace/sdk'

export interface Folders {
  readonly root: string
  readonly input: string
  readonly finished: string
  readonly error: string
  remove(): Promise<void>
}

export async function makeFolders(): Promise<Folders> {
  const root = await mkdtemp(join(tmpdir(), 'millrace-spooldir-'))
  const [input, finished, error] = [join(root, 'in'), join(root, 'finished'), join(root, 'error')]
  for (const folder of [input, finished, error]) await mkdir(folder)
  return { root, input, finished, error, remove: () => rm(root, { recursive: true, force: true }) }
}

export const namesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder, { recursive: true })).toSorted()

/** Stored offsets by file name. */
export type Stored = Map<string, SourceOffset>

export interface TestTask {
  readonly task: SourceTask
  readonly warnings: string[]
  /** Polls until there are so many records, or so many polls gave none. */
  records(count: number): Promise<SourceRecord[]>
  /** Polls until nothing more comes. */
  drain(): Promise<SourceRecord[]>
  /** Makes all offsets that were polled durable, and tells the task. */
  commit(): Promise<void>
}

// A connector's definition has its own parsed config; here it is only handed from one of its functions to the other.
export type AnySource = Omit<SourceConnector, 'createTask' | 'validate' | 'taskConfigs'> & {
  createTask(config: never, context: Parameters<SourceConnector['createTask']>[1]): SourceTask
}

export async function startTask(
  definition: AnySource,
  folders: Folders,
  options: RawConfig = {},
  stored: Stored = new Map(),
  connectorName = 'files',
): Promise<TestTask> {
  const raw: RawConfig = {
    topic: 't',
    'input.path': folders.input,
    'finished.path': folders.finished,
    'error.path': folders.error,
    'input.file.pattern': '.*',
    'empty.poll.wait.ms': '1',
    ...options,
  }
  const warnings: string[] = []
  const note = (_fields: object, message: string) => void warnings.push(message)
  const offsetOf = (partition: SourceOffset) => stored.get(String(partition['fileName'])) ?? null
  const task = definition.createTask(parseConfigOrThrow(definition.config, raw) as never, {
    connectorName,
    taskId: 0,
    raw,
    logger: { debug() {}, info() {}, warn: note, error: note },
    offsets: {
      offset: async (partition) => offsetOf(partition),
      offsets: async (partitions) => partitions.map(offsetOf),
    },
  })
  await task.start?.()
  let polled: (SourceRecord | SourcePosition)[] = []
  const poll = async (): Promise<SourceRecord[]> => {
    const result = (await task.poll(new AbortController().signal)) as (SourceRecord | SourcePosition)[] | null
    polled.push(...(result ?? []))
    return (result ?? []).filter((each): each is SourceRecord => each.topic !== null)
  }
  const idlePolls = async (limit: number, count: number): Promise<SourceRecord[]> => {
    const records: SourceRecord[] = []
    for (let idle = 0; idle < limit && records.length < count; ) {
      const before = polled.length
      records.push(...(await poll()))
      idle = polled.length === before ? idle + 1 : 0
    }
    return records
  }
  return {
    task,
    warnings,
    records: (count) => idlePolls(1000, count),
    drain: () => idlePolls(3, Number.POSITIVE_INFINITY),
    async commit() {
      const offsets = polled.map(({ sourcePartition, sourceOffset }) => ({ sourcePartition, sourceOffset }))
      for (const { sourcePartition, sourceOffset } of offsets) {
        stored.set(String(sourcePartition['fileName']), sourceOffset)
      }
      polled = []
      await task.commit?.(offsets)
    },
  }
}

export const values = (records: readonly SourceRecord[]): unknown[] => records.map(({ value }) => value)
