import type { Socket } from 'node:net'
import { FrameReader } from './frame-reader.ts'
import * as messages from './message-writer.ts'
import { connectionError, parseErrorResponse, type PostgresError, protocolError } from './postgres-error.ts'
import { md5Password, ScramExchange } from './scram.ts'
import { openSocket, type SocketOptions } from './socket.ts'

export interface ConnectionOptions extends SocketOptions {
  readonly user: string
  readonly password?: string | undefined
  readonly database: string
  /** A logical replication connection: SQL in the simple protocol, and the replication commands. */
  readonly replication?: boolean
  /** Session settings sent at start, for example `{ TimeZone: 'UTC' }`. */
  readonly parameters?: Readonly<Record<string, string>>
  /** Takes notices of the server; they go nowhere without it. */
  readonly onNotice?: (notice: PostgresError) => void
}

/** The rows of one statement; every value is text or null. */
export interface QueryResult {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | null)[])[]
  readonly command: string
}

/** Takes the bytes of a COPY or replication message; the buffer may be kept. */
export type DataHandler = (buffer: Buffer, start: number, end: number) => void

const CODE = (letter: string): number => letter.charCodeAt(0)
const [AUTH, PARAMETER, KEY, READY] = ['R', 'S', 'K', 'Z'].map(CODE) as [number, number, number, number]
const [ROWS, ROW, COMPLETE, EMPTY] = ['T', 'D', 'C', 'I'].map(CODE) as [number, number, number, number]
const [ERROR, NOTICE, NOTIFICATION] = ['E', 'N', 'A'].map(CODE) as [number, number, number]
const [COPY_OUT, COPY_BOTH, COPY_DATA, COPY_DONE] = ['H', 'W', 'd', 'c'].map(CODE) as [number, number, number, number]

interface Exchange {
  message(type: number, buffer: Buffer, start: number, end: number): void
  fail(error: Error): void
}

/** One connection to a Postgres server, from its start-up to its end. Calls run one after another. */
export class PostgresConnection {
  readonly #options: ConnectionOptions
  readonly #socket: Socket
  readonly #reader: FrameReader
  readonly #parameters = new Map<string, string>()
  #backend: { pid: number; secret: Buffer } | undefined
  #exchange: Exchange | undefined
  #tail: Promise<unknown> = Promise.resolve()
  #broken: Error | undefined
  #closing = false

