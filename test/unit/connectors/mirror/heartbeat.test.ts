import type { ConnectorContext, RawConfig } from '@millrace/sdk'
import { parseConfigOrThrow } from '@millrace/sdk'
import { expect, test } from 'vitest'
import heartbeats from '../../../../connectors/mirror/heartbeat.ts'

const admin = {
  createTopic: () => Promise.resolve(true),
  close: () => Promise.resolve(),
}
const context = {
  connectorName: 'beats',
  kafka: { admin: () => admin },
  logger: { debug() {}, info() {}, warn() {}, error() {} },
  raiseError: (error: Error) => {
    throw error
  },
} as unknown as ConnectorContext

async function taskCount(more: RawConfig): Promise<number> {
  const raw = { 'source.cluster.alias': 'here', 'source.cluster.bootstrap.servers': 'localhost:1', ...more }
  const config = parseConfigOrThrow(heartbeats.config, raw)
  return (await heartbeats.taskConfigs(config, 1, raw, context)).length
}

test('heartbeats are written for a flow that is not enabled, as MirrorMaker does, until they are switched off', async () => {
  expect(await taskCount({ enabled: 'false' })).toBe(1)
  expect(await taskCount({ enabled: 'true' })).toBe(1)
  expect(await taskCount({ 'emit.heartbeats.enabled': 'false' })).toBe(0)
  expect(await taskCount({ 'emit.heartbeats.interval.seconds': '-1' })).toBe(0)
})

test('heartbeats come also when each poll is called off long before the interval is over', async () => {
  const raw = { 'source.cluster.alias': 'here', 'emit.heartbeats.interval.seconds': '1' }
  const task = heartbeats.createTask(parseConfigOrThrow(heartbeats.config, raw), {
    ...context,
    taskId: 0,
    raw,
    offsets: { offset: async () => null, offsets: async () => [] },
  })
  const poll = async () => ((await task.poll(AbortSignal.timeout(50))) as readonly unknown[] | null) ?? []
  await expect.poll(poll, { timeout: 60_000, interval: 0 }).toHaveLength(1)
})
