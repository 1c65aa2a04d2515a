import type { KafkaError } from '../errors.ts'

/** What records are appended to: all records of one batch share its fate. */
export class ProducerBatch {
  readonly topic: string
  readonly partition: number
  state: 'pending' | 'acked' | 'failed' = 'pending'
  /** Why the batch failed. */
  error: KafkaError | undefined
  /** Offset of the first record once acked; -1 when the broker was not asked to say (acks=0). */
  baseOffset = -1
  /** The broker's time of the append when the topic uses LogAppendTime, else -1. */
  logAppendTimeMs = -1
  recordCount = 0
  /** Bytes that count against buffer.memory. */
  sizeInBytes = 0
  /** Time of the first append on the monotonic clock. */
  readonly createdMs: number

  /** The producer's own bookkeeping from here on. */
  /** Place in its partition's order. */
  order = 0
  /** The encoded batch once it is sealed. */
  bytes: Buffer | undefined
  /** Set while the batch has its place in the producer's sequence. */
  baseSequence = -1
  /** Which batch of its partition it is among those with a sequence. */
  sequenceNumber = -1
  producerId = -1
  producerEpoch = -1
  attempts = 0
  /** What the last attempt came to. */
  lastError: KafkaError | undefined
  /** Whether an attempt ended without an answer, so that the batch may be in the log. */
  maybeWritten = false
  retryAtMs = 0

  #done: Promise<ProducerBatch> | undefined
  #resolve: ((batch: ProducerBatch) => void) | undefined

  constructor(topic: string, partition: number, createdMs: number) {
    this.topic = topic
    this.partition = partition
    this.createdMs = createdMs
  }

  /** Resolves when the batch is acked or failed; look at `state`. It never rejects. */
  get done(): Promise<ProducerBatch> {
    this.#done ??=
      this.state === 'pending'
        ? new Promise((resolve) => {
            this.#resolve = resolve
          })
        : Promise.resolve(this)
    return this.#done
  }

  /** Ends the batch; false when it had ended before. */
  finish(error: KafkaError | undefined, baseOffset: number, logAppendTimeMs: number): boolean {
    if (this.state !== 'pending') return false
    this.state = error ? 'failed' : 'acked'
    this.error = error
    this.baseOffset = baseOffset
    this.logAppendTimeMs = logAppendTimeMs
    this.bytes = undefined
    this.#resolve?.(this)
    return true
  }
}
