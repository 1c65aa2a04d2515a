// A worker with real task hosts on a real broker, and what its listener heard.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { RawConfig } from '@millrace/sdk'
import { silentLogger } from '../../src/base/index.ts'
import { realClock, realDisk, realNet, realRandom } from '../../src/base/real/index.ts'
import { createClient } from '../../src/client/index.ts'
import { catalogueUrl } from '../../src/catalogue.ts'
import { spawnHost } from '../../src/connect/host/host-process.ts'
import {
  createMemoryLog,
  createOffsetStore,
  createTopicAdmin,
  createTopicLog,
  createWorker,
  type RunState,
  type StateDetail,
  type TaskId,
  type Worker,
} from '../../src/connect/index.ts'
import { isAlive } from '../services/alive.ts'
import { DEADLINE_MS } from '../services/deadline.ts'

export interface TaskNews {
  readonly state: RunState
  readonly detail: StateDetail
}

export interface TestWorker {
  readonly worker: Worker
  /** Process ids of all hosts ever started, oldest first. */
  readonly hosts: readonly number[]
  /** kill -9 of all that run. */
  killHosts(): void
  /** All that was heard of a task. */
  news(connector: string, task?: number): readonly TaskNews[]
  connectorNews(connector: string): readonly TaskNews[]
  /** Starts a connector and all its tasks. */
  create(config: RawConfig, tasks?: number): Promise<void>
  /** The newest value of a task metric. */
  metric(name: string, connector: string, task?: number): number
  readonly folder: string
  stop(): Promise<void>
}

export const examples = fileURLToPath(new URL('../../plugins/examples', import.meta.url))

/** Waits until a condition holds; fails with what was waited for. */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${DEADLINE_MS} ms in vain until ${what}`)
    await sleep(10)
  }
}

/** Offsets in memory, or in a topic as a distributed worker keeps them. */
async function openOffsets(bootstrapServers: string, topic: string | null) {
  const environment = { clock: realClock, net: realNet, random: realRandom, logger: silentLogger }
  if (topic === null) {
    const offsets = createOffsetStore(createMemoryLog(realClock))
    return { offsets, close: () => offsets.stop() }
  }
  const client = createClient({ bootstrapServers, ...environment })
  const admin = client.admin()
  const log = createTopicLog({
    client,
    admin: createTopicAdmin(admin),
    topic: {
      name: topic,
      property: 'offset.storage.topic',
      content: 'source offsets',
      partitions: 5,
      replicationFactor: 1,
      replicationFactorIsExplicit: true,
      singlePartition: false,
      settings: {},
    },
    clientId: 'test-offsets',
    clock: realClock,
    logger: silentLogger,
    readCommitted: true,
  })
  const offsets = createOffsetStore(log)
  const close = async () => {
    await offsets.stop()
    await admin.close()
  }
  return { offsets, close }
}

export async function startTestWorker(
  bootstrapServers: string,
  properties: RawConfig = {},
  offsetsTopic: string | null = null,
): Promise<TestWorker> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-worker-'))
  const hosts: number[] = []
  /** Those that have not ended: the process id of one that has may be somebody else's by now. */
  const running = new Set<number>()
  const tasks = new Map<string, TaskNews[]>()
  const connectors = new Map<string, TaskNews[]>()
  const put = (map: Map<string, TaskNews[]>, key: string, news: TaskNews) => {
    map.set(key, [...(map.get(key) ?? []), news])
  }
  const keyOf = (id: TaskId) => `${id.connector}-${id.task}`
  const { offsets, close } = await openOffsets(bootstrapServers, offsetsTopic)
  await offsets.start()
  const worker = createWorker({
    clock: realClock,
    logger: silentLogger,
    disk: realDisk,
    workerId: 'test:1',
    catalogue: catalogueUrl,
    cores: 2,
    properties: {
      'bootstrap.servers': bootstrapServers,
      'key.converter': 'StringConverter',
      'value.converter': 'StringConverter',
      'plugin.path': examples,
      ...properties,
    },
    offsets,
    offsetsTopic,
    listener: {
      onConnectorState: (connector, state, detail) => put(connectors, connector, { state, detail }),
      onTaskState: (id, state, detail) => put(tasks, keyOf(id), { state, detail }),
      onTopicUsed: () => {},
      onTaskReconfigurationRequested: () => {},
    },
    spawn: (options) => {
      const host = spawnHost(options)
      hosts.push(host.pid)
      running.add(host.pid)
      void host.exited.then(() => running.delete(host.pid))
      return host
    },
  })
  await worker.start()
  return {
    worker,
    hosts,
    killHosts() {
      for (const pid of [...running].filter(isAlive)) process.kill(pid, 'SIGKILL')
    },
    folder,
    news: (connector, task = 0) => tasks.get(keyOf({ connector, task })) ?? [],
    connectorNews: (connector) => connectors.get(connector) ?? [],
    async create(config, count = 1) {
      const connector = config['name'] ?? ''
      await worker.startConnector(connector, config, 'STARTED')
      const configs = await worker.taskConfigs(connector, count)
      const starting = configs.map((task, index) =>
        worker.startTask({ connector, task: index }, config, task, 'STARTED'),
      )
      await Promise.all(starting)
    },
    metric: (name, connector, task = 0) =>
      worker
        .metrics()
        .find(
          (sample) =>
            sample.name === name &&
            sample.labels['connector'] === connector &&
            (sample.labels['task'] ?? '0') === String(task),
        )?.value ?? 0,
    async stop() {
      await worker.stop()
      await close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
