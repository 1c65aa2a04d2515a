import { expect, test } from 'vitest'
import { silentLogger } from '../../../../src/base/index.ts'
import { ensureTopic, type InternalTopic, type TopicAdmin } from '../../../../src/connect/stores/internal-topic.ts'
import { SimClock } from '../../../simulation/sim-clock.ts'

const topic: InternalTopic = {
  name: 'configs',
  property: 'config.storage.topic',
  content: 'connector configurations',
  partitions: 1,
  replicationFactor: 3,
  replicationFactorIsExplicit: false,
  settings: { 'min.insync.replicas': '1' },
  singlePartition: true,
}

/** A cluster with so many brokers, and perhaps the topic. */
class FakeAdmin implements TopicAdmin {
  existing: { partitions: number; cleanupPolicy: string } | null = null
  readonly created: object[] = []
  /** Descriptions that do not show the topic yet. */
  lag = 0
  readonly brokers: number

  constructor(brokers: number) {
    this.brokers = brokers
  }

  async describe() {
    return this.lag-- > 0 ? null : this.existing
  }

  async create(wanted: Parameters<TopicAdmin['create']>[0]) {
    if (this.existing) throw Object.assign(new Error('exists'), { code: 'TOPIC_ALREADY_EXISTS' })
    if (wanted.replicationFactor > this.brokers) {
      throw Object.assign(new Error('too many replicas'), { code: 'INVALID_REPLICATION_FACTOR' })
    }
    this.created.push(wanted)
  }
}

const ensure = (admin: TopicAdmin, wanted = topic) => {
  const clock = new SimClock()
  return clock.settle(ensureTopic(admin, wanted, clock, silentLogger))
}

test('a missing topic is created compacted, with its settings', async () => {
  const admin = new FakeAdmin(3)
  await ensure(admin)
  expect(admin.created).toEqual([
    {
      name: 'configs',
      partitions: 1,
      replicationFactor: 3,
      settings: { 'min.insync.replicas': '1', 'cleanup.policy': 'compact' },
    },
  ])
})

test('a default of three replicas gives way to a smaller cluster, a written one does not', async () => {
  const admin = new FakeAdmin(1)
  await ensure(admin)
  expect(admin.created).toMatchObject([{ replicationFactor: -1 }])
  const explicit = ensure(new FakeAdmin(1), { ...topic, replicationFactorIsExplicit: true })
  await expect(explicit).rejects.toThrow('too many replicas')
})

test('a topic that another worker has just made is waited for', async () => {
  const admin = new FakeAdmin(3)
  admin.existing = { partitions: 1, cleanupPolicy: 'compact' }
  admin.lag = 3
  await ensure(admin)
  expect(admin.created).toEqual([])
})

test('brokers that are only just joining their cluster are waited for', async () => {
  const admin = new FakeAdmin(3)
  let fenced = 3
  const create = admin.create.bind(admin)
  admin.create = async (wanted) => {
    if (fenced-- > 0) throw Object.assign(new Error('all are fenced'), { code: 'INVALID_REPLICATION_FACTOR' })
    await create(wanted)
  }
  await ensure(admin, { ...topic, replicationFactorIsExplicit: true })
  expect(admin.created).toMatchObject([{ replicationFactor: 3 }])
})

test('a topic whose records would be deleted is refused', async () => {
  const admin = new FakeAdmin(3)
  admin.existing = { partitions: 1, cleanupPolicy: 'delete' }
  await expect(ensure(admin)).rejects.toThrow(
    "Topic 'configs' supplied via the 'config.storage.topic' property is required to have 'cleanup.policy=compact'",
  )
})

test('a config topic with several partitions is refused', async () => {
  const admin = new FakeAdmin(3)
  admin.existing = { partitions: 2, cleanupPolicy: 'compact' }
  await expect(ensure(admin)).rejects.toThrow('required to have a single partition')
})
