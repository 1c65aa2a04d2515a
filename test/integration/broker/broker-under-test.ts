import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '../../../src/base/index.ts'
import { realClock, realDisk, realNet, realRandom } from '../../../src/base/real/index.ts'
import { type Broker, createBroker } from '../../../src/broker/index.ts'
import { apis, type Encodable, ErrorCode, type FetchRequest } from '../../../src/protocol/index.ts'
import { decodeRecords } from '../../../src/record/index.ts'
import { batchOf, RawClient, type TestRecord } from './raw-client.ts'

/** A broker inside the test process, on a free port, with data of its own. */
export class BrokerUnderTest implements AsyncDisposable {
  readonly directory: string
  readonly #config: Record<string, string>
  readonly #clients = new Set<RawClient>()
  /** Warnings and errors it logged. */
  readonly complaints: string[] = []
  broker: Broker

  private constructor(directory: string, config: Record<string, string>) {
    this.directory = directory
    this.#config = config
    this.broker = this.#create()
  }

  static async start(config: Record<string, string> = {}): Promise<BrokerUnderTest> {
    const directory = await mkdtemp(join(tmpdir(), 'millrace-broker-'))
    const underTest = new BrokerUnderTest(directory, config)
    await underTest.broker.start()
    return underTest
  }

  #create(): Broker {
    const complain = (fields: object, message: string) => this.complaints.push(`${message} ${JSON.stringify(fields)}`)
    const logger: Logger = {
      debug: () => {},
      info: () => {},
      warn: complain,
      error: complain,
      child: () => logger,
    }
    return createBroker({
      config: {
        listeners: 'PLAINTEXT://127.0.0.1:0',
        'log.dirs': this.directory,
        'group.initial.rebalance.delay.ms': '0',
        ...this.#config,
      },
      clock: realClock,
      random: realRandom,
      disk: realDisk,
      net: realNet,
      logger,
    })
  }

  get port(): number {
    return this.broker.port
  }

  /** Stops cleanly and starts again on the same data. */
  async restart(config: Record<string, string> = {}): Promise<void> {
    await this.broker.close()
    Object.assign(this.#config, config)
    this.broker = this.#create()
    await this.broker.start()
  }

  async connect(): Promise<RawClient> {
    const client = await RawClient.open(this.port)
    this.#clients.add(client)
    return client
  }

  async createTopic(name: string, partitions = 1, configs: Record<string, string> = {}): Promise<string> {
    const client = await this.connect()
    const answer = await client.call(apis.createTopics, 7, {
      topics: [
        {
          name,
          numPartitions: partitions,
          replicationFactor: -1,
          configs: Object.entries(configs).map(([key, value]) => ({ name: key, value })),
        },
      ],
      timeoutMs: 10_000,
    })
    const [topic] = answer.topics
    if (topic!.errorCode !== ErrorCode.NONE) throw new Error(`cannot create ${name}: ${topic!.errorMessage}`)
    client.close()
    return topic!.topicId
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close()
    await this.broker.close()
    await rm(this.directory, { recursive: true, force: true })
  }
}

/** Produces one batch to one partition and returns that partition's answer. */
export async function produce(
  client: RawClient,
  topic: string,
  records: Buffer | null,
  { version = 9, acks = -1, partition = 0 }: { version?: number; acks?: number; partition?: number } = {},
) {
  const answer = await client.call(apis.produce, version, {
    acks,
    timeoutMs: 10_000,
    topicData: [{ name: topic, partitionData: [{ index: partition, records }] }],
  })
  return answer.responses[0]!.partitionResponses[0]!
}

export function produceValues(client: RawClient, topic: string, values: readonly (string | TestRecord)[]) {
  return produce(client, topic, batchOf(values))
}

/** Fetches one partition by name. */
export async function fetchOne(
  client: RawClient,
  topic: string,
  fetchOffset: number,
  change: Encodable<FetchRequest> & { version?: number; partition?: number; partitionMaxBytes?: number } = {},
) {
  const { version = 12, partition = 0, partitionMaxBytes = 1 << 20, ...request } = change
  const answer = await client.call(apis.fetch, version, {
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1 << 20,
    sessionEpoch: -1,
    ...request,
    topics: [{ topic, partitions: [{ partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch: -1 }] }],
  })
  return answer.responses[0]!.partitions[0]!
}

export function valuesOf(records: Buffer | null): string[] {
  return decodeRecords(records ?? Buffer.alloc(0)).map((record) => record.value?.toString() ?? '')
}
