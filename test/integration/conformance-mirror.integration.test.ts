// The acceptance suite for authors, over the mirror connectors on a real broker, which is both clusters.
import type { KafkaAdmin, KafkaProducer } from '@millrace/sdk'
import { describeSource } from '@millrace/testkit'
import { afterAll, beforeAll } from 'vitest'
import checkpoint from '../../connectors/mirror/checkpoint.ts'
import heartbeat from '../../connectors/mirror/heartbeat.ts'
import {
  mirrorCheckpointManifest,
  mirrorHeartbeatManifest,
  mirrorSourceManifest,
} from '../../connectors/mirror/manifest.ts'
import source from '../../connectors/mirror/source.ts'
import { encodeOffsetSync } from '../../connectors/mirror/wire.ts'
import { freePort } from '../services/free-port.ts'
import { type MillraceBroker, startMillraceBroker } from '../services/millrace.ts'
import { connector, type Gate, startGate, throughGate } from './support/conformance.ts'
import clients from './support/kafka-clients.ts'

const kafka = new URL('./support/kafka-clients.ts', import.meta.url)
const limits = { events: 4, kills: 2, starts: 10 }

let broker: MillraceBroker
/** The way that all clients take: the broker tells them no other one. */
let gate: Gate
let admin: KafkaAdmin
let producer: KafkaProducer
let names = 0

beforeAll(async () => {
  const port = await freePort()
  broker = await startMillraceBroker({ 'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}` })
  gate = await startGate(broker.port, port)
  const cluster = { 'bootstrap.servers': broker.bootstrapServers }
  admin = clients.admin(cluster)
  producer = clients.producer(cluster)
})
afterAll(async () => {
  await Promise.all([admin?.close(), producer?.close()])
  await gate?.shut()
  await broker?.stop()
})

const createTopic = (name: string) => admin.createTopic({ name, partitions: 1, replicationFactor: 1, settings: {} })
const send = (topic: string, key: string | Uint8Array | null, value: string | Uint8Array | null) =>
  producer.send({
    topic,
    partition: 0,
    key: typeof key === 'string' ? Buffer.from(key) : key,
    value: typeof value === 'string' ? Buffer.from(value) : value,
  })

/** Each check mirrors between clusters of its own name, and so has topics of its own. */
const config = (target: string) => ({
  'source.cluster.alias': 'here',
  'target.cluster.alias': target,
  'source.cluster.bootstrap.servers': `127.0.0.1:${gate.port}`,
  'target.cluster.bootstrap.servers': `127.0.0.1:${gate.port}`,
  'consumer.poll.timeout.ms': '50',
})

describeSource(source, {
  manifest: mirrorSourceManifest,
  module: connector('mirror/source.ts'),
  kafka,
  limits,
  async open() {
    const topic = `events-${++names}`
    await createTopic(topic)
    return {
      config: { ...config(`there${names}`), topics: topic },
      async produce(events) {
        await Promise.all(events.map(({ id, payload }) => send(topic, id, `${id}${payload}`)))
      },
      async remove(events) {
        await Promise.all(events.map(({ id }) => send(topic, id, null)))
      },
      ...throughGate(gate),
    }
  },
  notApplicable: { 'schema-evolution': 'records are bytes' },
})

const GROUPS = 16

describeSource(checkpoint, {
  manifest: mirrorCheckpointManifest,
  module: connector('mirror/checkpoint.ts'),
  kafka,
  limits,
  // What groups have committed is a state: it is told group by group.
  ordered: false,
  async open() {
    const [topic, target] = [`work-${++names}`, `there${names}`]
    const syncs = `mm2-offset-syncs.${target}.internal`
    await Promise.all([createTopic(topic), createTopic(syncs)])
    await send(topic, null, 'work')
    const sync = encodeOffsetSync({ topic, partition: 0, upstreamOffset: 0, downstreamOffset: 0 })
    await send(syncs, sync.key, sync.value)
    const commit = (number: number, metadata: string, offset: number) =>
      admin.alterGroupOffsets(`${topic}-${number % GROUPS}`, [{ topic, partition: 0, offset, metadata }])
    // The tasks are made of groups that are there.
    for (let number = 0; number < GROUPS; number++) await commit(number, '', 0)
    return {
      config: {
        ...config(target),
        topics: topic,
        groups: `${topic}-.*`,
        'emit.checkpoints.interval.seconds': '1',
      },
      async produce(events) {
        for (const { id, number } of events) await commit(number, id, 1)
      },
      ...throughGate(gate),
    }
  },
  notApplicable: {
    'back-pressure': 'a checkpoint a group is all there is',
    'schema-evolution': 'records are bytes',
    tombstones: 'offsets that are gone are not told',
  },
})

describeSource(heartbeat, {
  manifest: mirrorHeartbeatManifest,
  module: connector('mirror/heartbeat.ts'),
  kafka,
  // Each is of its moment, and none is known from another: one is all that can be waited for.
  limits: { ...limits, events: 1 },
  identify: ({ topic }) => topic,
  open: () => ({ config: { ...config(`there${++names}`), 'emit.heartbeats.interval.seconds': '1' } }),
  notApplicable: {
    'back-pressure': 'it makes one record at a time',
    outage: 'the task has no connection of its own',
    tombstones: 'heartbeats are not taken back',
    'schema-evolution': 'records are bytes',
  },
})
