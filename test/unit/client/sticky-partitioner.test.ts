import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/index.ts'
import type { TopicInfo } from '../../../src/client/index.ts'
import { StickyPartitioner } from '../../../src/client/producer/sticky-partitioner.ts'

const topic = (leaders: readonly number[]): TopicInfo => ({
  name: 't',
  id: null,
  internal: false,
  partitions: leaders.map((leader, partition) => ({
    partition,
    leader,
    leaderEpoch: 0,
    replicas: [],
    isr: [],
    offlineReplicas: [],
  })),
})

describe('StickyPartitioner', () => {
  test('stays with a partition for a batch of bytes, and gets around evenly', () => {
    const partitioner = new StickyPartitioner(seededRandom(1), 1000)
    const info = topic([1, 1, 1, 1])
    const counts = [0, 0, 0, 0]
    let last = -1
    let changes = 0
    for (let i = 0; i < 40_000; i++) {
      const partition = partitioner.choose(info)
      if (partition !== last) changes++
      last = partition
      counts[partition]!++
      partitioner.added(100)
    }
    expect(changes).toBeLessThanOrEqual(4000)
    for (const count of counts) expect(count).toBeGreaterThan(8000)
  })

  test('passes over partitions without a leader, unless none has one', () => {
    const partitioner = new StickyPartitioner(seededRandom(2), 1)
    for (let i = 0; i < 50; i++) {
      expect(partitioner.choose(topic([-1, 7, -1]))).toBe(1)
      partitioner.added(10)
    }
    expect(partitioner.choose(topic([-1, -1]))).toBeLessThan(2)
  })
})
