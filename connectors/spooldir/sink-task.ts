import { randomUUID } from 'node:crypto'
import {
  DataError,
  isConnectError,
  type Parsed,
  type SinkRecord,
  type SinkTask,
  type SinkTaskContext,
  type TopicPartition,
  type TopicPartitionOffset,
} from '@millrace/sdk'
import { type FileSystem, joinPath } from '../_shared/file-source/index.ts'
import { csvFormat, jsonLinesFormat, type WriteFormat } from '../_shared/formats/index.ts'
import { Memory } from '../_shared/storage-sink/index.ts'
import { connectTo } from './connect.ts'
import { GrowingPart, KeptPart, type OutputPart } from './output-part.ts'
import { outputName, outputPrefix, parseOutputName, partPrefix } from './output-name.ts'
import type { sinkConfig } from './sink-config.ts'

type SinkConfig = Parsed<typeof sinkConfig>

/** A file that is not complete yet. */
interface OutputFile {
  readonly part: OutputPart
  readonly first: number
  readonly openedMs: number
  last: number
  records: number
  /** All records are in; what is left is to write and to name it. */
  isFinished: boolean
}

interface Partition extends TopicPartition {
  /** The last offset that is in a complete file; what is up to it is not written again. */
  written: number
  file: OutputFile | undefined
}

const ENDING = { none: '', gzip: '.gz', zstd: '.zst' } as const

/**
 * Writes the records of each partition into files that are named by their offsets. A file gets its name when it is complete,
 * and offsets are committed behind complete files only (Invariant 2); after a crash the names tell what is there already, so
 * that each record is in one file.
 */
export class SpoolDirSinkTask implements SinkTask {
  readonly #config: SinkConfig
  readonly #context: SinkTaskContext
  readonly #format: WriteFormat
  readonly #extension: string
  readonly #memory: Memory
  readonly #partitions = new Map<string, Partition>()
  #system: FileSystem | undefined

  constructor(config: SinkConfig, context: SinkTaskContext) {
    this.#config = config
    this.#context = context
    this.#memory = new Memory(config['file.buffer.size.bytes'])
    this.#format =
      config['output.format'] === 'csv'
        ? csvFormat({
            separator: String.fromCharCode(config['csv.separator.char']),
            header: config['csv.first.row.as.header'],
          })
        : jsonLinesFormat()
    this.#extension = this.#format.extension + ENDING[config['output.compression']]
  }

  open(partitions: readonly TopicPartition[]): void {
    // The folder tells what is written when the first record comes; somebody else had the partition until now.
    for (const { topic, partition } of partitions) this.#partitions.delete(keyOf(topic, partition))
  }

