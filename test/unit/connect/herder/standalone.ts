import { seededRandom, silentLogger } from '../../../../src/base/index.ts'
import { realClock } from '../../../../src/base/real/index.ts'
import {
  ConnectHerder,
  createLogLevels,
  createMemoryLog,
  createSoloMembership,
  type HerderOptions,
} from '../../../../src/connect/index.ts'
import { DEADLINE_MS } from '../../../services/deadline.ts'
import { FakeWorker } from './fake-worker.ts'

/** A standalone herder over a scripted worker. */
export async function standaloneHerder(overrides: Partial<HerderOptions> = {}) {
  let worker: FakeWorker | undefined
  const url = 'http://127.0.0.1:8083/'
  const herder = new ConnectHerder({
    workerId: '127.0.0.1:8083',
    url,
    findClusterId: () => Promise.resolve('cluster'),
    createWorker: (listener) => {
      worker = new FakeWorker(listener)
      return worker
    },
    membership: createSoloMembership({ url, clock: realClock }),
    configLog: createMemoryLog(realClock),
    statusLog: createMemoryLog(realClock),
    clock: realClock,
    random: seededRandom(1),
    logger: silentLogger,
    http: () => Promise.reject(new Error('no network here')),
    logLevels: createLogLevels('INFO', () => {}),
    sessionKeys: null,
    topicTracking: { enabled: true, allowReset: true },
    ...overrides,
  })
  await herder.start()
  return { herder, worker: worker as FakeWorker }
}

/** Waits until a condition holds; fails with what was seen last. */
export async function until<T>(look: () => T, isRight: (seen: T) => boolean, deadlineMs = DEADLINE_MS): Promise<T> {
  const end = realClock.monotonicMs() + deadlineMs
  for (;;) {
    let seen: T | undefined
    let failure: unknown
    try {
      seen = look()
      if (isRight(seen)) return seen
    } catch (error) {
      failure = error
    }
    if (realClock.monotonicMs() > end) {
      throw new Error(
        `gave up after ${deadlineMs} ms; seen last: ${failure instanceof Error ? failure.message : JSON.stringify(seen)}`,
      )
    }
    await new Promise<void>((resolve) => {
      realClock.setTimer(2, resolve)
    })
  }
}
