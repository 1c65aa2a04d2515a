import type { RawConfig } from '@millrace/sdk'
import { expect, test, vi } from 'vitest'
import { type Clock, silentLogger } from '../../../../src/base/index.ts'
import { FlowConnectors } from '../../../../src/cli/mirror/flow-connectors.ts'
import { flowsOf } from '../../../../src/cli/mirror/flows.ts'
import { HerderError, RequestTargetError } from '../../../../src/connect/index.ts'
import { DEADLINE_MS } from '../../../services/deadline.ts'

/** A clock whose timers run at once. */
const clock: Clock = {
  now: () => 0,
  monotonicMs: () => 0,
  setTimer: (_ms, run) => {
    queueMicrotask(run)
    return { cancel: () => undefined }
  },
}

function setUp(more: RawConfig = {}) {
  const file = { clusters: 'A,B', 'A.bootstrap.servers': 'a:1', 'B.bootstrap.servers': 'b:1', 'A->B.enabled': 'true' }
  const flow = flowsOf({ ...file, ...more }).find(({ name }) => name === 'A->B')!
  const stored = new Map<string, RawConfig>()
  const refused: Error[] = []
  const herder = {
    configuration: () => ({ config: (name: string) => stored.get(name) ?? null }),
    putConnectorConfig: vi.fn(async (name: string, config: RawConfig) => {
      stored.set(name, config)
      return {} as never
    }),
    deleteConnector: vi.fn(async (name: string) => void stored.delete(name)),
  }
  const onRefused = (error: Error) => refused.push(error)
  const connectors = new FlowConnectors({ flow, herder: () => herder, clock, logger: silentLogger, onRefused })
  return { connectors, herder, stored, refused }
}

const eventually = (check: () => void) => vi.waitFor(check, { timeout: DEADLINE_MS })

const NAMES = ['MirrorSourceConnector', 'MirrorHeartbeatConnector', 'MirrorCheckpointConnector']

test('who becomes the leader configures what differs, once', async () => {
  const { connectors, herder, stored } = setUp()
  connectors.onRebalanced(false)
  expect(herder.putConnectorConfig).not.toHaveBeenCalled()
  connectors.onRebalanced(true)
  await eventually(() => expect([...stored.keys()]).toEqual(NAMES))
  connectors.onRebalanced(true)
  connectors.onRebalanced(false)
  stored.set('MirrorHeartbeatConnector', { name: 'MirrorHeartbeatConnector' })
  connectors.onRebalanced(true)
  await eventually(() => expect(herder.putConnectorConfig).toHaveBeenCalledTimes(4))
  expect(herder.putConnectorConfig.mock.lastCall?.[0]).toBe('MirrorHeartbeatConnector')
})

test('what passes is tried again, and a lost leadership ends it', async () => {
  const { connectors, herder, stored } = setUp()
  herder.putConnectorConfig.mockRejectedValueOnce(new HerderError('UNAVAILABLE', 'the log is away'))
  herder.putConnectorConfig.mockRejectedValueOnce(new Error('a socket broke'))
  connectors.onRebalanced(true)
  await eventually(() => expect([...stored.keys()]).toEqual(NAMES))
  expect(herder.putConnectorConfig).toHaveBeenCalledTimes(5)
})

test('a worker that leads no longer leaves the rest to who does', async () => {
  const { connectors, herder, stored, refused } = setUp()
  herder.putConnectorConfig.mockImplementationOnce(async () => {
    connectors.onRebalanced(false)
    throw new RequestTargetError(null)
  })
  connectors.onRebalanced(true)
  await eventually(() => expect(herder.putConnectorConfig).toHaveBeenCalledTimes(1))
  await new Promise((resolve) => setImmediate(resolve))
  expect(herder.putConnectorConfig).toHaveBeenCalledTimes(1)
  expect([stored.size, refused.length]).toEqual([0, 0])
})

test('a configuration that is refused is told with its flow', async () => {
  const { connectors, herder, refused } = setUp()
  herder.putConnectorConfig.mockRejectedValueOnce(new HerderError('BAD_REQUEST', 'Invalid value (( for topics'))
  connectors.onRebalanced(true)
  await eventually(() => expect(refused.map(({ message }) => message)).toEqual(['A->B: Invalid value (( for topics']))
})

test('the mirror of groups that was switched off is taken away, and the others run', async () => {
  const { connectors, stored } = setUp({ 'A->B.emit.checkpoints.enabled': 'false' })
  stored.set('MirrorCheckpointConnector', { name: 'MirrorCheckpointConnector' })
  connectors.onRebalanced(true)
  await eventually(() => expect([...stored.keys()].toSorted()).toEqual(NAMES.slice(0, 2).toSorted()))
})
