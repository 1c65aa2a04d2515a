/** A worker in a group: what it does with assignments, and with configuration that it has not read yet. */
import { expect, test } from 'vitest'
import { realClock } from '../../../../src/base/real/index.ts'
import { createMemoryLog, RequestTargetError } from '../../../../src/connect/index.ts'
import { deletionRecords, connectorRecord, taskRecords } from '../../../../src/connect/herder/config-records.ts'
import type { Assignment, Membership, MembershipHooks } from '../../../../src/connect/herder/membership.ts'
import type { CompactedLog, LogRecord } from '../../../../src/connect/stores/compacted-log.ts'
import type { SessionKeySettings } from '../../../../src/connect/herder/session-keys.ts'
import { standaloneHerder, until } from './standalone.ts'

const nothing = { connectors: new Set<string>(), tasks: new Set<string>() }

/** A config log and a group whose every step is the test's. */
async function scriptedHerder(
  group: { protocol?: string; sessionKeys?: SessionKeySettings; statusLog?: CompactedLog } = {},
) {
  let deliver: (records: readonly LogRecord[]) => void = () => {}
  let hooks: MembershipHooks | undefined
  let offset = 0
  const configLog: CompactedLog = {
    start: async (onRecords) => {
      deliver = onRecords
    },
    append: async (records) => read(...records),
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
      protocol: group.protocol ?? 'sessioned',
      generation: 1,
      completedRebalances: 1,
      rebalancing: false,
      rebalanceMsMax: 0,
      rebalanceMsAverage: 0,
      lastRebalanceAtMs: null,
    }),
  }
  const statusLog = group.statusLog ?? createMemoryLog(realClock)
  const { herder, worker } = await standaloneHerder({
    configLog,
    statusLog,
    membership,
    sessionKeys: group.sessionKeys ?? null,
  })
  const read = (...records: readonly { key: string; value: Buffer | null }[]) => {
    deliver(records.map((record) => ({ ...record, partition: 0, offset: offset++, timestampMs: 0 })))
  }
  const assign = (
    connectors: readonly string[],
    tasks: readonly string[],
    configOffset: number,
    changes: Partial<Assignment> = {},
  ) => {
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
      ...changes,
    }
    hooks?.onAssignment(assignment)
  }
  const lose = () => hooks?.onLost('the test says so')
  const prepareJoin = () => hooks?.prepareJoin(false)
  return { herder, worker, statusLog, read, assign, lose, prepareJoin }
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
})

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
})

test('a leader that lacks configuration neither changes it nor forgets statuses of what it does not know', async () => {
  const { herder, statusLog, read, assign } = await scriptedHerder()
  const status = { state: 'RUNNING', trace: null, worker_id: 'other:8083', generation: 1 }
  await statusLog.append([{ key: 'status-connector-new', value: Buffer.from(JSON.stringify(status)) }])
  assign([], [], 9, { isLeader: true, failed: true })
  const config = { 'connector.class': 'FakeSource', topic: 't' }
  await expect(herder.createConnector('other', config, 'STARTED')).rejects.toBeInstanceOf(RequestTargetError)
  read(connectorRecord('new', { name: 'new', 'connector.class': 'FakeSource' }))
  expect(herder.connectorStatus('new').connector.state).toBe('RUNNING')
  await herder.stop()
})

test('a worker joins again when what it said of its work is written, so that it comes before what a new owner says', async () => {
  const memory = createMemoryLog(realClock)
  const written: string[] = []
  const gates: (() => void)[] = []
  const statusLog: CompactedLog = {
    ...memory,
    append: async (records) => {
      await new Promise<void>((resolve) => gates.push(resolve))
      written.push(...records.map(({ key }) => key))
      await memory.append(records)
    },
  }
  const { herder, worker, read, assign, prepareJoin } = await scriptedHerder({ statusLog })
  read(connectorRecord('a', { name: 'a', 'connector.class': 'FakeSource' }))
  read(...taskRecords('a', [{ number: '0' }]))
  assign(['a'], ['a-0'], 3)
  await until(
    () => [worker.tasks.size, gates.length],
    ([tasks, waiting]) => tasks === 1 && waiting === 1,
  )
  const joined = prepareJoin()?.then(() => written.push('join'))
  const opening = setInterval(() => gates.shift()?.(), 1)
  await joined
  const order = [...written]
  await herder.stop()
  clearInterval(opening)
  expect(order.toSorted()).toEqual(['join', 'status-connector-a', 'status-task-a-0'])
  expect(order.at(-1)).toBe('join')
})

const sessionKeys: SessionKeySettings = {
  keyAlgorithm: 'HmacSHA256',
  keySizeBits: null,
  ttlMs: 3_600_000,
  signatureAlgorithm: 'HmacSHA256',
  verificationAlgorithms: ['HmacSHA256'],
}

test.each([
  ['sessioned', 'BAD_REQUEST'],
  // As long as one worker of the group does not sign, as in a rolling upgrade, none can ask the others to.
  ['compatible', null],
])('with the group protocol %s a request of a worker without a signature ends with %s', async (protocol, code) => {
  const { herder, read, assign } = await scriptedHerder({ protocol, sessionKeys })
  read(connectorRecord('a', { name: 'a', 'connector.class': 'FakeSource' }))
  assign([], [], 1, { isLeader: true })
  const body = Buffer.from('[{"number":"0"}]')
  const answer = herder.putTaskConfigs('a', { body, signature: undefined, algorithm: undefined })
  expect(
    await answer.then(
      () => null,
      (error: { code: string }) => error.code,
    ),
  ).toBe(code)
  expect(herder.configuration().tasks('a')).toEqual(code === null ? ['a-0'] : [])
  await herder.stop()
})
