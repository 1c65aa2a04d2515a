/** A worker whose assignment was made from configuration that it has not read yet. */
import { expect, test } from 'vitest'
import { deletionRecords, connectorRecord, taskRecords } from '../../../../src/connect/herder/config-records.ts'
import type { Assignment, Membership, MembershipHooks } from '../../../../src/connect/herder/membership.ts'
import type { CompactedLog, LogRecord } from '../../../../src/connect/stores/compacted-log.ts'
import { standaloneHerder, until } from './standalone.ts'

const nothing = { connectors: new Set<string>(), tasks: new Set<string>() }

/** A config log and a group whose every step is the test's. */
async function scriptedHerder() {
  let deliver: (records: readonly LogRecord[]) => void = () => {}
  let hooks: MembershipHooks | undefined
  let offset = 0
  const configLog: CompactedLog = {
    start: async (onRecords) => {
      deliver = onRecords
    },
    append: async () => {},
    readToEnd: async () => {},
    stop: async () => {},
  }
  const membership: Membership = {
    start: async (given) => {
      hooks = given
    },
    requestRejoin: () => {},
    leave: async () => {},
    metrics: () => ({
      protocol: 'sessioned',
      generation: 1,
      completedRebalances: 1,
      rebalancing: false,
      rebalanceMsMax: 0,
      rebalanceMsAverage: 0,
      lastRebalanceAtMs: null,
    }),
  }
  const { herder, worker } = await standaloneHerder({ configLog, membership })
  const read = (...records: readonly { key: string; value: Buffer | null }[]) => {
    deliver(records.map((record) => ({ ...record, partition: 0, offset: offset++, timestampMs: 0 })))
  }
  const assign = (connectors: readonly string[], tasks: readonly string[], configOffset: number) => {
    const assignment: Assignment = {
      generation: 2,
      isLeader: false,
      leaderUrl: 'http://leader:8083/',
      configOffset,
      failed: false,
      eager: false,
      assigned: { connectors: new Set(connectors), tasks: new Set(tasks) },
      revoked: nothing,
      delayMs: 0,
    }
    hooks?.onAssignment(assignment)
  }
  const lose = () => hooks?.onLost('the test says so')
  return { herder, worker, read, assign, lose }
}

test('work starts with the last record that was required, also when that record changes nothing', async () => {
  const { herder, worker, read, assign } = await scriptedHerder()
  read(connectorRecord('a', { name: 'a', 'connector.class': 'FakeSource' }))
  assign(['a'], [], 3)
  const [connectorTombstone, targetTombstone] = deletionRecords('b')
  read(connectorTombstone!)
  expect(worker.journal).toEqual([])
  read(targetTombstone!)
  await until(
    () => worker.journal,
    (journal) => journal.includes('start a STARTED'),
  )
  await herder.stop()
}, 90_000)

test('a worker that the group lets go of stops everything, also while it lacks configuration', async () => {
  const { herder, worker, read, assign, lose } = await scriptedHerder()
  read(connectorRecord('a', { name: 'a', 'connector.class': 'FakeSource' }))
  read(...taskRecords('a', [{ number: '0' }]))
  assign(['a'], ['a-0'], 3)
  await until(
    () => worker.tasks.size + worker.connectors.size,
    (running) => running === 2,
  )
  assign([], [], 9)
  await lose()
  expect([...worker.tasks.keys(), ...worker.connectors.keys()]).toEqual([])
  await herder.stop()
}, 90_000)
