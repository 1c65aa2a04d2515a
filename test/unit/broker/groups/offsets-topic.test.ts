import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { seededRandom, silentLogger } from '../../../../src/base/index.ts'
import { realClock, realDisk } from '../../../../src/base/real/index.ts'
import { BrokerConfig } from '../../../../src/broker/config/broker-config.ts'
import { GroupCoordinator } from '../../../../src/broker/groups/group-coordinator.ts'
import { OffsetsTopic } from '../../../../src/broker/groups/offsets-topic.ts'
import { readMetadataFile } from '../../../../src/broker/topics/metadata-file.ts'
import { TopicRegistry } from '../../../../src/broker/topics/topic-registry.ts'
import { LogManager } from '../../../../src/log/index.ts'
import { CONFIG } from './group-driver.ts'

let directory: string
let logs: LogManager

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-offsets-'))
})
afterEach(async () => {
  await logs.close()
  rmSync(directory, { recursive: true, force: true })
})

/** Opens the data directory as a broker does. */
function open(): { topic: OffsetsTopic; groups: GroupCoordinator; topics: TopicRegistry } {
  const config = new BrokerConfig({ 'log.dirs': directory, 'offsets.topic.num.partitions': '1', 'log.flush': 'os' })
  const base = { disk: realDisk, directory, random: seededRandom(1), logger: silentLogger }
  const metadata = readMetadataFile(realDisk, directory)
  logs = LogManager.open({ ...base, nodeId: 1, clock: realClock })
  const topics = new TopicRegistry({ ...base, config, logs, metadata })
  const topic = new OffsetsTopic(topics, config, realClock, 100)
  const groups = new GroupCoordinator({
    clock: realClock,
    random: seededRandom(2),
    logger: silentLogger,
    offsetsLog: topic,
    config: { ...CONFIG, offsetsRetentionMs: 1e9 },
  })
  topic.load((key, value) => groups.load(key, value))
  groups.loaded()
  return { topic, groups, topics }
}

const NOBODY = { connectionId: 1, memberId: '', groupInstanceId: null, generationId: -1 }

test('a long history of commits is cut to what the groups are now, and a restart finds the same', async () => {
  const { topic, groups, topics } = open()
  const commit = (groupId: string, offset: number) =>
    groups.commitOffsets(groupId, NOBODY, [
      { topic: 't', partition: 0, offset, leaderEpoch: 1, metadata: `at ${offset}`, commitTimestamp: 1000 },
    ])
  for (let offset = 1; offset <= 90; offset++) {
    await commit('a', offset)
    await commit('b', offset * 2)
  }
  await groups.delete('b')
  const log = topics.get('__consumer_offsets')!.logs[0]!
  expect(log.logEndOffset - log.logStartOffset).toBeGreaterThan(180)
  // One that is under way while the partition is written anew must not be lost.
  const late = commit('c', 7)
  await topic.trim(groups)
  expect(await late).toBe(0)
  expect(log.logEndOffset - log.logStartOffset).toBeLessThan(10)
  await groups.close()
  await logs.close()
  const again = open()
  expect([...again.groups.groups.keys()].toSorted()).toEqual(['a', 'c'])
  expect(again.groups.groups.get('a')!.offsets.get('t', 0)).toMatchObject({
    offset: 90,
    metadata: 'at 90',
    leaderEpoch: 1,
  })
  expect(again.groups.groups.get('c')!.offsets.get('t', 0)).toMatchObject({ offset: 7 })
})

test('a short history is left alone', async () => {
  const { topic, groups, topics } = open()
  await groups.commitOffsets('a', NOBODY, [
    { topic: 't', partition: 0, offset: 1, leaderEpoch: -1, metadata: '', commitTimestamp: 1000 },
  ])
  await topic.trim(groups)
  expect(topics.get('__consumer_offsets')!.logs[0]!.logStartOffset).toBe(0)
})
