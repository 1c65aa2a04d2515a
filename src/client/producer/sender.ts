import type { Timer } from '../../base/index.ts'
import { apis, ErrorCode, errorByCode, type ProduceResponse, ZERO_UUID } from '../../protocol/index.ts'
import { backoffMs } from '../backoff.ts'
import type { BrokerConnection } from '../broker-connection.ts'
import type { Cluster } from '../cluster.ts'
import { brokerError, closedError, isRetriable, KafkaError } from '../errors.ts'
import type { Accumulator, PartitionQueue } from './accumulator.ts'
import type { ProducerBatch } from './producer-batch.ts'
import type { ProducerConfig } from './producer-config.ts'
import type { ProducerIdentity } from './sequences.ts'

const EPOCH_MAX = 32_767
/** The last Produce version that names topics instead of their ids. */
const LAST_VERSION_WITH_NAMES = 12

/** Errors of a broker that has not touched its log; after others, such as a timeout of replication, the batch may be there. */
const CERTAINLY_NOT_WRITTEN: ReadonlySet<number> = new Set([
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.LEADER_NOT_AVAILABLE,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.NOT_ENOUGH_REPLICAS,
  ErrorCode.FENCED_LEADER_EPOCH,
  ErrorCode.UNKNOWN_LEADER_EPOCH,
  ErrorCode.UNKNOWN_TOPIC_ID,
  ErrorCode.INCONSISTENT_TOPIC_ID,
])

type PartitionAnswer = ProduceResponse['responses'][number]['partitionResponses'][number]

interface Outgoing {
  readonly queue: PartitionQueue
  readonly batch: ProducerBatch
}

interface Node {
  inFlight: number
  connecting: boolean
}

/** Moves sealed batches to the leaders of their partitions and takes in the answers. */
export class Sender {
  readonly #cluster: Cluster
  readonly #config: ProducerConfig
  readonly #accumulator: Accumulator
  readonly #onDone: (batch: ProducerBatch) => void
  readonly #nodes = new Map<number, Node>()
  #identity: ProducerIdentity | undefined
  #gettingIdentity = false
  #refreshFailures = 0
  #refreshing = false
  #scheduled = false
  #timer: Timer | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  /** Above 0: open batches do not linger. */
  flushing = 0
  /** Set when the producer can never send again. */
  fatal: KafkaError | undefined

  constructor(
    cluster: Cluster,
    config: ProducerConfig,
    accumulator: () => Accumulator,
    onDone: (batch: ProducerBatch) => void,
  ) {
    this.#cluster = cluster
    this.#config = config
    this.#accumulator = accumulator()
    this.#onDone = onDone
  }

