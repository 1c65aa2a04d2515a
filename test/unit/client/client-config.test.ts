import { describe, expect, test } from 'vitest'
import { seededRandom, silentLogger } from '../../../src/base/index.ts'
import { createClient } from '../../../src/client/index.ts'
import { resolveClientConfig } from '../../../src/client/client-config.ts'
import { SimClock } from '../../simulation/sim-clock.ts'

const net = { connect: () => Promise.reject(new Error('unused')), listen: () => Promise.reject(new Error('unused')) }
const environment = { net, clock: new SimClock(), random: seededRandom(1), logger: silentLogger }
const resolve = (bootstrapServers: string | string[]) =>
  resolveClientConfig({ ...environment, bootstrapServers }).bootstrapServers

describe('bootstrap.servers', () => {
  test('is a list of host:port', () => {
    expect(resolve('a:1, b.example:9092')).toEqual([
      { host: 'a', port: 1 },
      { host: 'b.example', port: 9092 },
    ])
    expect(resolve(['PLAINTEXT://c:9', '[::1]:9092'])).toEqual([
      { host: 'c', port: 9 },
      { host: '::1', port: 9092 },
    ])
  })

  test.each(['', ' , ', 'localhost', 'a:b', 'a:0', 'a:70000'])("'%s' is refused by key", (value) => {
    expect(() => resolve(value)).toThrow(
      expect.objectContaining({ code: 'CLIENT_CONFIG', message: expect.stringContaining('bootstrap.servers') }),
    )
  })
})

describe('createClient', () => {
  const client = createClient({ ...environment, bootstrapServers: 'a:1' })

  test.each([
    ['partition.assignment.strategy', () => client.consumer({ partitionAssignmentStrategy: ['nope' as never] })],
    ['enable.auto.commit', () => client.consumer({ enableAutoCommit: true })],
    ['max.poll.records', () => client.consumer({ maxPollRecords: 0 })],
    ['acks', () => client.producer({ acks: 2 as never })],
    ['group.id', () => client.groupMember({ groupId: '', protocolType: 'x' }, {} as never)],
    [
      'heartbeat.interval.ms',
      () => client.groupMember({ groupId: 'g', protocolType: 'x', heartbeatIntervalMs: 50_000 }, {} as never),
    ],
  ])('names the key of a bad value: %s', (key, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'CLIENT_CONFIG', message: expect.stringContaining(key) }))
  })
})
