/**
 * The bytes that workers exchange in JoinGroup and SyncGroup of a `connect` group, as Kafka Connect writes them.
 *
 *   metadata v0    int16 version=0, string url, int64 configOffset
 *   metadata v1/2  int16 version, string url, int64 configOffset, nullable bytes assignment
 *   assignment v0  int16 version, int16 error, string leader, string leaderUrl, int64 configOffset, array<entry>
 *   assignment v1/2  ... nullable array<entry> assigned, nullable array<entry> revoked, int32 delayMs
 *   entry          string connector, array<int32> tasks; task -1 is the Connector instance itself
 *   labels         string "worker.labels", array<string>
 *
 * A worker of Millrace that has labels writes them behind its metadata, where Kafka's reader does not look.
 * Integers are big endian, string lengths int16, bytes and array lengths int32 (-1 is null).
 */
import { type Labels, noLabels, WORKER_LABELS } from '../config/worker-labels.ts'
import { parseTaskKey, taskKey, type Work } from './work.ts'

/** Protocol names, most wanted first: `connect.protocol` picks where the list starts. */
export const protocolNames = ['sessioned', 'compatible', 'default'] as const
export type ProtocolName = (typeof protocolNames)[number]

/** The version of the bytes that belongs to a protocol name. */
export const protocolVersion: Readonly<Record<ProtocolName, 0 | 1 | 2>> = { default: 0, compatible: 1, sessioned: 2 }

const CONNECTOR_ITSELF = -1
const MAX_ENTRIES = 1_000_000

/** What a worker says of itself when it joins. */
export interface WorkerMetadata {
  readonly url: string
  readonly configOffset: number
  /** What the worker runs now; null when it has not had an assignment yet (and always with the eager protocol). */
  readonly assignment: GroupAssignment | null
  readonly labels: Labels
}

/** What the leader tells a worker. With the cooperative protocols `assigned` is only what is new. */
export interface GroupAssignment {
  /** 0, or 1 when the leader could not read the configuration it needs (CONFIG_MISMATCH). */
  readonly error: number
  readonly leader: string
  readonly leaderUrl: string
  readonly configOffset: number
  readonly assigned: Work
  readonly revoked: Work
  readonly delayMs: number
}

export const ASSIGNMENT_OK = 0
export const ASSIGNMENT_CONFIG_MISMATCH = 1

/** Bytes of a peer that are not what the protocol says. */
export class GroupProtocolError extends Error {
  override name = 'GroupProtocolError'
  readonly code = 'GROUP_PROTOCOL'
}

class ByteReader {
  private position = 0
  private readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  private advance(length: number): number {
    // Invariant 8: every length is checked against what is there before it is trusted.
    if (length < 0 || this.position + length > this.bytes.length) {
      throw new GroupProtocolError(
        `${length} bytes wanted at ${this.position} of ${this.bytes.length}; the member sends a broken connect protocol`,
      )
    }
    const start = this.position
    this.position += length
    return start
  }

  int16(): number {
    return this.bytes.readInt16BE(this.advance(2))
  }

  int32(): number {
    return this.bytes.readInt32BE(this.advance(4))
  }

  int64(): number {
    return Number(this.bytes.readBigInt64BE(this.advance(8)))
  }

  string(): string {
    const length = this.int16()
    const start = this.advance(length)
    return this.bytes.toString('utf8', start, start + length)
  }

  nullableBytes(): Buffer | null {
    const length = this.int32()
    if (length === -1) return null
    const start = this.advance(length)
    return this.bytes.subarray(start, start + length)
  }

  startsWith(bytes: Buffer): boolean {
    return this.bytes.subarray(this.position, this.position + bytes.length).equals(bytes)
  }

  arrayLength(): number {
    const length = this.int32()
    if (length > MAX_ENTRIES || length < -1) throw new GroupProtocolError(`array of ${length} entries is out of range`)
    return length
  }
}

class ByteWriter {
  private readonly parts: Buffer[] = []

  int16(value: number): void {
    const part = Buffer.alloc(2)
    part.writeInt16BE(value)
    this.parts.push(part)
  }

  int32(value: number): void {
    const part = Buffer.alloc(4)
    part.writeInt32BE(value)
    this.parts.push(part)
  }

  int64(value: number): void {
    const part = Buffer.alloc(8)
    part.writeBigInt64BE(BigInt(value))
    this.parts.push(part)
  }

  string(value: string): void {
    const bytes = Buffer.from(value)
    this.int16(bytes.length)
    this.parts.push(bytes)
  }

