// Sentinels that move the master, a cluster of three nodes, and the JSON of other connectors.
import type { SinkConnector, ConfigDef } from '@millrace/sdk'
import { afterEach, describe, expect, test } from 'vitest'
import keyValueSink from '../../connectors/redis/key-value-sink.ts'
import sink from '../../connectors/redis/sink.ts'
import source from '../../connectors/redis/stream-source.ts'
import { DEADLINE_MS } from '../services/deadline.ts'
import { freePort } from '../services/free-port.ts'
import { redisMissing, type RedisServer, startRedis } from '../services/redis.ts'
import { RunningTasks } from './support/hooks.ts'
import { type RunningSink, sinkRecord, startSink, startSource } from './support/redis-tasks.ts'
import { type Raw } from './support/task-contract.ts'
import { until } from './worker-harness.ts'

const missing = redisMissing()
let servers: RedisServer[] = []
const running = new RunningTasks()

afterEach(async () => {
  await running.stop()
  await Promise.all(servers.map((server) => server.stop()))
  servers = []
})

async function start<D extends ConfigDef>(connector: SinkConnector<D>, raw: Raw): Promise<RunningSink> {
  const started = await startSink(connector, raw, { open: [{ topic: 'orders', partition: 0 }] })
  return running.add(started)
}

async function serverOf(...settings: readonly string[]): Promise<RedisServer> {
  const server = await startRedis({ settings })
  servers.push(server)
  return server
}

describe.skipIf(missing)('Redis in other shapes', () => {
  test('the master is asked of the sentinels, and after a failover the next one is written to', async () => {
    const master = await serverOf('repl-diskless-sync-delay 0')
    const replica = await serverOf(`replicaof 127.0.0.1 ${master.port}`)
    const sentinel = await startRedis({
      isSentinel: true,
      settings: [
        `sentinel monitor mymaster 127.0.0.1 ${master.port} 1`,
        // Longer than a server that lives is silent on a busy machine: a failover that nobody asked for is over too soon.
        'sentinel down-after-milliseconds mymaster 3000',
        // One that finds no replica, because it did not answer for a moment, is tried again after twice this time.
        'sentinel failover-timeout mymaster 5000',
      ],
    })
    servers.push(sentinel)
    const role = async (server: RedisServer): Promise<string> =>
      String(((await server.client().role()) as unknown[])[0])
    await until('the replica is in sync', async () =>
      /master_link_status:up/.test(await replica.client().info('replication')),
    )
    await until('the sentinel knows the replica', async () => {
      const known = (await sentinel.client().call('SENTINEL', 'REPLICAS', 'mymaster')) as unknown[]
      return known.length === 1
    })
    const raw = { 'redis.sentinel.nodes': `127.0.0.1:${sentinel.port}`, 'redis.sentinel.master': 'mymaster' }
    // What the replica has not confirmed in time is written again.
    const replicas = { 'redis.wait.replicas': '1', 'redis.wait.timeout': String(DEADLINE_MS) }
    const { put } = await start(sink, { ...raw, ...replicas, 'max.retries': '1000' })
    await put([sinkRecord(0, 'a', { n: 0 })])
    expect(await replica.client().xlen('orders')).toBe(1)
    await master.kill()
    await until('the replica is the master', async () => (await role(replica)) === 'master')
    await until('the sentinel names it', async () => {
      const named = (await sentinel.client().call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster')) as string[]
      return named[1] === String(replica.port)
    })
    const alone = await start(sink, { 'redis.uri': `redis-sentinel://127.0.0.1:${sentinel.port}/0#mymaster` })
    await alone.put([sinkRecord(1, 'b', { n: 1 })])
    expect(await replica.client().xlen('orders')).toBe(2)
  })

  test('a cluster takes keys of all slots in the order of the topic, and its streams are read', async () => {
    const cluster = ['cluster-enabled yes', 'cluster-node-timeout 30000', 'cluster-require-full-coverage no']
    const nodes: RedisServer[] = []
    for (let i = 0; i < 3; i++) nodes.push(await serverOf(...cluster, `cluster-port ${await freePort()}`))
    const bus = async (node: RedisServer): Promise<number> =>
      Number(/@(\d+)/.exec(String(await node.client().call('CLUSTER', 'NODES')))?.[1])
    for (const [index, node] of nodes.entries()) {
      const [from, to] = [Math.floor((16384 * index) / 3), Math.floor((16384 * (index + 1)) / 3) - 1]
      await node.client().call('CLUSTER', 'ADDSLOTSRANGE', from, to)
      const meet = nodes[0] as RedisServer
      if (index > 0) await node.client().call('CLUSTER', 'MEET', '127.0.0.1', meet.port, await bus(meet))
    }
    const isReady = async (node: RedisServer): Promise<boolean> => {
      const info = String(await node.client().call('CLUSTER', 'INFO'))
      return info.includes('cluster_state:ok') && info.includes('cluster_slots_ok:16384')
    }
    for (const node of nodes) await until('the cluster is ready', () => isReady(node))
    const raw = { 'redis.cluster': 'true', 'redis.host': '127.0.0.1', 'redis.port': String(nodes[1]?.port) }
    const strings = await start(sink, { ...raw, 'redis.type': 'STRING' })
    const records = Array.from({ length: 400 }, (_, n) =>
      sinkRecord(n, `k${n % 100}`, n >= 300 && n % 2 ? null : `v${n}`),
    )
    await strings.put(records)
    const found = (await Promise.all(nodes.map((node) => node.client().keys('orders:*')))).map((keys) => keys.length)
    expect(found.every((count) => count > 0)).toBe(true)
    expect(found.reduce((sum, count) => sum + count, 0)).toBe(50)
    const stream = await start(sink, raw)
    await stream.put([sinkRecord(0, 'a', { n: 0 }), sinkRecord(1, 'a', { n: 1 })])
    const reading = await startSource(source, { ...raw, 'redis.stream.name': 'orders' })
    running.add(reading)
    expect(await reading.take(2)).toHaveLength(2)
  })

  test('the JSON of the jcustenborder connector sets and deletes keys as they are', async () => {
    const redis = await serverOf()
    const raw = { 'redis.hosts': `127.0.0.1:${redis.port}`, 'exactly.once': 'true' }
    const { put, reported } = await start(keyValueSink, raw)
    await put([sinkRecord(0, 'a', 'x'), sinkRecord(1, 'b', Buffer.from([0, 255])), sinkRecord(2, 'a', null)])
    const client = redis.client()
    await client.select(1)
    expect(await client.getBuffer('b')).toEqual(Buffer.from([0, 255]))
    expect(await client.exists('a')).toBe(0)
    expect(reported).toEqual([])
    await expect(put([sinkRecord(3, '', 'x')])).rejects.toThrow(/the key is empty or no text/)
    await client.select(0)
  })
})
