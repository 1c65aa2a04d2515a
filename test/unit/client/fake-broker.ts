// One broker in the test process, over a simulated network and virtual time: it keeps batches as Kafka's leader does
// (sequences checked, duplicates of the last five batches recognised) and fails as it is told.
import type { Connection, Net, Random } from '../../../src/base/index.ts'
import { silentLogger } from '../../../src/base/index.ts'
import { type ClientConfig, resolveClientConfig } from '../../../src/client/client-config.ts'
import {
  type Api,
  apiByKey,
  apis,
  type Encodable,
  ErrorCode,
  type FetchRequest,
  type FetchResponse,
  FrameSplitter,
  type ListOffsetsRequest,
  type ListOffsetsResponse,
  type ProduceRequest,
  type ProduceResponse,
  Reader,
  requestHeader,
} from '../../../src/protocol/index.ts'
import {
  BatchBuilder,
  decodeRecords,
  isBatchCrcValid,
  peekBatchHeader,
  setBatchOffset,
} from '../../../src/record/index.ts'
import type { SimClock } from '../../simulation/sim-clock.ts'

export const TOPIC_ID = 'dGhlLXRvcGljLWlkLTEyMw'

/** What happens to one partition's batch of a request. */
export type ProduceFault =
  | { readonly type: 'none' }
  | { readonly type: 'error'; readonly errorCode: number }
  /** The connection breaks before the batch is written. */
  | { readonly type: 'lost-request' }
  /** The batch is written and the connection breaks before the answer. */
  | { readonly type: 'lost-answer' }
  /** No answer ever comes. */
  | { readonly type: 'silence' }

interface ProducerState {
  epoch: number
  /** First and last sequence and base offset of the last batches. */
  batches: { first: number; last: number; offset: number }[]
}

interface PartitionLog {
  values: string[]
  batches: { last: number; bytes: Buffer }[]
  producers: Map<number, ProducerState>
}

export class FakeBroker {
  readonly clock: SimClock
  readonly #random: Random
  readonly #partitions: PartitionLog[]
  readonly connections = new Set<{ drop(): void }>()
  /** Decides the fate of each batch. */
  fault: (partition: number, values: readonly string[]) => ProduceFault = () => ({ type: 'none' })
  /** Answers other requests; undefined: the built-in answer. */
  answer: (api: string, request: any) => object | undefined = () => undefined
  /** Names of the requests that came, in order. */
  readonly requests: string[] = []
  refuseConnections = false
  latencyMs: () => number
  #nextProducerId = 1000

