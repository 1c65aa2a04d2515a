import { parseConfigOrThrow } from '@millrace/sdk'
import { describe, expect, test } from 'vitest'
import { checkpointConfig } from '../../../../connectors/mirror/checkpoint-config.ts'
import { groupFilter, readGroups, splitGroups, writeGroups } from '../../../../connectors/mirror/groups.ts'
import { sourceConfig } from '../../../../connectors/mirror/source-config.ts'
import { remoteAcls } from '../../../../connectors/mirror/topic-acls.ts'
import { settingChanges, settingsOfNewTopic } from '../../../../connectors/mirror/topic-settings.ts'
import {
  missingTopics,
  readPartitions,
  selectTopics,
  splitPartitions,
  writePartitions,
} from '../../../../connectors/mirror/topics.ts'

const clusters = {
  'source.cluster.alias': 'here',
  'target.cluster.alias': 'there',
  'source.cluster.bootstrap.servers': 'localhost:1',
}
const configOf = (more: Record<string, string> = {}) => parseConfigOrThrow(sourceConfig, { ...clusters, ...more })

function selected(names: readonly string[], more: Record<string, string> = {}): string[] {
  const topics = names.map((name) => ({ name, partitions: 1 }))
  return selectTopics(configOf(more), topics).map(({ name }) => name)
}

describe('the topics of a mirror', () => {
  test('are all by default, but for internal ones and those that came from the target', () => {
    const names = [
      'orders',
      '__consumer_offsets',
      'mm2-offset-syncs.there.internal',
      'a.checkpoints.internal',
      'x.replica',
    ]
    expect(selected([...names, 'there.orders', 'west.there.orders', 'west.orders'])).toEqual(['orders', 'west.orders'])
  })

  test('are those that match as a whole and are not excluded', () => {
    const names = ['orders', 'orders-2', 'my-orders', 'customers']
    expect(selected(names, { topics: 'orders.*, customers', 'topics.exclude': 'orders-.*' })).toEqual([
      'customers',
      'orders',
    ])
  })

  test('have heartbeats among them, unless that is switched off', () => {
    const names = ['heartbeats', 'west.heartbeats', 'there.heartbeats', 'other']
    expect(selected(names, { topics: 'none' })).toEqual(['heartbeats', 'west.heartbeats'])
    expect(selected(names, { topics: 'none', 'heartbeats.replication.enabled': 'false' })).toEqual([])
  })

  test('are missing where the target has none of the name, or fewer partitions', () => {
    const topics = ['a', 'b', 'c'].map((name) => ({ name, partitions: 2 }))
    const there = [
      { name: 'here.a', partitions: 2 },
      { name: 'here.b', partitions: 1 },
      { name: 'c', partitions: 5 },
    ]
    expect(missingTopics(configOf(), topics, there).map(({ name }) => name)).toEqual(['b', 'c'])
    const identity = configOf({ 'replication.policy.class': 'IdentityReplicationPolicy' })
    expect(missingTopics(identity, topics, there).map(({ name }) => name)).toEqual(['a', 'b'])
  })

  test('are dealt out to tasks in turns, each partition once', () => {
    const topics = [
      { name: 't0', partitions: 8 },
      { name: 't1-a', partitions: 2 },
      { name: 't2', partitions: 2 },
    ]
    expect(splitPartitions(topics, 3).map(writePartitions)).toEqual([
      't0-0,t0-3,t0-6,t1-a-1',
      't0-1,t0-4,t0-7,t2-0',
      't0-2,t0-5,t1-a-0,t2-1',
    ])
    expect(splitPartitions(topics, 100)).toHaveLength(12)
    expect(splitPartitions([], 3)).toEqual([])
    expect(readPartitions('t1-a-1,t0-3')).toEqual([
      { topic: 't1-a', partition: 1 },
      { topic: 't0', partition: 3 },
    ])
  })
})

describe('the settings of remote topics', () => {
  const plain = { isDefault: false, isOfBroker: false, isReadOnly: false, isSensitive: false }
  const setting = (name: string, value: string, more: Partial<typeof plain> = {}) => ({
    ...plain,
    name,
    value,
    ...more,
  })
  const source = [
    setting('retention.ms', '5'),
    setting('cleanup.policy', 'delete', { isDefault: true }),
    setting('min.insync.replicas', '2'),
    setting('segment.bytes', '7', { isOfBroker: true }),
    setting('secret', 'x', { isSensitive: true }),
    setting('unheard.of', '1'),
  ]

  test('are those that somebody chose for the source', () => {
    expect(settingsOfNewTopic(configOf(), source)).toEqual({ 'retention.ms': '5', 'unheard.of': '1' })
    expect(settingsOfNewTopic(configOf({ 'use.defaults.from': 'source' }), source)).toEqual({
      'retention.ms': '5',
      'cleanup.policy': 'delete',
      'unheard.of': '1',
    })
    expect(settingsOfNewTopic(configOf({ 'config.properties.exclude': 'ret.*' }), source)).toEqual({
      'min.insync.replicas': '2',
      'unheard.of': '1',
    })
  })

  test('are changed where they differ, and taken back where the source has its default', () => {
    const target = [setting('retention.ms', '6'), setting('cleanup.policy', 'compact'), setting('segment.bytes', '1')]
    expect(settingChanges(configOf(), source, target)).toEqual({ 'retention.ms': '5', 'cleanup.policy': null })
    const same = [setting('retention.ms', '5'), setting('cleanup.policy', 'delete', { isDefault: true })]
    expect(settingChanges(configOf(), source, same)).toEqual({})
  })
})

test('who may read the source may read the copy, and nobody may write there', () => {
  const acl = {
    topic: 'orders',
    patternType: 'LITERAL',
    principal: 'User:a',
    host: '*',
    operation: 'READ',
    permission: 'ALLOW',
  }
  const acls = [
    acl,
    { ...acl, operation: 'ALL' },
    { ...acl, operation: 'WRITE' },
    { ...acl, operation: 'WRITE', permission: 'DENY' },
    { ...acl, patternType: 'PREFIXED' },
    { ...acl, topic: 'there.orders' },
  ]
  expect(
    remoteAcls(configOf(), acls).map(({ topic, operation, permission }) => [topic, operation, permission]),
  ).toEqual([
    ['here.orders', 'READ', 'ALLOW'],
    ['here.orders', 'READ', 'ALLOW'],
    ['here.orders', 'WRITE', 'DENY'],
  ])
})

describe('the groups of a mirror', () => {
  test('are all but those of consoles and connectors', () => {
    const isWanted = groupFilter(parseConfigOrThrow(checkpointConfig, clusters))
    expect(['billing', 'console-consumer-1', 'connect-x', '__x'].filter(isWanted)).toEqual(['billing'])
  })

  test('are divided in neighbouring parts of like size', () => {
    expect(splitGroups(['a', 'b', 'c', 'd', 'e'], 3)).toEqual([['a', 'b'], ['c', 'd'], ['e']])
    expect(splitGroups(['a'], 3)).toEqual([['a']])
    expect(splitGroups([], 3)).toEqual([])
  })

  test('are written as MirrorMaker does, and with commas in their names come back whole', () => {
    expect(writeGroups(['a', 'b.c'])).toBe('a,b.c')
    const names = ['a,b', ' c ', '50%', '%2C', 'ü']
    expect(readGroups(writeGroups(names))).toEqual(names)
  })
})
