import { describe, expect, test } from 'vitest'
import {
  defaultPolicy,
  hasComeFrom,
  identityPolicy,
  originalTopic,
} from '../../../../connectors/mirror/replication-policy.ts'

const dotted = { separator: '.', separatesInternalTopics: true }

describe('the default policy', () => {
  const policy = defaultPolicy(dotted)

  test('puts the alias before the name', () => {
    expect(policy.remoteTopic('east', 'orders')).toBe('east.orders')
    expect(policy.topicSource('east.orders')).toBe('east')
    expect(policy.upstreamTopic('west.east.orders')).toBe('east.orders')
    expect(originalTopic(policy, 'west.east.orders')).toBe('orders')
  })

  test('finds no source where there is none, as Java splits names', () => {
    for (const name of ['orders', 'orders.', 'orders..']) expect(policy.topicSource(name)).toBeNull()
    expect(policy.topicSource('.orders')).toBe('')
  })

  test('names the topics of a mirror as MirrorMaker does', () => {
    expect(policy.offsetSyncsTopic('eu')).toBe('mm2-offset-syncs.eu.internal')
    expect(policy.checkpointsTopic('east')).toBe('east.checkpoints.internal')
    const names = ['mm2-offset-syncs.eu.internal', 'east.checkpoints.internal', '__consumer_offsets', '.hidden']
    expect(names.filter(policy.isInternal)).toEqual(names)
    expect(['orders', 'a.internal', 'mm2-status.x'].filter(policy.isInternal)).toEqual([])
  })

  test('takes another separator, also for its own topics unless told otherwise', () => {
    const both = defaultPolicy({ separator: '__', separatesInternalTopics: true })
    expect(both.remoteTopic('east', 'a.b')).toBe('east__a.b')
    expect(both.topicSource('east__a.b')).toBe('east')
    expect(both.checkpointsTopic('east')).toBe('east__checkpoints__internal')
    const old = defaultPolicy({ separator: '__', separatesInternalTopics: false })
    expect(old.offsetSyncsTopic('eu')).toBe('mm2-offset-syncs.eu.internal')
  })

  test('tells what has come from a cluster, over however many others', () => {
    expect(hasComeFrom(policy, 'orders', 'eu')).toBe(false)
    expect(hasComeFrom(policy, 'eu.orders', 'eu')).toBe(true)
    expect(hasComeFrom(policy, 'west.eu.orders', 'eu')).toBe(true)
    expect(hasComeFrom(policy, 'west.east.orders', 'eu')).toBe(false)
  })
})

describe('the identity policy', () => {
  const policy = identityPolicy('east', dotted)

  test('keeps names, but for heartbeats', () => {
    expect(policy.remoteTopic('east', 'a.orders')).toBe('a.orders')
    expect(policy.upstreamTopic('a.orders')).toBe('a.orders')
    expect(originalTopic(policy, 'a.orders')).toBe('a.orders')
    expect(policy.remoteTopic('east', 'heartbeats')).toBe('east.heartbeats')
    expect(originalTopic(policy, 'west.east.heartbeats')).toBe('heartbeats')
  })

  test('stops the way round of heartbeats only', () => {
    expect(hasComeFrom(policy, 'eu.orders', 'eu')).toBe(false)
    expect(hasComeFrom(policy, 'west.eu.heartbeats', 'eu')).toBe(true)
  })
})
