import { connect, type Socket } from 'node:net'
import { type Api, type Encodable, FrameSplitter } from '../../../src/protocol/index.ts'
import { BatchBuilder, type BatchOptions } from '../../../src/record/index.ts'
import { DEADLINE_MS } from '../../services/deadline.ts'

/** One connection that speaks frames, without any of a client's cleverness. */
export class RawClient {
  readonly #socket: Socket
  readonly #frames: Buffer[] = []
  #waiting: ((frame: Buffer) => void) | undefined
  #correlationId = 0
  readonly closed: Promise<void>

  private constructor(socket: Socket) {
    this.#socket = socket
    const splitter = new FrameSplitter({
      maxFrameBytes: 1 << 30,
      onFrame: (frame) => {
        const waiting = this.#waiting
        this.#waiting = undefined
        if (waiting === undefined) this.#frames.push(Buffer.from(frame))
        else waiting(Buffer.from(frame))
      },
    })
    socket.on('data', (chunk: Buffer) => splitter.push(chunk))
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => socket.on('close', () => resolve()))
  }

  static open(port: number): Promise<RawClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => resolve(new RawClient(socket)))
    })
  }

  /** Sends bytes as they are. */
  write(bytes: Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** The next frame, whatever it is. */
  nextFrame(): Promise<Buffer> {
    const frame = this.#frames.shift()
    if (frame !== undefined) return Promise.resolve(frame)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no answer in time')), DEADLINE_MS)
      this.#waiting = (arrived) => {
        clearTimeout(timer)
        resolve(arrived)
      }
      void this.closed.then(() => {
        clearTimeout(timer)
        reject(new Error('the connection was closed'))
      })
    })
  }

  /** Sends a request and does not wait; answers its correlation id. */
  send<Q, A>(api: Api<Q, A>, version: number, message: Encodable<Q>, clientId: string | null = 'raw'): number {
    const correlationId = ++this.#correlationId
    for (const part of api.requestFrame(version, { correlationId, clientId }, message)) this.write(part)
    return correlationId
  }

  async receive<Q, A>(api: Api<Q, A>, version: number): Promise<{ correlationId: number; message: A }> {
    const frame = await this.nextFrame()
    const bodyAt = api.responseHeaderVersion(version) === 1 ? 5 : 4
    return { correlationId: frame.readInt32BE(0), message: api.decodeResponse(version, frame, bodyAt) }
  }

  async call<Q, A>(api: Api<Q, A>, version: number, message: Encodable<Q>, clientId?: string | null): Promise<A> {
    const correlationId = this.send(api, version, message, clientId)
    const answer = await this.receive(api, version)
    if (answer.correlationId !== correlationId) {
      throw new Error(`answer ${answer.correlationId} to request ${correlationId}`)
    }
    return answer.message
  }

  close(): void {
    this.#socket.destroy()
  }
}

export interface TestRecord {
  readonly key?: string | null
  readonly value?: string | null
  readonly timestamp?: number
}

/** A batch as a producer sends it. */
export function batchOf(values: readonly (string | TestRecord)[], options: BatchOptions = {}): Buffer {
  const builder = new BatchBuilder()
  for (const item of values) {
    const { key = null, value = null, timestamp = Date.now() } = typeof item === 'string' ? { value: item } : item
    builder.append(timestamp, key === null ? null : Buffer.from(key), value === null ? null : Buffer.from(value))
  }
  return builder.build(options)
}