  get #now(): number {
    return this.#cluster.config.clock.monotonicMs()
  }

  /** Looks for work after the current turn of the caller. */
  wake(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      if (!this.#cluster.isClosed) this.#drain()
    })
  }

  #wakeAt(atMs: number): void {
    if (atMs >= this.#timerAtMs) return
    this.#timer?.cancel()
    this.#timerAtMs = atMs
    const fire = () => {
      this.#timerAtMs = Number.POSITIVE_INFINITY
      this.wake()
    }
    this.#timer = this.#cluster.config.clock.setTimer(Math.max(0, atMs - this.#now), fire)
  }

  #drain(): void {
    const now = this.#now
    if (this.fatal) {
      this.failAll(this.fatal)
      return
    }
    if (this.#cluster.isMetadataStale) this.#refresh()
    const perNode = new Map<number, Outgoing[]>()
    for (const queue of this.#accumulator.active) {
      this.#sealIfDue(queue, now)
      const batch = this.#sendable(queue, now)
      if (!batch) continue
      const leader = this.#cluster.metadata.leader(queue.topic, queue.partition)
      if (leader < 0) {
        this.#refresh()
        continue
      }
      const list = perNode.get(leader)
      if (list) list.push({ queue, batch })
      else perNode.set(leader, [{ queue, batch }])
    }
    let sent = false
    for (const [leader, outgoing] of perNode) sent = this.#sendTo(leader, outgoing) || sent
    for (const queue of this.#accumulator.active) this.#accumulator.retire(queue)
    // Each partition gave one batch; with room in flight the next ones follow at once.
    if (sent) this.wake()
  }

  #sealIfDue(queue: PartitionQueue, now: number): void {
    const { open } = queue
    // A batch that could not go out now anyway stays open and takes more: when the log is slow for a moment, what came
    // meanwhile follows as one batch and not as one for each record.
    if (!open || (this.flushing === 0 && (queue.sealed.length > 0 || !this.#hasRoom(queue)))) return
    const dueMs = open.createdMs + this.#config.lingerMs
    if (this.flushing > 0 || now >= dueMs) this.#accumulator.seal(queue)
    else this.#wakeAt(dueMs)
  }

  /** Whether the leader of a queue takes another request; an answer of it wakes the sender. */
  #hasRoom({ topic, partition }: PartitionQueue): boolean {
    const node = this.#nodes.get(this.#cluster.metadata.leader(topic, partition))
    return node === undefined || node.inFlight < this.#config.maxInFlight
  }

  /** The next batch of a queue if it may go out now. */
  #sendable(queue: PartitionQueue, now: number): ProducerBatch | undefined {
    const head = queue.sealed[0]
    if (!head) return undefined
    const expiresMs = head.createdMs + this.#config.deliveryTimeoutMs
    if (now >= expiresMs) {
      queue.sealed.shift()
      const message = `Expiring ${head.recordCount} record(s) for ${queue.topic}-${queue.partition}: not acknowledged within delivery.timeout.ms`
      this.#fail(queue, head, new KafkaError('CLIENT_TIMED_OUT', message, { retriable: true, cause: head.lastError }))
      return this.#sendable(queue, now)
    }
    this.#wakeAt(expiresMs)
    if (head.retryAtMs > now) {
      this.#wakeAt(head.retryAtMs)
      return undefined
    }
    // Invariant 6: what is sent again goes alone, so that nothing behind it can overtake it.
    if (head.attempts > 0 && queue.onWire > 0) return undefined
    if (!this.#config.idempotent) return head
    return this.#sequenced(queue, head) ? head : undefined
  }

  #sequenced(queue: PartitionQueue, head: ProducerBatch): boolean {
    const { sequences } = queue
    if (!this.#identity) {
      this.#getIdentity()
      return false
    }
    if (sequences.isBlocked) {
      if (queue.onWire > 0) return false
      sequences.settle()
      if (sequences.needsNewEpoch) {
        if (!this.#bumpEpoch()) return false
        sequences.restart(this.#identity)
      }
    }
    return head.baseSequence >= 0 || sequences.acceptsNew
  }

  /** A producer without transactions may raise its epoch by itself (KIP-360); at the end of the range it asks for a new id. */
  #bumpEpoch(): boolean {
    const current = this.#identity!
    if (current.producerEpoch >= EPOCH_MAX) {
      this.#identity = undefined
      this.#getIdentity()
      return false
    }
    this.#identity = { producerId: current.producerId, producerEpoch: current.producerEpoch + 1 }
    return true
  }

  #getIdentity(): void {
    if (this.#gettingIdentity) return
    this.#gettingIdentity = true
    const ask = async () => {
      const answer = await this.#cluster.request('any', apis.initProducerId, {
        transactionalId: null,
        transactionTimeoutMs: 0x7fffffff,
      })
      if (answer.errorCode !== 0) throw brokerError(answer.errorCode, 'InitProducerId')
      return { producerId: answer.producerId, producerEpoch: answer.producerEpoch }
    }
    const timeoutMs = this.#config.deliveryTimeoutMs
    this.#cluster
      .retrying('Getting a producer id', ask, { timeoutMs })
      .then(
        (identity) => {
          this.#identity = identity
        },
        (error: unknown) => {
          // Batches that wait run into their own delivery timeout; only an answer that cannot change ends the producer.
          if (!isRetriable(error) && !this.#cluster.isClosed) this.fatal = error as KafkaError
        },
      )
      .finally(() => {
        this.#gettingIdentity = false
        this.wake()
      })
  }

  #sendTo(leader: number, outgoing: Outgoing[]): boolean {
    let node = this.#nodes.get(leader)
    if (!node) {
      node = { inFlight: 0, connecting: false }
      this.#nodes.set(leader, node)
    }
    const connection = this.#cluster.openConnection(leader, 'main')
    if (!connection) {
      this.#connect(leader, node)
      return false
    }
    let sent = false
    while (outgoing.length > 0 && node.inFlight < this.#config.maxInFlight) {
      this.#sendRequest(connection, node, takeUpTo(outgoing, this.#config.maxRequestSize))
      sent = true
    }
    return sent
  }

  #connect(leader: number, node: Node): void {
    if (node.connecting) return
    node.connecting = true
    this.#cluster
      .connection(leader, 'main')
      // The leader may have moved away from a broker that does not answer.
      .catch(() => this.#refresh())
      .finally(() => {
        node.connecting = false
        this.wake()
      })
  }

  #sendRequest(connection: BrokerConnection, node: Node, outgoing: Outgoing[]): void {
    const byTopic = new Map<string, { index: number; records: Buffer }[]>()
    for (const { queue, batch } of outgoing) {
      queue.sealed.shift()
      if (this.#config.idempotent && batch.baseSequence < 0) queue.sequences.assign(batch, this.#identity!)
      queue.onWire++
      batch.attempts++
      const partition = { index: queue.partition, records: batch.bytes! }
      const partitions = byTopic.get(queue.topic)
      if (partitions) partitions.push(partition)
      else byTopic.set(queue.topic, [partition])
    }
    const { topics } = this.#cluster.metadata
    const topicData = [...byTopic].map(([name, partitionData]) => ({
      name,
      topicId: topics.get(name)?.id ?? ZERO_UUID,
      partitionData,
    }))
    const withIds = topicData.every(({ topicId }) => topicId !== ZERO_UUID)
    const { requestTimeoutMs } = this.#cluster.config
    const request = { acks: this.#config.acks, timeoutMs: requestTimeoutMs, topicData }
    const options = withIds ? {} : { maxVersion: LAST_VERSION_WITH_NAMES }
    if (this.#config.acks === 0) {
      this.#sendUnanswered(connection, outgoing, () => connection.send(apis.produce, request, options))
      return
    }
    node.inFlight++
    connection
      .request(apis.produce, request, options)
      .then(
        (response) => this.#onResponse(outgoing, response),
        (error: unknown) => this.#onLost(outgoing, error),
      )
      .catch((error: unknown) => {
        // Our own mistake: the producer must not go on as if nothing had happened.
        this.fatal ??= new KafkaError('UNKNOWN_SERVER_ERROR', `The producer failed: ${String(error)}`, { cause: error })
      })
      .finally(() => {
        node.inFlight--
        this.wake()
      })
  }

  #sendUnanswered(connection: BrokerConnection, outgoing: Outgoing[], send: () => void): void {
    try {
      send()
    } catch (error) {
      this.#onLost(outgoing, error)
      return
    }
    // The socket's queue is the only back-pressure there is without answers.
    void connection.flushed().then(() => {
      for (const { queue, batch } of outgoing) {
        queue.onWire--
        this.#done(batch, undefined, -1, -1)
      }
    })
  }

  #onResponse(outgoing: Outgoing[], response: ProduceResponse): void {
    const answers = new Map<string, PartitionAnswer>()
    for (const topic of response.responses) {
      const name = topic.name || this.#cluster.metadata.topicName(topic.topicId) || ''
      for (const answer of topic.partitionResponses) answers.set(`${answer.index} ${name}`, answer)
    }
    for (const { queue, batch } of outgoing) {
      queue.onWire--
      const answer = answers.get(`${queue.partition} ${queue.topic}`)
      if (answer) this.#onAnswer(queue, batch, answer, response)
      else this.#retry(queue, batch, brokerError(ErrorCode.UNKNOWN_TOPIC_ID, `${queue.topic}-${queue.partition}`))
    }
  }

  #onAnswer(queue: PartitionQueue, batch: ProducerBatch, answer: PartitionAnswer, response: ProduceResponse): void {
    const { errorCode } = answer
    if (errorCode === 0 || errorCode === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) {
      if (this.#config.idempotent) queue.sequences.acked(batch)
      this.#done(batch, undefined, answer.baseOffset, answer.logAppendTimeMs)
      return
    }
    const what = `Produce to ${queue.topic}-${queue.partition}`
    const error = brokerError(errorCode, what, answer.errorMessage)
    if (this.#config.idempotent && this.#isSequenceError(errorCode)) {
      if (errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER) queue.sequences.outOfOrder(batch)
      else queue.sequences.requestNewEpoch()
      this.#retry(queue, batch, error)
      return
    }
    if (errorCode === ErrorCode.INVALID_PRODUCER_EPOCH && this.#config.idempotent) {
      this.#identity = undefined
      queue.sequences.requestNewEpoch()
    }
    const { retriable } = errorByCode(errorCode)
    if ((retriable && !CERTAINLY_NOT_WRITTEN.has(errorCode)) || errorCode === ErrorCode.UNKNOWN_SERVER_ERROR) {
      batch.maybeWritten = true
    }
    if (!retriable) {
      this.#fail(queue, batch, error)
      return
    }
    const { leaderId, leaderEpoch } = answer.currentLeader
    const endpoint = response.nodeEndpoints.find(({ nodeId }) => nodeId === leaderId)
    const broker = endpoint && { id: leaderId, host: endpoint.host, port: endpoint.port, rack: endpoint.rack }
    const moved = this.#cluster.metadata.updateLeader(queue.topic, queue.partition, leaderId, leaderEpoch, broker)
    if (!moved) this.#refresh()
    this.#retry(queue, batch, error, moved)
  }

  #isSequenceError(errorCode: number): boolean {
    return errorCode === ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER || errorCode === ErrorCode.UNKNOWN_PRODUCER_ID
  }

  /** The connection went away: whether the broker wrote the batches is unknown. */
  #onLost(outgoing: Outgoing[], cause: unknown): void {
    const error = cause instanceof KafkaError ? cause : new KafkaError('CLIENT_BAD_RESPONSE', String(cause), { cause })
    for (const { queue, batch } of outgoing) {
      queue.onWire--
      batch.maybeWritten = true
      if (isRetriable(error)) this.#retry(queue, batch, error)
      else this.#fail(queue, batch, error)
    }
    this.#refresh()
  }

  #retry(queue: PartitionQueue, batch: ProducerBatch, error: KafkaError, atOnce = false): void {
    if (batch.state !== 'pending') return
    const { random, retryBackoffMs, retryBackoffMaxMs } = this.#cluster.config
    batch.lastError = error
    batch.retryAtMs = this.#now + (atOnce ? 0 : backoffMs(random, retryBackoffMs, retryBackoffMaxMs, batch.attempts))
    queue.putBack(batch)
    this.#accumulator.active.add(queue)
    this.wake()
  }

  #fail(queue: PartitionQueue, batch: ProducerBatch, error: KafkaError): void {
    if (this.#config.idempotent) queue.sequences.failed(batch)
    this.#done(batch, error, -1, -1)
  }

  #done(batch: ProducerBatch, error: KafkaError | undefined, baseOffset: number, logAppendTimeMs: number): void {
    if (this.#accumulator.finish(batch, error, baseOffset, logAppendTimeMs)) this.#onDone(batch)
  }

  /** Asks for metadata in the background; after failures with growing pauses. */
  #refresh(): void {
    if (this.#refreshing || this.#cluster.isClosed) return
    this.#refreshing = true
    const { random, retryBackoffMs, retryBackoffMaxMs } = this.#cluster.config
    void this.#cluster
      .refresh()
      .then(
        () => {
          this.#refreshFailures = 0
        },
        () => {
          this.#refreshFailures++
        },
      )
      .then(() => {
        const wait = backoffMs(random, retryBackoffMs, retryBackoffMaxMs, this.#refreshFailures + 1)
        return this.#cluster.pause(wait).catch(() => undefined)
      })
      .finally(() => {
        this.#refreshing = false
        this.wake()
      })
  }

  /** Ends everything that is not acked. */
  failAll(error: KafkaError): void {
    for (const batch of this.#accumulator.incomplete) this.#done(batch, error, -1, -1)
    for (const queue of this.#accumulator.active) {
      if (queue.open) queue.builder.clear()
      queue.open = undefined
      queue.sealed.length = 0
    }
    this.#accumulator.active.clear()
  }

  stop(): void {
    this.#timer?.cancel()
    this.failAll(this.fatal ?? closedError('The producer'))
  }
}

/** Takes batches off the list for one request: at least one, together at most `maxBytes`. */
function takeUpTo(outgoing: Outgoing[], maxBytes: number): Outgoing[] {
  let bytes = 0
  let count = 0
  while (count < outgoing.length) {
    bytes += outgoing[count]!.batch.bytes!.length
    if (count > 0 && bytes > maxBytes) break
    count++
  }
  return outgoing.splice(0, count)
}
