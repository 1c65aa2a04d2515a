import type { PluginLogger, SourcePartition } from '@millrace/sdk'
import {
  connectionError,
  PostgresConnection,
  protocolError,
  quoteIdentifier,
  quoteLiteral,
} from '../_shared/postgres-wire/index.ts'
import { ChangeDecoder, type DecoderSettings, STALE_TABLE } from './change-decoder.ts'
import type { CapturedTable } from './captured-table.ts'
import type { Config } from './config.ts'
import { formatLsn, type Lsn, readLsn, writeLsn, writeTimestamp } from './lsn.ts'
import { PGOUTPUT, readRelation, type RelationMessage } from './pgoutput.ts'
import { completePosition, streamOffset, type StreamPosition } from './positions.ts'
import type { RecordQueue } from './record-queue.ts'
import { connectionOptions } from './session.ts'

const XLOG_DATA = 0x77
const KEEPALIVE = 0x6b
const XLOG_HEADER_BYTES = 25
const STATUS_BYTES = 34
const TICK_MS = 250
/** So many status intervals, but at least a minute, without a byte from the server mean that it is gone. */
const SILENT_INTERVALS = 6
const SILENT_MS_MIN = 60_000
/** How long a position without records waits, so that an idle database makes few of them. */
const POSITION_INTERVAL_MS = 1000
/**
 * So many requests for an answer within a tick: the server shuts down and waits for a confirmation it cannot get
 * yet.
 */
const URGENT_REQUESTS = 20

export interface StreamDependencies {
  readonly config: Config
  readonly logger: PluginLogger
  readonly queue: RecordQueue
  readonly sourcePartition: SourcePartition
  readonly loadTable: (relation: RelationMessage, xid: number | null) => Promise<CapturedTable | null>
  readonly decoder: Omit<DecoderSettings, 'emit' | 'onUnexpectedTransaction'>
  readonly nowMs: () => number
}

/** Where a stream begins. */
export interface StreamStart {
  readonly start: StreamPosition
  /** The end of the last transaction seen, for the source block; null for none. */
  readonly lastCommitLsn: Lsn | null
  /** Up to where everything is durable; 0 when that is not known. */
  readonly durableLsn: Lsn
}

/** A replication connection that streams changes into the queue, and confirms what became durable. */
export class ReplicationStream {
  readonly #deps: StreamDependencies
  readonly #connection: PostgresConnection
  readonly #decoder: ChangeDecoder
  readonly #relations = new Map<number, RelationMessage>()
  /** The end of what was received. */
  #receivedLsn: Lsn
  #confirmedLsn: Lsn
  /** The newest complete position that records or positions in the queue carry. */
  #queuedLsn: Lsn
  #lastStatusMs = 0
  #lastReceivedMs: number
  #lastPositionMs = 0
  #hasReceived = false
  #requests = 0
  #timer: NodeJS.Timeout | undefined
  #loading = false
  #fail: (error: Error) => void = () => undefined
  #heartbeatMs: number

