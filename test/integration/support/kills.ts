// Connectors that work on while their task hosts and the server that they speak to are killed.
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { Client } from '../../../src/client/index.ts'
import { type MillraceBroker, startMillraceBroker } from '../../services/millrace.ts'
import { clientOf } from '../client/clusters.ts'
import { startTestWorker, type TestWorker, until } from '../worker-harness.ts'

const PARTS = 3

/** What makes the worker start tasks of a connector again, however often they are killed. */
export const patient = {
  'restart.policy': 'always',
  'restart.backoff.ms': '10',
  'restart.max.attempts': '1000',
}

/** What lets the next task of a sink read soon after the last one was killed. */
export const impatientConsumer = {
  'consumer.override.session.timeout.ms': '6000',
  'consumer.override.heartbeat.interval.ms': '500',
}

export interface KillableServer {
  kill(): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface Kills<S extends KillableServer> {
  readonly broker: MillraceBroker
  readonly client: Client
  /** New in each test. */
  readonly server: S
  readonly worker: TestWorker
  /** Adds work in three parts; after each but the last, as soon as there is progress, hosts and server are killed. */
  between(add: (part: number) => Promise<void>, progress: () => Promise<number>): Promise<void>
}

/** A broker for all tests of a file, and for each a worker and a server that keeps what it has confirmed. */
export function useKills<S extends KillableServer>(startServer: () => Promise<S>): Kills<S> {
  let broker: MillraceBroker
  let client: Client
  let server: S
  let worker: TestWorker
  beforeAll(async () => {
    broker = await startMillraceBroker()
    client = clientOf(broker)
  })
  afterAll(async () => {
    await broker?.stop()
  })
  beforeEach(async () => {
    server = await startServer()
    worker = await startJsonWorker(broker)
  })
  afterEach(async () => {
    await worker?.stop()
    await server?.stop()
  })
  return {
    get broker() {
      return broker
    },
    get client() {
      return client
    },
    get server() {
      return server
    },
    get worker() {
      return worker
    },
    async between(add, progress) {
      for (let part = 0; part < PARTS - 1; part++) {
        const before = await progress()
        await add(part)
        await until('there is progress', async () => (await progress()) > before)
        worker.killHosts()
        await server.kill()
        await server.restart()
      }
      await add(PARTS - 1)
    },
  }
}

/** A worker of connectors whose values are JSON without schema; commits are often. */
export function startJsonWorker(broker: MillraceBroker): Promise<TestWorker> {
  return startTestWorker(broker.bootstrapServers, {
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'false',
    'offset.flush.interval.ms': '300',
  })
}