  async put(records: readonly SinkRecord[]): Promise<void> {
    await this.#withSystem(async (system) => {
      await this.#goOn(system)
      for (const record of records) {
        const partition = await this.#partitionOf(system, record)
        if (record.originalOffset <= (partition.file?.last ?? partition.written)) continue
        await this.#add(system, partition, record)
        if (partition.file?.records === this.#config['flush.size']) await this.#complete(system, partition)
      }
      await this.#spill(system)
    })
  }

  async preCommit(offsets: readonly TopicPartitionOffset[]): Promise<readonly TopicPartitionOffset[]> {
    return this.#withSystem(async (system) => {
      await this.#goOn(system)
      const committed: TopicPartitionOffset[] = []
      for (const { topic, partition: number, offset } of offsets) {
        const partition = this.#partitions.get(keyOf(topic, number))
        const file = partition?.file
        const isDue = file !== undefined && performance.now() - file.openedMs >= this.#config['rotate.interval.ms']
        if (partition !== undefined && isDue) await this.#complete(system, partition)
        committed.push({ topic, partition: number, offset: partition?.file?.first ?? offset })
      }
      return committed
    })
  }

  async close(partitions: readonly TopicPartition[]): Promise<void> {
    for (const { topic, partition } of partitions) {
      const closed = this.#partitions.get(keyOf(topic, partition))
      this.#partitions.delete(keyOf(topic, partition))
      // What is not complete is not committed either: whoever has the partition next writes it.
      await closed?.file?.part.discard(this.#system)
    }
  }

  async stop(): Promise<void> {
    await this.close([...this.#partitions.values()])
    await this.#system?.close().catch(() => undefined)
    this.#system = undefined
  }

  /** Runs with a connection; one that breaks is made anew by the next call. */
  async #withSystem<T>(operation: (system: FileSystem) => Promise<T>): Promise<T> {
    try {
      this.#system ??= await connectTo(this.#config, this.#context.logger)
      return await operation(this.#system)
    } catch (error) {
      const system = this.#system
      this.#system = undefined
      await system?.close().catch(() => undefined)
      throw error
    }
  }

  /** Ends what a broken connection has interrupted. */
  async #goOn(system: FileSystem): Promise<void> {
    for (const partition of this.#partitions.values()) {
      if (partition.file?.isFinished === true) await this.#complete(system, partition)
      else await partition.file?.part.goOn(system)
    }
  }

  async #recover(system: FileSystem, topic: string, partition: number): Promise<Partition> {
    const folder = this.#config['output.path']
    // Where files do not grow there are no beginnings of them, whose names begin otherwise.
    const listed = await system.list(folder, false, system.appends ? '' : outputPrefix(topic, partition))
    let written = -1
    for (const { path: name } of listed) {
      const found = parseOutputName(name)
      if (found?.topic === topic && found.partition === partition) written = Math.max(written, found.last)
      // Left behind by a crash; nobody else writes this partition now.
      if (name.startsWith(partPrefix(topic, partition))) await system.remove(joinPath(folder, name))
    }
    return { topic, partition, written, file: undefined }
  }

  async #partitionOf(system: FileSystem, record: SinkRecord): Promise<Partition> {
    const { originalTopic: topic, originalPartition: partition } = record
    const key = keyOf(topic, partition)
    let known = this.#partitions.get(key)
    if (known === undefined) {
      known = await this.#recover(system, topic, partition)
      this.#partitions.set(key, known)
    }
    return known
  }

  async #add(system: FileSystem, partition: Partition, record: SinkRecord): Promise<void> {
    const { value, valueSchema, originalOffset } = record
    if (value === null && this.#config['behavior.on.null.values'] === 'ignore') return
    try {
      if (value === null) throw new DataError('the record has no value; behavior.on.null.values=ignore leaves it out')
      const file = partition.file ?? this.#newFile(system, partition, record)
      file.part.add(valueSchema, value)
      partition.file = file
      file.last = originalOffset
      file.records++
    } catch (error) {
      if (!isConnectError(error) || error.code !== 'DATA') throw error
      const { errantRecordReporter } = this.#context
      if (errantRecordReporter === null) throw error
      await errantRecordReporter.report(record, error)
    }
  }

  #newFile(system: FileSystem, { topic, partition }: TopicPartition, record: SinkRecord): OutputFile {
    const writer = this.#format.create(record.valueSchema)
    const compression = this.#config['output.compression']
    const name = `${partPrefix(topic, partition)}${randomUUID()}.part`
    const part = system.appends
      ? new GrowingPart(writer, compression, joinPath(this.#config['output.path'], name))
      : new KeptPart(writer, compression, this.#memory)
    const first = record.originalOffset
    return { part, first, last: first, records: 0, openedMs: performance.now(), isFinished: false }
  }

  /** Keeps the memory of all open files together within its bound. */
  async #spill(system: FileSystem): Promise<void> {
    const files = [...this.#partitions.values()].flatMap(({ file }) => (file === undefined ? [] : [file]))
    let held = files.reduce((sum, { part }) => sum + part.heldBytes, 0)
    for (const { part } of files.toSorted((a, b) => b.part.heldBytes - a.part.heldBytes)) {
      if (held <= this.#memory.limit) return
      held -= part.heldBytes
      await part.spill(system)
    }
  }

  async #complete(system: FileSystem, partition: Partition): Promise<void> {
    const { file, topic, partition: number } = partition
    if (file === undefined) return
    const { first, last, part } = file
    file.isFinished = true
    const name = outputName({ topic, partition: number, first, last }, this.#extension)
    await part.complete(system, joinPath(this.#config['output.path'], name))
    partition.written = last
    partition.file = undefined
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic} ${partition}`
}
