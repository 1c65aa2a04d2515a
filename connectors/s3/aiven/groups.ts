import type { Schema, SinkRecord, TopicPartition } from '@millrace/sdk'
import { type FileLayout, OpenFile, sameSchema } from '../../_shared/storage-sink/index.ts'
import { keyOf } from './file-name.ts'
import type { Naming } from './naming.ts'

/** The open files of a task, by the names of their objects. */
export class Groups {
  readonly #naming: Naming
  readonly #recordsMax: number
  readonly #open = new Map<string, OpenFile>()
  /** Files that take no more records. */
  #full: OpenFile[] = []
  /** Per topic partition, and key where that makes a group, the offset that the names of its files have. */
  readonly #heads = new Map<string, number>()

  constructor(naming: Naming, recordsMax: number) {
    this.#naming = naming
    this.#recordsMax = recordsMax
  }

  get size(): number {
    return this.#open.size + this.#full.length
  }

  get files(): readonly OpenFile[] {
    return [...this.#full, ...this.#open.values()]
  }

  /** Adds a record. Gives the file that it replaces where the latest record of a key counts alone. */
  add(record: SinkRecord, schema: Schema | null, value: unknown, layout: FileLayout): OpenFile | undefined {
    if (this.#naming.grouping === 'key') return this.#replace(record, schema, value, layout)
    const group = this.#groupOf(record)
    let name = this.#naming.nameOf(record, this.#heads.get(group) ?? record.originalOffset)
    const known = this.#open.get(name)
    const isFull = known !== undefined && this.#recordsMax > 0 && known.count >= this.#recordsMax
    if (known !== undefined && (isFull || !sameSchema(known.schema, schema))) {
      this.#full.push(known)
      this.#open.delete(name)
      this.#heads.delete(group)
      name = this.#naming.nameOf(record, record.originalOffset)
    }
    const file = this.#open.get(name) ?? new OpenFile(record, name, schema, layout)
    file.add(record, schema, value)
    this.#open.set(name, file)
    if (!this.#heads.has(group)) this.#heads.set(group, record.originalOffset)
    return undefined
  }

  /** All files; the next records begin new ones. */
  take(): readonly OpenFile[] {
    const { files } = this
    this.#open.clear()
    this.#full = []
    this.#heads.clear()
    return files
  }

  /** Removes the files of a topic partition. Those of keys may have records of others too, and stay. */
  drop({ topic, partition }: TopicPartition): readonly OpenFile[] {
    if (this.#naming.grouping === 'key') return []
    const isOf = ({ origin }: OpenFile): boolean => origin.topic === topic && origin.partition === partition
    const dropped = this.files.filter(isOf)
    this.#full = this.#full.filter((file) => !isOf(file))
    for (const [name, file] of this.#open) if (isOf(file)) this.#open.delete(name)
    const prefix = `${topic}\u0000${partition}\u0000`
    for (const group of this.#heads.keys()) if (group.startsWith(prefix)) this.#heads.delete(group)
    return dropped
  }

  #replace(record: SinkRecord, schema: Schema | null, value: unknown, layout: FileLayout): OpenFile | undefined {
    const name = this.#naming.nameOf(record, record.originalOffset)
    const file = new OpenFile(record, name, schema, layout)
    file.add(record, schema, value)
    const before = this.#open.get(name)
    this.#open.set(name, file)
    return before
  }

  #groupOf(record: SinkRecord): string {
    const { originalTopic, originalPartition } = record
    const key = this.#naming.grouping === 'partition-key' ? keyOf(record) : ''
    return `${originalTopic}\u0000${originalPartition}\u0000${key}`
  }
}
