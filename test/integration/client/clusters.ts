// The two kinds of broker that the client must work with: ours, in this process, and Apache Kafka.
import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import { silentLogger } from '../../../src/base/index.ts'
import { realClock, realNet, realRandom } from '../../../src/base/real/index.ts'
import { type Client, createClient } from '../../../src/client/index.ts'
import { DEADLINE_MS } from '../../services/deadline.ts'
import { freePort } from '../../services/free-port.ts'
import { kafkaMissing, startKafka } from '../../services/kafka.ts'
import { BrokerUnderTest } from '../broker/broker-under-test.ts'

export interface TestCluster {
  readonly bootstrapServers: string
  /** Stops the broker without a word to its clients and starts it again on the same address and data. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface ClusterKind {
  readonly name: string
  readonly missing: boolean
  start(): Promise<TestCluster>
}

const FAST_GROUPS = { 'group.min.session.timeout.ms': '1000', 'offsets.topic.num.partitions': '5' }

async function startMillrace(): Promise<TestCluster> {
  // The same port again after a restart, so it must not be one that somebody may take in between.
  const port = await freePort()
  const broker = await BrokerUnderTest.start({ ...FAST_GROUPS, listeners: `PLAINTEXT://127.0.0.1:${port}` })
  return {
    bootstrapServers: `127.0.0.1:${port}`,
    restart: () => broker.restart(),
    stop: () => broker[Symbol.asyncDispose]() as Promise<void>,
  }
}

export const clusterKinds: readonly ClusterKind[] = [
  { name: 'Millrace', missing: false, start: startMillrace },
  {
    name: 'Apache Kafka 4.3.1',
    missing: kafkaMissing('4.3.1') !== null,
    start: () => startKafka({ properties: FAST_GROUPS }),
  },
]

/** A client of the machine's real clock, network and randomness. */
export function clientOf(cluster: Pick<TestCluster, 'bootstrapServers'>): Client {
  return createClient({
    bootstrapServers: cluster.bootstrapServers,
    net: realNet,
    clock: realClock,
    random: realRandom,
    logger: silentLogger,
  })
}

let names = 0

/** A topic of its own for a test. */
export async function newTopic(
  client: Client,
  partitions = 1,
  configs: Readonly<Record<string, string>> = {},
): Promise<string> {
  await using admin = client.admin()
  const name = `topic-${process.pid}-${names++}`
  const created = (await admin.topics.create([{ name, numPartitions: partitions, configs }])).get(name)
  if (!created || created.error) throw created?.error ?? new Error(`${name} was not created`)
  // Kafka's broker learns of a topic a moment after its controller has made it.
  await until(`${name} has leaders`, async () => {
    const [described] = (await admin.topics.describe([name])).values()
    return !described?.error && described!.value.partitions.every(({ leader }) => leader >= 0)
  })
  return name
}

/** Waits until the condition holds; fails when it never does. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + DEADLINE_MS; !(await condition()); ) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** Waits until `read` gives what is expected; on real brokers changes show after a moment. */
export async function eventually<T>(read: () => Promise<T>, expected: T): Promise<void> {
  let last: T | undefined
  const same = async () => isDeepStrictEqual((last = await read()), expected)
  await until(`${JSON.stringify(expected)}`, same).catch(() => expect(last).toEqual(expected))
}
