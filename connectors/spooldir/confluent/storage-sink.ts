import type { ConfigIssue, RawConfig, SinkTask, SinkTaskContext } from '@millrace/sdk'
import { type FileSystem, joinPath } from '../../_shared/file-source/index.ts'
import {
  compressionOf,
  Memory,
  namingOf,
  objectKey,
  partitionerIssues,
  type StorageConfig,
  StorageSinkTask,
  writeFormat,
} from '../../_shared/storage-sink/index.ts'
import { folderProblem } from '../folders.ts'
import { issuesOf } from '../place-check.ts'
import { ServerTarget } from './server-target.ts'
import { refusedSinkSettings, type ServerSinkConfig } from './storage-sink-config.ts'

/** Where the files of a sink go. */
export interface ServerPlace {
  readonly connect: () => Promise<FileSystem>
  /** The folder that all files are below. */
  readonly folder: string
  /** The options that name the server and the folder. */
  readonly keys: { readonly server: string; readonly folder: string }
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
): Promise<readonly ConfigIssue[]> {
  const { folder, keys } = place
  const ofServer = await issuesOf(place.connect, keys.server, async (system) => {
    const problem = await folderProblem(system, folder, true)
    return problem === undefined ? [] : [{ key: keys.folder, message: `${system.label}${folder}: ${problem}` }]
  })
  return [...refusedSinkSettings(raw), ...partitionerIssues(storageConfig(config, place)), ...ofServer]
}

/** The task that writes records into files of a server. */
export function serverSinkTask(config: ServerSinkConfig, place: ServerPlace, context: SinkTaskContext): SinkTask {
  const storage = storageConfig(config, place)
  const naming = namingOf(storage)
  const target = new ServerTarget({
    connect: place.connect,
    pathOf: (file, object) => joinPath(place.folder, objectKey(naming, file, object)),
  })
  return new StorageSinkTask(
    storage,
    {
      layout: {
        format: writeFormat(config['format.class'], storage),
        keys: null,
        headers: null,
        compression: compressionOf(place.compression, -1),
        memory: new Memory(config['file.buffer.size.bytes']),
      },
      target,
      hasFolders: true,
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

/** The options as the core of these sinks has them. */
const storageConfig = (config: ServerSinkConfig, { topicsFolder }: ServerPlace): StorageConfig => ({
  ...config,
  'topics.dir': topicsFolder,
})
