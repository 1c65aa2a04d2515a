// Configurations of brokers at their two levels, set and shown by Kafka's own tool on a Kafka broker and on ours.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BrokerUnderTest } from '../integration/broker/broker-under-test.ts'
import { DEADLINE_MS } from '../services/deadline.ts'
import { type Kafka, kafkaMissing, kafkaTool, startKafka } from '../services/kafka.ts'

/** Set in the file of both, so that there is a static value. */
const STATIC = { 'log.retention.hours': '24', 'log.segment.delete.delay.ms': '30000' }
/**
 * What is compared of the more than three hundred keys. Kafka's controller sets min.insync.replicas by itself, and Kafka
 * shows log.retention.hours with its default once anything was set while it ran, though its synonyms know better.
 */
const KEYS =
  /^ {2}(log\.retention\.(ms|minutes|bytes)|message\.max\.bytes|log\.segment\.delete\.delay\.ms|log\.cleanup\.policy|compression\.type)=/
const TOPIC_KEYS =
  /^ {2}(retention\.ms|retention\.bytes|max\.message\.bytes|file\.delete\.delay\.ms|compression\.type)=/

const missing = kafkaMissing()
let kafka: Kafka
let ours: BrokerUnderTest

beforeAll(async () => {
  if (missing !== null) return
  kafka = await startKafka({ properties: STATIC })
  ours = await BrokerUnderTest.start(STATIC)
})
afterAll(async () => {
  await kafka?.stop()
  await ours?.[Symbol.asyncDispose]()
})

async function configs(port: number, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await kafkaTool('kafka.admin.ConfigCommand', [
    '--bootstrap-server',
    `127.0.0.1:${port}`,
    ...args,
  ])
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stdout}${stderr}`)
  return stdout
}

const BROKER = ['--entity-type', 'brokers', '--entity-name', '1']
const DEFAULT = ['--entity-type', 'brokers', '--entity-default']

/** What the tool shows of what is set at both levels, and of what is in force on the broker and a topic. */
async function shown(port: number): Promise<string[]> {
  const lines = async (filter: RegExp, ...args: string[]) =>
    (await configs(port, '--describe', ...args)).split('\n').filter((line) => filter.test(line))
  const set = await lines(/^(?! {2}min\.insync\.replicas)./, '--entity-type', 'brokers')
  const inForce = await lines(KEYS, ...BROKER, '--all')
  const ofTopic = await lines(TOPIC_KEYS, '--entity-type', 'topics', '--entity-name', 'configured', '--all')
  return [...set, ...inForce, ...ofTopic].toSorted()
}

/** Until the broker has taken over what its controller was told, which on Kafka takes a moment. */
async function shownWith(port: number, expected: RegExp): Promise<string[]> {
  for (const deadline = Date.now() + DEADLINE_MS; ; ) {
    const lines = await shown(port)
    if (expected.test(lines.join('\n')) || Date.now() > deadline) return lines
  }
}

test.skipIf(missing !== null)(
  'a value of the broker hides the default of all brokers, which hides the file; sources and synonyms are Kafka’s',
  { timeout: 600_000 },
  async () => {
    const results = await Promise.all(
      [kafka.port, ours.port].map(async (port) => {
        const create = ['--create', '--topic', 'configured', '--partitions', '1', '--replication-factor', '1']
        await kafkaTool('org.apache.kafka.tools.TopicCommand', ['--bootstrap-server', `127.0.0.1:${port}`, ...create])
        const set = (level: readonly string[], text: string) => configs(port, '--alter', ...level, '--add-config', text)
        await set(DEFAULT, 'log.retention.ms=7000000,message.max.bytes=2000000,log.segment.delete.delay.ms=1000')
        await set(BROKER, 'message.max.bytes=3000000,log.cleanup.policy=[compact,delete],compression.type=lz4')
        const both = await shownWith(port, /compression.type=lz4 .*DYNAMIC_BROKER_CONFIG/)
        await configs(port, '--alter', ...BROKER, '--delete-config', 'message.max.bytes,compression.type')
        await configs(port, '--alter', ...DEFAULT, '--delete-config', 'log.retention.ms')
        const fewer = await shownWith(port, /^(?![^]*DYNAMIC_DEFAULT_BROKER_CONFIG:log.retention.ms)/)
        return { both, fewer }
      }),
    )
    const [theirs, mine] = results
    expect(mine!.both).toEqual(theirs!.both)
    expect(mine!.fewer).toEqual(theirs!.fewer)
    expect(mine!.both).toContainEqual(
      expect.stringMatching(
        /^ {2}message.max.bytes=3000000 .*DYNAMIC_BROKER_CONFIG:message.max.bytes=3000000, DYNAMIC_DEFAULT_BROKER_CONFIG:message.max.bytes=2000000, DEFAULT_CONFIG/,
      ),
    )
  },
)