  private constructor(deps: StreamDependencies, connection: PostgresConnection, from: StreamStart) {
    const { start, lastCommitLsn } = from
    this.#deps = deps
    this.#connection = connection
    this.#receivedLsn = start.endLsn
    this.#confirmedLsn = from.durableLsn
    this.#queuedLsn = start.endLsn
    this.#heartbeatMs = deps.nowMs()
    this.#lastReceivedMs = this.#heartbeatMs
    this.#decoder = new ChangeDecoder(
      {
        ...deps.decoder,
        emit: (record) => {
          if (record.position !== null && record.position.xid === null) this.#queuedLsn = record.position.endLsn
          deps.queue.push(record, record.bytes)
          deps.queue.wake()
          if (deps.queue.isFull) connection.pause()
        },
        onUnexpectedTransaction: (expected, found) =>
          deps.logger.warn(
            { expected, found },
            'the transaction that was emitted in part did not come again; its remaining changes may be missing ' +
              'from the publication',
          ),
      },
      start,
      lastCommitLsn,
    )
  }

  /** Connects and starts the stream at a position. */
  static async start(deps: StreamDependencies, from: StreamStart): Promise<ReplicationStream> {
    const connection = await PostgresConnection.connect(connectionOptions(deps.config, true))
    const stream = new ReplicationStream(deps, connection, from)
    try {
      await stream.#begin(from.start.endLsn)
      return stream
    } catch (error) {
      stream.stop()
      throw error
    }
  }

  async #begin(from: Lsn): Promise<void> {
    const { config, queue } = this.#deps
    const options = [
      "proto_version '1'",
      `publication_names ${quoteLiteral(quoteIdentifier(config['publication.name']))}`,
      ...(this.#connection.serverVersion >= 14 ? ["messages 'true'"] : []),
      ...(config['slot.stream.params'] ?? '')
        .split(';')
        .filter((pair) => pair.includes('='))
        .map((pair) => {
          const [name = '', value = ''] = pair.split('=')
          return `${quoteIdentifier(name.trim())} ${quoteLiteral(value.trim())}`
        }),
    ]
    const slot = quoteIdentifier(config['slot.name'])
    const sql = `START_REPLICATION SLOT ${slot} LOGICAL ${formatLsn(from)} (${options.join(', ')})`
    queue.onRoom = () => {
      if (!this.#loading) this.#resume()
    }
    const { ended } = await this.#connection.startReplication(sql, (buffer, start, end) =>
      this.#data(buffer, start, end),
    )
    this.ended = new Promise<void>((resolve, reject) => {
      this.#fail = reject
      ended.then(resolve, reject)
    })
    this.ended.catch(() => undefined)
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    this.#sendStatus()
  }

  /** Settles when the stream ends: rejected with the reason. */
  ended: Promise<void> = Promise.resolve()

  /** Gives all that was decoded to the queue and says where to go on. */
  finalPosition(): StreamPosition {
    this.#decoder.flush()
    return this.#decoder.position
  }

  get lastCommitLsn(): Lsn | null {
    return this.#decoder.lastCommitLsn
  }

  /** Between transactions, the offset of everything before; undefined within one. */
  get completeOffset(): ReturnType<typeof streamOffset> | undefined {
    if (this.#decoder.inTransaction) return undefined
    const lsn = this.#decoder.endLsn
    const micros = this.#deps.nowMs() * 1000
    return streamOffset(completePosition(lsn), { lsn, xid: null, micros, messageType: 'COMMIT' })
  }

  /** Confirms that everything up to here is durable; the server may forget it. */
  confirm(lsn: Lsn): void {
    if (lsn <= this.#confirmedLsn) return
    this.#confirmedLsn = lsn
    this.#sendStatus()
  }

  /** Ends the stream and closes the connection. */
  stop(): void {
    clearInterval(this.#timer)
    if (this.#deps.queue.onRoom !== undefined) this.#deps.queue.onRoom = undefined
    if (this.#connection.isOpen) this.#sendStatus()
    this.#connection.destroy()
  }

  #data(buffer: Buffer, start: number, end: number): void {
    const type = buffer[start]
    this.#hasReceived = true
    if (type === XLOG_DATA) {
      if (end - start <= XLOG_HEADER_BYTES) throw protocolError('cut XLogData')
      const lsn = readLsn(buffer, start + 1)
      if (lsn > this.#receivedLsn) this.#receivedLsn = lsn
      this.#message(buffer, start + XLOG_HEADER_BYTES, end, lsn)
    } else if (type === KEEPALIVE) {
      if (end - start < 18) throw protocolError('cut keepalive')
      const walEnd = readLsn(buffer, start + 1)
      if (walEnd > this.#receivedLsn) this.#receivedLsn = walEnd
      // Transactions come whole and in commit order, so between two of them all before this position were seen.
      this.#decoder.advance(walEnd)
      if (buffer[start + 17] === 1) this.#answer()
    }
  }

  #answer(): void {
    this.#requests++
    if (this.#requests > URGENT_REQUESTS) {
      this.#fail(connectionError('the server is shutting down'))
      this.#connection.destroy()
    } else this.#sendStatus()
  }

  #message(buffer: Buffer, start: number, end: number, lsn: Lsn): void {
    const type = buffer[start] as number
    if (type === PGOUTPUT.relation) {
      const relation = readRelation(buffer, start + 1, end)
      this.#relations.set(relation.oid, relation)
      this.#load(relation, () => undefined)
      return
    }
    if (this.#decoder.message(type, buffer, start + 1, end, lsn) !== STALE_TABLE) return
    // An enum got a label after its table was described; the same message is read again with the new schema.
    const relation = this.#relations.get(buffer.readUInt32BE(start + 1))
    if (relation === undefined) throw protocolError('a change of a relation that was not described')
    this.#load(relation, () => {
      if (this.#decoder.message(type, buffer, start + 1, end, lsn) === STALE_TABLE) {
        throw protocolError(`an enum label of ${relation.schema}.${relation.table} that the catalogue does not know`)
      }
    })
  }

  /** Stops reading until the table's details are there. */
  #load(relation: RelationMessage, then: () => void): void {
    this.#loading = true
    this.#connection.pause()
    this.#deps
      .loadTable(relation, this.#decoder.xid)
      .then((table) => {
        this.#decoder.setTable(relation.oid, table)
        then()
        this.#loading = false
        if (!this.#deps.queue.isFull) this.#resume()
      })
      .catch((error: unknown) => {
        this.#fail(error as Error)
        this.#connection.destroy()
      })
  }

  #resume(): void {
    // What the server sent meanwhile was not read, so its silence begins now.
    this.#lastReceivedMs = this.#deps.nowMs()
    this.#connection.resume()
  }

  /** A server that went away without a word answers no request for a keepalive. */
  #checkSilence(now: number): void {
    const { config, queue } = this.#deps
    if (this.#hasReceived) this.#lastReceivedMs = now
    this.#hasReceived = false
    if (this.#loading || queue.isFull) return
    const silentMs = now - this.#lastReceivedMs
    if (silentMs < Math.max(SILENT_MS_MIN, SILENT_INTERVALS * config['status.update.interval.ms'])) return
    this.#fail(connectionError(`no answer from the server for ${Math.round(silentMs / 1000)} s`))
    this.#connection.destroy()
  }

  #tick(): void {
    const { config, nowMs } = this.#deps
    const now = nowMs()
    this.#requests = 0
    this.#checkSilence(now)
    if (now - this.#lastStatusMs >= config['status.update.interval.ms']) this.#sendStatus()
    if (this.#decoder.endLsn > this.#queuedLsn && now - this.#lastPositionMs >= POSITION_INTERVAL_MS) {
      this.#queuePosition(now)
    }
  }

  /** Lets the offset follow the WAL where no record does: an idle or filtered database must not keep its WAL. */
  #queuePosition(now: number): void {
    const offset = this.completeOffset
    if (offset === undefined) return
    this.#lastPositionMs = now
    this.#queuedLsn = this.#decoder.endLsn
    const { queue, sourcePartition } = this.#deps
    queue.push({ topic: null, sourcePartition, sourceOffset: offset }, 100)
    queue.wake()
  }

  /** True once per heartbeat interval, between transactions. */
  heartbeatDue(): boolean {
    const interval = this.#deps.config['heartbeat.interval.ms']
    const now = this.#deps.nowMs()
    if (interval === 0 || now - this.#heartbeatMs < interval || this.#decoder.inTransaction) return false
    this.#heartbeatMs = now
    this.#queuedLsn = Math.max(this.#queuedLsn, this.#decoder.endLsn)
    return true
  }

  /** Written is what was received, flushed and applied what was confirmed. */
  #sendStatus(): void {
    const status = Buffer.alloc(STATUS_BYTES)
    status[0] = 0x72
    writeLsn(status, Math.max(this.#receivedLsn, this.#decoder.endLsn), 1)
    // Invariant 11: the slot moves only to what is durable in the log together with its offset.
    writeLsn(status, this.#confirmedLsn, 9)
    writeLsn(status, this.#confirmedLsn, 17)
    const now = this.#deps.nowMs()
    writeTimestamp(status, Math.floor(now * 1000), 25)
    // The server owes no keepalive to a client that reports by itself, so one is asked for when it is silent.
    status[33] = now - this.#lastReceivedMs >= this.#deps.config['status.update.interval.ms'] ? 1 : 0
    this.#lastStatusMs = now
    this.#connection.sendCopyData(status)
  }
}