  nullableBytes(value: Buffer | null): void {
    this.int32(value === null ? -1 : value.length)
    if (value !== null) this.parts.push(value)
  }

  finish(): Buffer {
    return Buffer.concat(this.parts)
  }
}

/** One entry a connector, in the order of first mention, the connector itself before its tasks. */
function entriesOf(work: Work): Map<string, number[]> {
  const entries = new Map<string, number[]>()
  for (const connector of work.connectors) entries.set(connector, [CONNECTOR_ITSELF])
  for (const key of work.tasks) {
    const { connector, task } = parseTaskKey(key)
    const tasks = entries.get(connector)
    if (tasks) tasks.push(task)
    else entries.set(connector, [task])
  }
  return entries
}

function writeEntries(writer: ByteWriter, work: Work): void {
  const entries = entriesOf(work)
  writer.int32(entries.size)
  for (const [connector, tasks] of entries) {
    writer.string(connector)
    writer.int32(tasks.length)
    for (const task of tasks) writer.int32(task)
  }
}

function readEntries(reader: ByteReader): Work {
  const connectors = new Set<string>()
  const tasks = new Set<string>()
  const count = reader.arrayLength()
  for (let i = 0; i < count; i++) {
    const connector = reader.string()
    const taskCount = reader.arrayLength()
    for (let j = 0; j < taskCount; j++) {
      const task = reader.int32()
      if (task === CONNECTOR_ITSELF) connectors.add(connector)
      else tasks.add(taskKey({ connector, task }))
    }
  }
  return { connectors, tasks }
}

/** Encodes an assignment in the version of the protocol that the group chose. */
export function encodeAssignment(version: 0 | 1 | 2, assignment: GroupAssignment): Buffer {
  const writer = new ByteWriter()
  writer.int16(version)
  writer.int16(assignment.error)
  writer.string(assignment.leader)
  writer.string(assignment.leaderUrl)
  writer.int64(assignment.configOffset)
  writeEntries(writer, assignment.assigned)
  if (version > 0) {
    writeEntries(writer, assignment.revoked)
    writer.int32(assignment.delayMs)
  }
  return writer.finish()
}

/** Decodes an assignment of any version. */
export function decodeAssignment(bytes: Buffer): GroupAssignment {
  const reader = new ByteReader(bytes)
  const version = reader.int16()
  const error = reader.int16()
  const leader = reader.string()
  const leaderUrl = reader.string()
  const configOffset = reader.int64()
  const assigned = readEntries(reader)
  const revoked = version > 0 ? readEntries(reader) : { connectors: new Set<string>(), tasks: new Set<string>() }
  const delayMs = version > 0 ? reader.int32() : 0
  return { error, leader, leaderUrl, configOffset, assigned, revoked, delayMs }
}

/** The text before the labels: whatever else a peer might write behind its metadata is none of ours. */
const LABELS_MARK = Buffer.from([0, WORKER_LABELS.length, ...Buffer.from(WORKER_LABELS)])

function writeLabels(writer: ByteWriter, labels: Labels): void {
  // Without labels the bytes are those of Kafka Connect.
  if (labels.size === 0) return
  writer.string(WORKER_LABELS)
  writer.int32(labels.size)
  for (const label of labels) writer.string(label)
}

function readLabels(reader: ByteReader): Labels {
  if (!reader.startsWith(LABELS_MARK)) return noLabels
  reader.string()
  return new Set(Array.from({ length: reader.arrayLength() }, () => reader.string()))
}

/** Encodes what a worker says of itself. */
export function encodeMetadata(version: 0 | 1 | 2, metadata: WorkerMetadata): Buffer {
  const writer = new ByteWriter()
  writer.int16(version)
  writer.string(metadata.url)
  writer.int64(metadata.configOffset)
  if (version > 0) {
    const { assignment } = metadata
    writer.nullableBytes(assignment === null ? null : encodeAssignment(version, assignment))
  }
  writeLabels(writer, metadata.labels)
  return writer.finish()
}

/** Decodes what a worker says of itself, any version. */
export function decodeMetadata(bytes: Buffer): WorkerMetadata {
  const reader = new ByteReader(bytes)
  const version = reader.int16()
  const url = reader.string()
  const configOffset = reader.int64()
  const nested = version > 0 ? reader.nullableBytes() : null
  // A worker that has no assignment yet sends null or nothing at all.
  const assignment = nested === null || nested.length === 0 ? null : decodeAssignment(nested)
  return { url, configOffset, assignment, labels: readLabels(reader) }
}
