import { randomUUID } from 'node:crypto'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import {
  ConnectError,
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
import { csvFormat, jsonLinesFormat, type RecordWriter, type WriteFormat } from '../_shared/formats/index.ts'
import { connectTo } from './connect.ts'
import { outputName, parseOutputName, partPrefix } from './output-name.ts'
import type { sinkConfig } from './sink-config.ts'

type SinkConfig = Parsed<typeof sinkConfig>

/** A file that is not complete yet. */
interface OutputFile {
  readonly writer: RecordWriter
  readonly part: string
  readonly first: number
  readonly openedMs: number
  last: number
  records: number
  /** How much of the part is written for certain. */
  size: number
  /** What comes next into the part. */
  pending: Uint8Array | undefined
  /** A write of `pending` failed, and nobody knows how much of it arrived. */
  isUncertain: boolean
  /** All records are in; what is left is to write and to name it. */
  isFinished: boolean
}

interface Partition extends TopicPartition {
  /** The last offset that is in a complete file; what is up to it is not written again. */
  written: number
  file: OutputFile | undefined
}

const COMPRESS: Readonly<Record<SinkConfig['output.compression'], (bytes: Uint8Array) => Uint8Array>> = {
  none: (bytes) => bytes,
  gzip: (bytes) => gzipSync(bytes),
  zstd: (bytes) => zstdCompressSync(bytes),
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
  readonly #partitions = new Map<string, Partition>()
  #system: FileSystem | undefined

  constructor(config: SinkConfig, context: SinkTaskContext) {
    this.#config = config
    this.#context = context
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
        await this.#add(partition, record)
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
      if (closed?.file !== undefined) await this.#system?.remove(closed.file.part).catch(() => undefined)
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
      else if (partition.file !== undefined) await this.#write(system, partition.file)
    }
  }

  async #recover(system: FileSystem, partitions: readonly TopicPartition[]): Promise<void> {
    const folder = this.#config['output.path']
    const names = (await system.list(folder, false)).map(({ path }) => path)
    for (const { topic, partition } of partitions) {
      let written = -1
      for (const name of names) {
        const found = parseOutputName(name)
        if (found?.topic === topic && found.partition === partition) written = Math.max(written, found.last)
        // Left behind by a crash; nobody else writes this partition now.
        if (name.startsWith(partPrefix(topic, partition))) await system.remove(joinPath(folder, name))
      }
      this.#partitions.set(keyOf(topic, partition), { topic, partition, written, file: undefined })
    }
  }

  async #partitionOf(system: FileSystem, record: SinkRecord): Promise<Partition> {
    const { originalTopic: topic, originalPartition: partition } = record
    const key = keyOf(topic, partition)
    const known = this.#partitions.get(key)
    if (known !== undefined) return known
    await this.#recover(system, [{ topic, partition }])
    return this.#partitions.get(key) as Partition
  }

  async #add(partition: Partition, record: SinkRecord): Promise<void> {
    const { value, valueSchema, originalOffset } = record
    if (value === null && this.#config['behavior.on.null.values'] === 'ignore') return
    try {
      if (value === null) throw new DataError('the record has no value; behavior.on.null.values=ignore leaves it out')
      const writer = partition.file?.writer ?? this.#format.create(valueSchema)
      writer.add(valueSchema, value)
      partition.file ??= this.#newFile(partition, writer, originalOffset)
      partition.file.last = originalOffset
      partition.file.records++
    } catch (error) {
      if (!isConnectError(error) || error.code !== 'DATA') throw error
      const { errantRecordReporter } = this.#context
      if (errantRecordReporter === null) throw error
      await errantRecordReporter.report(record, error)
    }
  }

  #newFile({ topic, partition }: TopicPartition, writer: RecordWriter, first: number): OutputFile {
    const part = joinPath(this.#config['output.path'], `${partPrefix(topic, partition)}${randomUUID()}.part`)
    const state = { size: 0, pending: undefined, isUncertain: false, isFinished: false }
    return { writer, part, first, last: first, records: 0, openedMs: performance.now(), ...state }
  }

  /** Keeps the memory of all open files together within its bound. */
  async #spill(system: FileSystem): Promise<void> {
    const files = [...this.#partitions.values()].flatMap(({ file }) => (file === undefined ? [] : [file]))
    let held = files.reduce((sum, { writer }) => sum + writer.heldBytes, 0)
    for (const file of files.toSorted((a, b) => b.writer.heldBytes - a.writer.heldBytes)) {
      if (held <= this.#config['file.buffer.size.bytes']) return
      held -= file.writer.heldBytes
      file.pending = this.#compressed(file.writer.take())
      await this.#write(system, file)
    }
  }

  /** Compressed files are rows of compressed pieces, which all decompressors read as one. */
  #compressed(bytes: Uint8Array): Uint8Array {
    return bytes.length === 0 ? bytes : COMPRESS[this.#config['output.compression']](bytes)
  }

  async #write(system: FileSystem, file: OutputFile): Promise<void> {
    const { pending, part, size } = file
    if (pending === undefined) return
    const found = file.isUncertain ? ((await system.stat(part))?.length ?? 0) : size
    if (found !== size + pending.length) {
      if (found !== size && size > 0) {
        throw new ConnectError(
          `${system.label}${part}: the connection broke within a write, which left ${found - size} of ` +
            `${pending.length} bytes; start the task again, and the file is written from its first record`,
        )
      }
      file.isUncertain = true
      await system.write(part, pending, size === 0 ? 'replace' : 'append')
    }
    file.isUncertain = false
    file.size = size + pending.length
    file.pending = undefined
  }

  async #complete(system: FileSystem, partition: Partition): Promise<void> {
    const { file, topic, partition: number } = partition
    if (file === undefined) return
    const { first, last, part } = file
    const name = outputName({ topic, partition: number, first, last }, this.#extension)
    const path = joinPath(this.#config['output.path'], name)
    if (!file.isFinished) {
      file.isFinished = true
      const rest = this.#compressed(file.writer.finish())
      if (rest.length > 0) file.pending = rest
    } else if ((await system.stat(part)) === null && (await system.stat(path)) !== null) {
      // It got its name before the connection broke, and only the answer was lost.
      file.pending = undefined
      this.#completed(partition, last)
      return
    }
    await this.#write(system, file)
    await system.move(part, path)
    this.#completed(partition, last)
  }

  #completed(partition: Partition, last: number): void {
    partition.written = last
    partition.file = undefined
  }
}

function keyOf(topic: string, partition: number): string {
  return `${topic} ${partition}`
}
