/** A worker in a group: what it does with assignments, and with configuration that it has not read yet. */
import { expect, test } from 'vitest'
import { realClock } from '../../../../src/base/real/index.ts'
import { createMemoryLog, RequestTargetError } from '../../../../src/connect/index.ts'
import { deletionRecords, connectorRecord, taskRecords } from '../../../../src/connect/herder/config-records.ts'
import type {
  Assignment,
  LeaderDecision,
  Membership,
  MembershipHooks,
} from '../../../../src/connect/herder/membership.ts'
import type { CompactedLog, LogRecord } from '../../../../src/connect/stores/compacted-log.ts'
import type { SessionKeySettings } from '../../../../src/connect/herder/session-keys.ts'
import { standaloneHerder, until } from './standalone.ts'

const nothing = { connectors: new Set<string>(), tasks: new Set<string>() }

/** A config log and a group whose every step is the test's. */
async function scriptedHerder(
  group: { protocol?: string; sessionKeys?: SessionKeySettings; statusLog?: CompactedLog; labels?: string[] } = {},
) {
  let deliver: (records: readonly LogRecord[]) => void = () => {}
  let hooks: MembershipHooks | undefined
  let offset = 0
  const rejoins: string[] = []
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
    requestRejoin: (reason) => rejoins.push(reason),
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
    labels: new Set(group.labels),
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
  const owned = () => [...(hooks?.joining().connectors ?? []), ...(hooks?.joining().tasks ?? [])]
  const decide = (decision: LeaderDecision) => hooks?.onDecision(decision)
  return { herder, worker, statusLog, read, assign, lose, prepareJoin, owned, decide, rejoins }
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

const pinned = (labels: string) => ({
  name: 'a',
  'connector.class': 'FakeSource',
  ...(labels === '' ? {} : { 'required.worker.labels': labels }),
})

test('work that requires labels which this worker lacks does not run on it, and says why', async () => {
  const { herder, worker, read, assign, owned } = await scriptedHerder({ labels: ['zone=a'] })
  read(connectorRecord('a', pinned('zone=a,role=edge')), ...taskRecords('a', [{ number: '0' }]))
  assign(['a'], ['a-0'], 3)
  const { connector, tasks } = await until(
    () => herder.connectorStatus('a'),
    (status) => status.tasks.length === 1,
  )
  for (const status of [connector, ...tasks]) {
    expect(status).toMatchObject({ state: 'UNASSIGNED', worker_id: '127.0.0.1:8083' })
    expect(status.trace).toContain('lacks the labels role=edge (required.worker.labels)')
  }
  expect(worker.journal).toEqual([])
  // It is this worker's until the leader takes it away: nobody else may believe that it was lost.
  expect(owned()).toEqual(['a', 'a-0'])
  assign([], [], 3, { revoked: { connectors: new Set(['a']), tasks: new Set(['a-0']) } })
  expect(owned()).toEqual([])
  await herder.stop()
})

test('a connector that requires other labels than it did stops at once, and asks for a rebalance', async () => {
  const { herder, worker, read, assign, rejoins, owned } = await scriptedHerder({ labels: ['zone=a'] })
  read(connectorRecord('a', pinned('zone=a')), ...taskRecords('a', [{ number: '0' }]))
  assign(['a'], ['a-0'], 3)
  await until(
    () => [...worker.connectors.keys(), ...worker.tasks.keys()],
    (running) => running.length === 2,
  )
  rejoins.length = 0
  read(connectorRecord('a', pinned('zone=b')))
  await until(
    () => [...worker.connectors.keys(), ...worker.tasks.keys()],
    (running) => running.length === 0,
  )
  expect(rejoins).toEqual(['a requires other labels of workers'])
  await until(
    () => herder.connectorStatus('a').tasks[0]?.state,
    (state) => state === 'UNASSIGNED',
  )
  expect(owned()).toEqual(['a', 'a-0'])
  // And back: what is still this worker's starts without another rebalance.
  read(connectorRecord('a', pinned('zone=a')))
  await until(
    () => [...worker.connectors.keys(), ...worker.tasks.keys()],
    (running) => running.length === 2,
  )
  await herder.stop()
})

const edge = new Set(['role=edge', 'zone=a'])

test.each([
  ['no labels', [new Set<string>()], 'no worker of the group has role=edge or zone=b'],
  ['one of the labels', [edge], 'no worker of the group has zone=b'],
  ['them, but none has both', [edge, new Set(['zone=b'])], 'no worker of the group has all of them'],
])('the leader says of work that waits what is missing while workers have %s', async (_, workers, text) => {
  const { herder, read, assign, decide, statusLog } = await scriptedHerder()
  read(connectorRecord('a', pinned('role=edge,zone=b')), ...taskRecords('a', [{ number: '0' }]))
  // The last owner is gone, and spoke in a generation of a group that has been empty since.
  const last = { state: 'RUNNING', trace: null, worker_id: 'gone:8083', generation: 50 }
  await statusLog.append([{ key: 'status-task-a-0', value: Buffer.from(JSON.stringify(last)) }])
  assign([], [], 3, { isLeader: true })
  const waiting = { connectors: new Set(['a']), tasks: new Set(['a-0']) }
  const members = workers.map((labels, i) => ({ url: `http://w${i}:8083/`, labels, work: nothing }))
  await decide({ generation: 3, members, waiting })
  const { connector, tasks } = herder.connectorStatus('a')
  for (const status of [connector, ...tasks]) {
    expect(status.state).toBe('UNASSIGNED')
    expect(status.trace).toBe(
      `Waits for a worker with the labels role=edge,zone=b (required.worker.labels): ${text}. ` +
        'Start one with worker.labels=role=edge,zone=b.',
    )
  }
  expect(tasks).toHaveLength(1)
  await expect(herder.restartConnector('a')).rejects.toThrow(`a: ${connector.trace}`)
  await expect(herder.restartTask('a', 0)).rejects.toThrow(`a-0: ${connector.trace}`)
  await herder.stop()
})

test('tasks made for other labels than their connector requires now wait for new configurations', async () => {
  const { herder, read, assign, decide } = await scriptedHerder()
  read(connectorRecord('a', pinned('zone=a')), ...taskRecords('a', [{ number: '0' }]))
  read(connectorRecord('a', pinned('zone=b')))
  assign([], [], 4, { isLeader: true })
  const members = [{ url: 'http://w:8083/', labels: new Set(['zone=b']), work: nothing }]
  await decide({ generation: 3, members, waiting: { connectors: new Set(), tasks: new Set(['a-0']) } })
  expect(herder.taskStatus('a', 0).trace).toContain('Waits for new task configurations')
  await herder.stop()
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
