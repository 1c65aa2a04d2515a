import type { Random } from '../../src/base/index.ts'
import { BatchBuilder, type Codec } from '../../src/record/index.ts'

/** A batch on its way: kept until its acknowledgement is heard, and sent again until then. */
export interface InFlight {
  readonly bytes: Buffer
  readonly timestamps: readonly number[]
  readonly sequence: number
  readonly count: number
  /** Its acknowledgement arrived. */
  heard: boolean
  /** The log refused it for a fault that passes; nothing later may go before it. */
  refused: boolean
}

const CODECS: readonly Codec[] = ['none', 'none', 'none', 'snappy', 'zstd']
/** max.in.flight.requests.per.connection of an idempotent producer. */
export const IN_FLIGHT_MAX = 5

/** A producer as the log sees it; idempotent when it has an id. */
export class SimProducer {
  readonly id: number
  epoch = 0
  nextSequence = 0
  inFlight: InFlight[] = []
  readonly #random: Random
  readonly #builder = new BatchBuilder(1024)
  #sent = 0

  constructor(id: number, random: Random) {
    this.id = id
    this.#random = random
  }

  get isIdempotent(): boolean {
    return this.id >= 0
  }

  get name(): string {
    return this.isIdempotent ? `p${this.id}` : 'plain'
  }

  /** Makes the next batch; timestamps wander a little around `nowMs`. */
  next(nowMs: number, maxRecords: number, maxValueBytes: number): InFlight {
    const count = 1 + Math.floor(this.#random.next() * maxRecords)
    const timestamps: number[] = []
    for (let i = 0; i < count; i++) {
      const timestamp = nowMs + Math.floor(this.#random.next() * 200) - 100
      const value = Buffer.alloc(Math.floor(this.#random.next() * maxValueBytes), this.#sent & 0xff)
      this.#builder.append(timestamp, Buffer.from(`${this.name}:${this.#sent++}`), value)
      timestamps.push(timestamp)
    }
    const codec = CODECS[Math.floor(this.#random.next() * CODECS.length)]!
    const sequence = this.nextSequence
    const identity = this.isIdempotent ? { producerId: this.id, producerEpoch: this.epoch, baseSequence: sequence } : {}
    const batch = {
      bytes: this.#builder.build({ codec, ...identity }),
      timestamps,
      sequence,
      count,
      heard: false,
      refused: false,
    }
    if (this.isIdempotent) {
      this.nextSequence += count
      this.inFlight.push(batch)
    }
    return batch
  }

  /** An acknowledgement arrived. Answers come in order: with one lost, all later ones are. */
  hear(batch: InFlight): void {
    batch.heard = true
    while (this.inFlight[0]?.heard) this.inFlight.shift()
  }

  /** The log has forgotten something that it never promised to keep: the client goes on with a new epoch. */
  bumpEpoch(): void {
    this.epoch++
    this.nextSequence = 0
    this.inFlight = []
  }
}