  private constructor(options: ConnectionOptions, socket: Socket) {
    this.#options = options
    this.#socket = socket
    this.#reader = new FrameReader((type, buffer, start, end) => this.#dispatch(type, buffer, start, end))
    socket.on('data', (chunk: Buffer) => this.#guard(() => this.#reader.push(chunk)))
    socket.on('error', (error) => this.#break(connectionError(`connection to Postgres lost: ${error.message}`, error)))
    socket.on('close', () => this.#break(connectionError('connection to Postgres closed by the server')))
  }

  /** Connects and authenticates. Throws PostgresError, SQLSTATE 08006 when the server cannot be reached. */
  static async connect(options: ConnectionOptions): Promise<PostgresConnection> {
    switch (options.sslmode) {
      case 'disable':
        return await PostgresConnection.#open(options, 'no')
      case 'allow':
        return await PostgresConnection.#open(options, 'no').catch((error: PostgresError) => {
          if (error.sqlstate !== '28000') throw error
          return PostgresConnection.#open(options, 'yes')
        })
      case 'prefer':
        return await PostgresConnection.#open(options, 'optional').catch((error: PostgresError) => {
          if (error.sqlstate !== '28000') throw error
          return PostgresConnection.#open(options, 'no')
        })
      default:
        return await PostgresConnection.#open(options, 'yes')
    }
  }

  static async #open(options: ConnectionOptions, tls: 'no' | 'optional' | 'yes'): Promise<PostgresConnection> {
    const connection = new PostgresConnection(options, await openSocket(options, tls))
    try {
      await connection.#start()
      return connection
    } catch (error) {
      connection.destroy()
      throw error
    }
  }

  /** A setting that the server reported, for example `server_version`. */
  parameter(name: string): string | undefined {
    return this.#parameters.get(name)
  }

  /** The major version of the server. */
  get serverVersion(): number {
    return Number.parseInt(this.parameter('server_version') ?? '0', 10)
  }

  /** The process id of the backend. */
  get backendPid(): number {
    return this.#backend?.pid ?? 0
  }

  get isOpen(): boolean {
    return this.#broken === undefined && !this.#closing
  }

  /** Runs statements in the simple protocol; a result for each. */
  query(sql: string): Promise<readonly QueryResult[]> {
    return this.#serial(() => this.#collect(messages.query(sql)))
  }

  /** Runs one statement with text parameters. */
  async execute(sql: string, parameters: readonly (string | null)[]): Promise<QueryResult> {
    const results = await this.#serial(() => this.#collect(messages.extendedQuery(sql, parameters)))
    return results[0] ?? { columns: [], rows: [], command: '' }
  }

  /** The rows of the last statement as objects. */
  async rows(sql: string, parameters?: readonly (string | null)[]): Promise<Record<string, string | null>[]> {
    const result = parameters === undefined ? (await this.query(sql)).at(-1) : await this.execute(sql, parameters)
    return (result?.rows ?? []).map((row) =>
      Object.fromEntries((result?.columns ?? []).map((column, index) => [column, row[index] ?? null])),
    )
  }

  /** Runs `COPY ... TO STDOUT`, each row to the handler, which may `pause`. Resolves when all rows were handled. */
  copyOut(sql: string, onRow: DataHandler): Promise<void> {
    return this.#serial(
      () =>
        new Promise<void>((resolve, reject) => {
          let failure: Error | undefined
          this.#begin({
            message: (type, buffer, start, end) => {
              if (type === COPY_DATA) {
                if (failure === undefined) onRow(buffer, start, end)
              } else if (type === ERROR) failure = parseErrorResponse(buffer.subarray(start, end))
              else if (type === READY) this.#end(failure ? () => reject(failure as Error) : resolve)
              else if (type !== COPY_OUT && type !== COPY_DONE && type !== COMPLETE) throw unexpected(type)
            },
            fail: reject,
          })
          this.#socket.write(messages.query(sql))
        }),
    )
  }

  /**
   * Starts `START_REPLICATION`; every CopyData goes to the handler. The first promise resolves when the stream is on,
   * `ended` when it stops: rejected with the reason, or resolved after `endReplication`.
   */
  startReplication(sql: string, onData: DataHandler): Promise<{ readonly ended: Promise<void> }> {
    return this.#serial(
      () =>
        new Promise((resolve, reject) => {
          let failure: Error | undefined
          let over: { resolve(): void; reject(error: Error): void } | undefined
          const ended = new Promise<void>((onEnd, onError) => {
            over = { resolve: onEnd, reject: onError }
          })
          // Whoever cares awaits `ended`; nobody may be listening yet when it fails.
          ended.catch(() => undefined)
          const fail = (error: Error): void => {
            reject(error)
            over?.reject(error)
          }
          this.#begin({
            message: (type, buffer, start, end) => {
              if (type === COPY_DATA) onData(buffer, start, end)
              else if (type === COPY_BOTH) resolve({ ended })
              else if (type === ERROR) failure = parseErrorResponse(buffer.subarray(start, end))
              else if (type === READY) this.#end(() => (failure ? fail(failure) : over?.resolve()))
              else if (type !== COPY_DONE && type !== COMPLETE && type !== ROWS && type !== ROW) throw unexpected(type)
            },
            fail,
          })
          this.#socket.write(messages.query(sql))
        }),
    )
  }

  /** Sends a CopyData message in a replication stream; true when the socket took it without queueing. */
  sendCopyData(data: Buffer): boolean {
    return this.isOpen && this.#socket.write(messages.copyData(data))
  }

  /** Asks the server to end the replication stream. */
  endReplication(): void {
    if (this.isOpen) this.#socket.write(messages.copyDone())
  }

  /** Stops reading: the server feels it through TCP, and at most one socket buffer more arrives. */
  pause(): void {
    this.#reader.pause()
    this.#socket.pause()
  }

  resume(): void {
    this.#guard(() => this.#reader.resume())
    if (this.isOpen) this.#socket.resume()
  }

  /** Asks the server to stop what this connection runs; takes a connection of its own. */
  async cancel(): Promise<void> {
    const backend = this.#backend
    if (backend === undefined) return
    const socket = await openSocket(this.#options, 'no')
    await new Promise<void>((resolve) => {
      socket.once('close', () => resolve()).on('error', () => undefined)
      socket.resume()
      socket.end(messages.cancelRequest(backend.pid, backend.secret))
    })
  }

  /** Says goodbye and closes; waits for what runs. Safe to call again. */
  async close(): Promise<void> {
    await this.#tail.catch(() => undefined)
    if (this.#broken !== undefined) return
    this.#closing = true
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()))
    this.#socket.resume()
    this.#socket.end(messages.terminate())
    const timer = setTimeout(() => this.destroy(), 1000)
    await closed
    clearTimeout(timer)
  }

  /** Closes at once; what runs fails. */
  destroy(): void {
    this.#socket.destroy()
    this.#break(connectionError('connection to Postgres closed'))
  }

  #serial<T>(run: () => Promise<T>): Promise<T> {
    const next = this.#tail.then(run, run)
    this.#tail = next.catch(() => undefined)
    return next
  }

  #begin(exchange: Exchange): void {
    if (this.#broken !== undefined) throw this.#broken
    if (this.#closing) throw connectionError('connection to Postgres closed')
    this.#exchange = exchange
  }

  #end(done: () => void): void {
    this.#exchange = undefined
    done()
  }

  #guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#socket.destroy()
      this.#break(error as Error)
    }
  }

  #break(error: Error): void {
    if (this.#broken !== undefined) return
    this.#broken = error
    const exchange = this.#exchange
    this.#exchange = undefined
    exchange?.fail(error)
  }

  #dispatch(type: number, buffer: Buffer, start: number, end: number): void {
    if (type === PARAMETER) {
      const [name, value] = buffer.toString('utf8', start, end - 1).split('\0')
      if (name !== undefined && value !== undefined) this.#parameters.set(name, value)
    } else if (type === NOTICE) {
      this.#options.onNotice?.(parseErrorResponse(buffer.subarray(start, end)))
    } else if (type === NOTIFICATION) {
      return
    } else if (this.#exchange !== undefined) {
      this.#exchange.message(type, buffer, start, end)
    } else if (type === ERROR) {
      // A server that shuts down says why before it closes.
      this.#break(parseErrorResponse(buffer.subarray(start, end)))
    }
  }

  #collect(request: Buffer): Promise<readonly QueryResult[]> {
    return new Promise((resolve, reject) => {
      const results: QueryResult[] = []
      let columns: readonly string[] = []
      let rows: (readonly (string | null)[])[] = []
      let failure: Error | undefined
      this.#begin({
        message: (type, buffer, start, end) => {
          if (type === ROWS) columns = readColumns(buffer.subarray(start, end))
          else if (type === ROW) rows.push(readRow(buffer.subarray(start, end)))
          else if (type === COMPLETE || type === EMPTY) {
            results.push({ columns, rows, command: buffer.toString('utf8', start, Math.max(start, end - 1)) })
            columns = []
            rows = []
          } else if (type === ERROR) failure = parseErrorResponse(buffer.subarray(start, end))
          else if (type === READY) this.#end(() => (failure ? reject(failure) : resolve(results)))
        },
        fail: reject,
      })
      this.#socket.write(request)
    })
  }

  #start(): Promise<void> {
    const { user, password, database, replication, parameters } = this.#options
    let scram: ScramExchange | undefined
    const secret = (): string => {
      if (password) return password
      throw connectionError(`the server asks for a password of user "${user}", but none is configured`)
    }
    const authenticate = async (kind: number, body: Buffer): Promise<Buffer | undefined> => {
      if (kind === 0) return undefined
      if (kind === 3) return messages.password(secret())
      if (kind === 5) return messages.password(md5Password(user, secret(), body.subarray(0, 4)))
      if (kind === 10) {
        const mechanisms = body.toString('utf8').split('\0')
        if (!mechanisms.includes('SCRAM-SHA-256')) throw protocolError(`SASL mechanisms ${mechanisms.join(' ')}`)
        scram = new ScramExchange(secret())
        return messages.saslInitial('SCRAM-SHA-256', scram.first())
      }
      if (kind === 11 && scram) return messages.saslResponse(await scram.continue(body.toString('utf8')))
      if (kind === 12 && scram) {
        scram.finish(body.toString('utf8'))
        return undefined
      }
      throw protocolError(`authentication method ${kind} is not supported; use password, md5 or scram-sha-256`)
    }
    return new Promise((resolve, reject) => {
      this.#begin({
        message: (type, buffer, start, end) => {
          if (type === AUTH) {
            if (end - start < 4) throw protocolError('short authentication message')
            authenticate(buffer.readInt32BE(start), buffer.subarray(start + 4, end)).then((answer) => {
              if (answer !== undefined) this.#socket.write(answer)
            }, reject)
          } else if (type === KEY) {
            this.#backend = { pid: buffer.readInt32BE(start), secret: Buffer.from(buffer.subarray(start + 4, end)) }
          } else if (type === ERROR) reject(parseErrorResponse(buffer.subarray(start, end)))
          else if (type === READY) this.#end(resolve)
        },
        fail: reject,
      })
      const extra = replication ? { replication: 'database' } : {}
      this.#socket.write(messages.startup({ user, database, client_encoding: 'UTF8', ...parameters, ...extra }))
      this.#socket.resume()
    })
  }
}

const unexpected = (type: number): Error => protocolError(`unexpected message "${String.fromCharCode(type)}"`)

function readColumns(body: Buffer): string[] {
  const columns: string[] = []
  const count = body.readInt16BE(0)
  let position = 2
  for (let index = 0; index < count; index++) {
    const end = body.indexOf(0, position)
    if (end < 0) throw protocolError('cut row description')
    columns.push(body.toString('utf8', position, end))
    position = end + 19
  }
  return columns
}

function readRow(body: Buffer): (string | null)[] {
  const row: (string | null)[] = []
  const count = body.readInt16BE(0)
  let position = 2
  for (let index = 0; index < count; index++) {
    const length = body.readInt32BE(position)
    position += 4
    if (length > body.length - position) throw protocolError('cut row')
    row.push(length < 0 ? null : body.toString('utf8', position, position + length))
    position += Math.max(0, length)
  }
  return row
}
