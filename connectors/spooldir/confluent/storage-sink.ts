import type { ConfigIssue, RawConfig, SinkTask, SinkTaskContext } from '@millrace/sdk'
import { type FileSystem, joinPath } from '../../_shared/file-source/index.ts'
import {
  compressionOf,
  Memory,
  objectKey,
  partitionerIssues,
  StorageSinkTask,
  writeFormat,
} from '../../_shared/storage-sink/index.ts'
import { folderProblem } from '../folders.ts'
import { ServerTarget } from './server-target.ts'
import { refusedSinkSettings, type ServerSinkConfig } from './storage-sink-config.ts'

/** Where the files of a sink go. */
export interface ServerPlace {
  connect(): Promise<FileSystem>
  /** The folder that all files are below, and the option that names it. */
  readonly folder: string
  readonly folderKey: string
  /** Folders within it that all files are below; empty for none. */
  readonly topicsFolder: string
  readonly compression: 'none' | 'gzip'
  /** How many files the connection can store at once. */
  readonly concurrency: number
}

/** What is wrong with the options and the server of a configuration. */
export async function validateServerSink(
  config: ServerSinkConfig,
  raw: RawConfig,
  place: ServerPlace,
  defaultKey: string,
): Promise<readonly ConfigIssue[]> {
  const issues = [...refusedSinkSettings(raw), ...partitionerIssues(storageConfig(config, place))]
  let system: FileSystem
  try {
    system = await place.connect()
  } catch (error) {
    const { key } = error as { key?: string }
    return [...issues, { key: key ?? defaultKey, message: (error as Error).message }]
  }
  try {
    const problem = await folderProblem(system, place.folder, true)
    if (problem !== undefined) {
      issues.push({ key: place.folderKey, message: `${system.label}${place.folder}: ${problem}` })
    }
    return issues
  } finally {
    await system.close()
  }
}

/** The task that writes records into files of a server. */
export function serverSinkTask(config: ServerSinkConfig, place: ServerPlace, context: SinkTaskContext): SinkTask {
  const naming = {
    folder: place.topicsFolder,
    directoryDelimiter: '/',
    fileDelimiter: config['file.delim'],
    offsetDigits: config['filename.offset.zero.pad.width'],
  }
  const target = new ServerTarget({
    connect: () => place.connect(),
    pathOf: (file, object) => joinPath(place.folder, objectKey(naming, file, object)),
  })
  return new StorageSinkTask(
    storageConfig(config, place),
    {
      layout: {
        format: writeFormat(config['format.class'], storageConfig(config, place)),
        keys: null,
        headers: null,
        compression: compressionOf(place.compression, -1),
        memory: new Memory(config['file.buffer.size.bytes']),
      },
      target,
      concurrency: place.concurrency,
      retryBackoffMs: config['retry.backoff.ms'],
      keepsStored: null,
      nullValues: config['behavior.on.null.values'],
      reportsNullValues: false,
      tombstoneFolder: '',
      maxWriteMs: Number.MAX_SAFE_INTEGER,
      close: () => target.close(),
    },
    context,
  )
}

const storageConfig = (config: ServerSinkConfig, { topicsFolder }: ServerPlace) => ({
  ...config,
  'topics.dir': topicsFolder,
})
