import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/index.ts'
import { BrokerConnection } from '../../../src/client/broker-connection.ts'
import { Cluster } from '../../../src/client/cluster.ts'
import { apis, ErrorCode } from '../../../src/protocol/index.ts'
import { SimClock } from '../../simulation/sim-clock.ts'
import { FakeBroker } from './fake-broker.ts'

function setUp(seed = 1) {
  const clock = new SimClock()
  const broker = new FakeBroker(clock, seededRandom(seed))
  const open = () => clock.settle(BrokerConnection.open(broker.config, { host: 'fake', port: 9092 }))
  return { clock, broker, open }
}

describe('versions', () => {
  test('a broker that does not know our ApiVersions is asked again in the oldest version', async () => {
    const { clock, broker, open } = setUp()
    let asked = 0
    broker.answer = (api) => {
      if (api !== 'ApiVersions' || asked++ > 0) return undefined
      const parts = apis.apiVersions.responseFrame(0, 0, { errorCode: ErrorCode.UNSUPPORTED_VERSION })
      return { raw: Buffer.concat(parts) }
    }
    const connection = await open()
    expect(broker.requests).toEqual(['ApiVersions', 'ApiVersions'])
    expect(connection.versionOf(apis.metadata)).toBe(13)
    expect(await clock.settle(connection.request(apis.metadata, { topics: [] }))).toMatchObject({ controllerId: 1 })
  })

  test('an API is used in the newest version of both, and refused when there is none', async () => {
    const { broker, open } = setUp()
    broker.answer = (api) =>
      api === 'ApiVersions'
        ? {
            errorCode: 0,
            apiKeys: [
              { apiKey: 3, minVersion: 0, maxVersion: 9 },
              { apiKey: 0, minVersion: 0, maxVersion: 2 },
            ],
          }
        : undefined
    const connection = await open()
    expect(connection.versionOf(apis.metadata)).toBe(9)
    expect(connection.versionOf(apis.metadata, 5)).toBe(5)
    expect(() => connection.versionOf(apis.produce)).toThrow('speaks 0 to 2 of Produce, this client 3 to 13')
    expect(connection.supports(apis.fetch)).toBe(false)
  })
})

describe('requests', () => {
  test('are pipelined and answered in order', async () => {
    const { clock, broker, open } = setUp()
    const connection = await open()
    const answers = [1, 2, 3].map((n) => connection.request(apis.metadata, { topics: [{ name: `t${n}` }] }))
    expect(connection.inFlightCount).toBe(3)
    const names = (await clock.settle(Promise.all(answers))).map(({ topics }) => topics[0]!.name)
    expect(names).toEqual(['t1', 't2', 't3'])
    expect(broker.requests.slice(1)).toEqual(['Metadata', 'Metadata', 'Metadata'])
  })

  test('one without an answer in time closes the connection and fails all of them as retriable', async () => {
    const { clock, broker, open } = setUp()
    const connection = await open()
    broker.fault = () => ({ type: 'silence' })
    const slow = connection.request(apis.produce, {
      topicData: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAA', partitionData: [] }],
    })
    broker.latencyMs = () => 60_000
    const second = connection.request(apis.metadata, { topics: [] }, { timeoutMs: 5000 })
    const both = await clock.settle(Promise.allSettled([slow, second]))
    const reason = expect.objectContaining({ code: 'CLIENT_DISCONNECTED', retriable: true })
    expect(both).toEqual([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
    ])
    expect(clock.monotonicMs()).toBeLessThan(6000)
    expect(connection.isOpen).toBe(false)
    await expect(connection.request(apis.metadata, {})).rejects.toMatchObject({ code: 'CLIENT_DISCONNECTED' })
  })

  test('an answer that cannot be read closes the connection', async () => {
    const { clock, open } = setUp()
    const connection = await open()
    const bytes = Buffer.concat(apis.metadata.responseFrame(12, 1, {}))
    const broken = new FakeBroker(clock, seededRandom(2))
    broken.answer = (api) => (api === 'ApiVersions' && broken.requests.length === 1 ? { raw: bytes } : undefined)
    const failing = BrokerConnection.open(broken.config, { host: 'fake', port: 9092 })
    await expect(clock.settle(failing)).rejects.toMatchObject({ code: 'CLIENT_DISCONNECTED' })
    expect(connection.isOpen).toBe(true)
  })

  test('an answer beyond the size limit closes the connection before its bytes are taken in', async () => {
    const clock = new SimClock()
    const broker = new FakeBroker(clock, seededRandom(1))
    const config = { ...broker.config, maxResponseBytes: 2000 }
    const connection = await clock.settle(BrokerConnection.open(config, { host: 'fake', port: 9092 }))
    const topics = Array.from({ length: 300 }, (_, i) => ({ name: `topic-${i}` }))
    await expect(clock.settle(connection.request(apis.metadata, { topics }))).rejects.toMatchObject({
      code: 'CLIENT_DISCONNECTED',
      message: expect.stringContaining('the limit is 2000'),
    })
  })
})

describe('cluster', () => {
  test('a broker that is away is tried again with growing pauses', async () => {
    const { clock, broker } = setUp()
    const cluster = new Cluster(broker.config)
    broker.refuseConnections = true
    const attempts: number[] = []
    const connecting = cluster.retrying('Metadata', async () => {
      attempts.push(clock.monotonicMs())
      await cluster.refresh()
    })
    await clock.advance(10_000)
    broker.refuseConnections = false
    await clock.settle(connecting)
    expect(cluster.metadata.brokers.get(1)).toMatchObject({ host: 'fake', port: 9092 })
    const pauses = attempts.slice(1).map((at, i) => at - attempts[i]!)
    expect(Math.max(...pauses)).toBeGreaterThan(700)
    expect(Math.max(...pauses)).toBeLessThan(3000)
    expect(attempts.length).toBeLessThan(25)
  })

  test('an operation gives up after its time with the last reason', async () => {
    const { clock, broker } = setUp()
    const cluster = new Cluster(broker.config)
    broker.refuseConnections = true
    const failing = cluster.retrying('Metadata', () => cluster.refresh(), { timeoutMs: 2000 })
    await expect(clock.settle(failing)).rejects.toMatchObject({
      code: 'CLIENT_TIMED_OUT',
      message: expect.stringContaining('connection refused'),
    })
    expect(clock.monotonicMs()).toBeLessThan(4000)
  })

  test('idle connections are closed and opened again when needed', async () => {
    const { clock, broker } = setUp()
    const cluster = new Cluster({ ...broker.config, connectionsMaxIdleMs: 1000 })
    await clock.settle(cluster.refresh())
    await clock.settle(cluster.connection(1))
    await clock.advance(2500)
    expect(broker.connections.size).toBe(0)
    expect((await clock.settle(cluster.connection(1))).isOpen).toBe(true)
  })

  test('close fails what is under way and what comes after', async () => {
    const { clock, broker } = setUp()
    const cluster = new Cluster(broker.config)
    await clock.settle(cluster.refresh())
    const pending = cluster.request('any', apis.metadata, { topics: [] })
    const pausing = cluster.pause(100_000)
    const both = Promise.allSettled([pending, pausing])
    await clock.advance(0)
    cluster.close()
    expect(await clock.settle(both)).toMatchObject([
      { reason: { code: 'CLIENT_DISCONNECTED' } },
      { reason: { code: 'CLIENT_CLOSED' } },
    ])
    await expect(clock.settle(cluster.refresh())).rejects.toMatchObject({ code: 'CLIENT_CLOSED' })
    expect(broker.connections.size).toBe(0)
  })
})
