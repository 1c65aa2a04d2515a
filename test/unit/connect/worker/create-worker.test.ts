import { expect, test } from 'vitest'
import { silentLogger } from '../../../../src/base/index.ts'
import { realClock, realDisk } from '../../../../src/base/real/index.ts'
import { createMemoryLog, createOffsetStore, createWorker } from '../../../../src/connect/index.ts'

function neverStarted() {
  return createWorker({
    clock: realClock,
    logger: silentLogger,
    disk: realDisk,
    workerId: 'w:1',
    properties: { 'key.converter': 'StringConverter', 'value.converter': 'StringConverter' },
    catalogue: 'file:///nowhere.ts',
    offsets: createOffsetStore(createMemoryLog(realClock)),
    offsetsTopic: null,
    listener: {
      onConnectorState: () => {},
      onTaskState: () => {},
      onTopicUsed: () => {},
      onTaskReconfigurationRequested: () => {},
    },
    cores: 1,
  })
}

test('metrics are there before the worker has started: nothing runs', () => {
  const samples = neverStarted().metrics()
  expect(samples.find(({ name }) => name === 'task-count')?.value).toBe(0)
  expect(neverStarted().running()).toEqual({ connectors: [], tasks: [] })
})

test('a worker whose start has failed can be stopped', async () => {
  const worker = neverStarted()
  await expect(worker.start()).rejects.toThrow()
  await expect(worker.stop()).resolves.toBeUndefined()
})