  constructor(clock: SimClock, random: Random, partitions = 1) {
    this.clock = clock
    this.#random = random
    this.#partitions = Array.from({ length: partitions }, () => ({
      values: [],
      batches: [],
      producers: new Map(),
    }))
    this.latencyMs = () => 1 + this.#random.next() * 4
  }

  get config(): ClientConfig {
    return resolveClientConfig({
      bootstrapServers: 'fake:9092',
      net: this.net,
      clock: this.clock,
      random: this.#random,
      logger: silentLogger,
    })
  }

  /** Values of the records in a partition, in order. */
  values(partition: number): string[] {
    return this.#partitions[partition]!.values
  }

  /** Writes a batch as another producer would. */
  write(partition: number, values: readonly string[]): void {
    const builder = new BatchBuilder()
    for (const value of values) builder.append(this.clock.now(), null, Buffer.from(value))
    this.#store(this.#partitions[partition]!, builder.build())
  }

  #store(log: PartitionLog, records: Buffer): void {
    const bytes = Buffer.from(records)
    setBatchOffset(bytes, log.values.length, 0)
    log.values.push(...decodeRecords(bytes).map(({ value }) => value!.toString()))
    log.batches.push({ last: log.values.length - 1, bytes })
  }

  /** Forgets all producers, as a broker whose producer state has expired. */
  forgetProducers(): void {
    for (const log of this.#partitions) log.producers.clear()
  }

  readonly net: Net = {
    connect: async () => {
      await new Promise<void>((resolve) => this.clock.setTimer(this.latencyMs(), resolve))
      if (this.refuseConnections) throw new Error('connection refused')
      return this.#accept()
    },
    listen: () => Promise.reject(new Error('the fake network has no listeners')),
  }

  #accept(): Connection {
    let open = true
    let onData: (chunk: Buffer) => void = () => {}
    let onClose: (error: Error | undefined) => void = () => {}
    let readyAtMs = 0
    const drop = () => {
      if (!open) return
      open = false
      this.connections.delete(handle)
      onClose(undefined)
    }
    const handle = { drop }
    this.connections.add(handle)
    // A stream keeps its order: nothing arrives before what was sent before it.
    const later = (deliver: () => void) => {
      readyAtMs = Math.max(readyAtMs, this.clock.monotonicMs() + this.latencyMs())
      this.clock.setTimer(readyAtMs - this.clock.monotonicMs(), () => {
        if (open) deliver()
      })
    }
    const splitter = new FrameSplitter({
      maxFrameBytes: 1 << 24,
      onFrame: (frame) => {
        const outcome = this.#serve(frame)
        if (outcome === 'drop') drop()
        else if (outcome !== 'silence') later(() => onData(outcome))
      },
    })
    return {
      remoteAddress: 'fake:9092',
      write: (buffers) => {
        // The bytes leave as late as they may, so that a client that changes them too early is noticed.
        later(() => splitter.push(Buffer.concat(buffers)))
      },
      bufferedBytes: 0,
      pause: () => {},
      resume: () => {},
      onData: (listener) => {
        onData = listener
      },
      onDrain: () => {},
      onClose: (listener) => {
        onClose = listener
      },
      end: drop,
      destroy: () => {
        open = false
        this.connections.delete(handle)
      },
    }
  }

  #serve(frame: Buffer): Buffer | 'drop' | 'silence' {
    const { apiKey, apiVersion, correlationId } = requestHeader.peek(frame)
    const api = apiByKey(apiKey) as Api<any, any>
    const reader = new Reader(frame)
    requestHeader.decode(reader, api.requestHeaderVersion(apiVersion))
    const request = api.decodeRequest(apiVersion, frame, reader.position)
    this.requests.push(api.name)
    const response = this.answer(api.name, request) ?? this.#respond(api.name, request)
    if (response === 'drop' || response === 'silence') return response
    if (api.name === 'Produce' && request.acks === 0) return 'silence'
    if (api.name === 'ApiVersions' && 'raw' in response) return response.raw as Buffer
    return Buffer.concat(api.responseFrame(apiVersion, correlationId, response))
  }

  #respond(name: string, request: any): object | 'drop' | 'silence' {
    switch (name) {
      case 'ApiVersions':
        return apiVersions()
      case 'Metadata':
        return this.#metadata(request.topics)
      case 'InitProducerId':
        return { producerId: this.#nextProducerId++, producerEpoch: 0 }
      case 'Produce':
        return this.#produce(request)
      case 'ListOffsets':
        return this.#listOffsets(request)
      case 'Fetch':
        return this.#fetch(request)
      default:
        return {}
    }
  }

  #metadata(topics: { name: string }[] | null): object {
    return {
      brokers: [{ nodeId: 1, host: 'fake', port: 9092 }],
      controllerId: 1,
      topics: (topics ?? [{ name: 't' }]).map(({ name }) =>
        name === 't'
          ? {
              name,
              topicId: TOPIC_ID,
              partitions: this.#partitions.map((_, partitionIndex) => ({
                partitionIndex,
                leaderId: 1,
                leaderEpoch: 0,
                replicaNodes: [1],
                isrNodes: [1],
              })),
            }
          : { name, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
      ),
    }
  }

  #listOffsets({ topics }: ListOffsetsRequest): Encodable<ListOffsetsResponse> {
    const answer = ({ partitionIndex, timestamp }: { partitionIndex: number; timestamp: number }) => ({
      partitionIndex,
      timestamp: -1,
      offset: timestamp === -2 ? 0 : this.#partitions[partitionIndex]!.values.length,
    })
    return { topics: topics.map(({ name, partitions }) => ({ name, partitions: partitions.map(answer) })) }
  }

  #fetch({ topics }: FetchRequest): Encodable<FetchResponse> | 'drop' | 'silence' {
    let broken: 'drop' | 'silence' | undefined
    const answer = ({
      partition,
      fetchOffset,
      partitionMaxBytes,
    }: FetchRequest['topics'][number]['partitions'][number]) => {
      const log = this.#partitions[partition]!
      const fault = this.fault(partition, [])
      if (fault.type === 'error') return { partitionIndex: partition, errorCode: fault.errorCode, records: null }
      if (fault.type !== 'none') broken = fault.type === 'silence' ? 'silence' : 'drop'
      const highWatermark = log.values.length
      const errorCode = fetchOffset > highWatermark ? ErrorCode.OFFSET_OUT_OF_RANGE : 0
      return {
        partitionIndex: partition,
        errorCode,
        highWatermark,
        records: readable(log, fetchOffset, partitionMaxBytes),
      }
    }
    const responses = topics.map(({ topicId, partitions }) => ({ topicId, partitions: partitions.map(answer) }))
    return broken ?? { responses }
  }

  #produce(request: ProduceRequest): Encodable<ProduceResponse> | 'drop' | 'silence' {
    let broken: 'drop' | 'silence' | undefined
    const responses = request.topicData.map(({ topicId, name, partitionData }) => ({
      topicId,
      name,
      partitionResponses: partitionData.map(({ index, records }) => {
        if (!isBatchCrcValid(records!, 0, records!.length)) throw new Error('a batch was changed while it was sent')
        const values = decodeRecords(records!).map(({ value }) => value!.toString())
        const fault = this.fault(index, values)
        if (fault.type === 'error') return { index, errorCode: fault.errorCode, baseOffset: -1 }
        if (fault.type === 'lost-request') broken = 'drop'
        if (fault.type === 'silence') broken = 'silence'
        if (fault.type === 'lost-answer') broken = 'drop'
        if (fault.type === 'lost-request' || fault.type === 'silence') return { index }
        return { index, ...this.#append(index, records!) }
      }),
    }))
    return broken ?? { responses }
  }

  #append(partition: number, records: Buffer): { errorCode: number; baseOffset: number } {
    const log = this.#partitions[partition]!
    const header = peekBatchHeader(records)!
    const { producerId, producerEpoch, baseSequence, recordCount } = header
    const offset = log.values.length
    if (producerId >= 0) {
      const state = log.producers.get(producerId)
      const last = baseSequence + recordCount - 1
      if (state && producerEpoch < state.epoch) return { errorCode: ErrorCode.INVALID_PRODUCER_EPOCH, baseOffset: -1 }
      const current = state && producerEpoch === state.epoch ? state : { epoch: producerEpoch, batches: [] }
      const duplicate = current.batches.find((batch) => batch.first === baseSequence && batch.last === last)
      if (duplicate) return { errorCode: 0, baseOffset: duplicate.offset }
      const previous = current.batches.at(-1)
      // Unknown producers may begin anywhere; a new epoch of a known one begins at 0.
      const expected = previous ? previous.last + 1 : state ? 0 : baseSequence
      if (baseSequence !== expected) return { errorCode: ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER, baseOffset: -1 }
      current.batches = [...current.batches, { first: baseSequence, last, offset }].slice(-5)
      log.producers.set(producerId, current)
    }
    this.#store(log, records)
    return { errorCode: 0, baseOffset: offset }
  }
}

function readable(log: PartitionLog, offset: number, maxBytes: number): Buffer {
  let bytes = 0
  const parts = log.batches.filter(
    (batch) => batch.last >= offset && (bytes === 0 || bytes < maxBytes) && (bytes += batch.bytes.length),
  )
  return Buffer.concat(parts.map((batch) => batch.bytes))
}

function apiVersions(): object {
  const apiKeys = Object.values(apis).map(({ key, validVersions: [minVersion, maxVersion] }) => ({
    apiKey: key,
    minVersion,
    maxVersion,
  }))
  return { errorCode: 0, apiKeys }
}
