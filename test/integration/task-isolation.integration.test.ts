import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isAlive } from '../services/alive.ts'
import { type MillraceBroker, startMillraceBroker } from '../services/millrace.ts'
import { startTestWorker, type TestWorker, until } from './worker-harness.ts'

/** Longer than any innocent host stands still on a busy machine. */
const STALL_MS = 8000
let broker: MillraceBroker

beforeAll(async () => {
  broker = await startMillraceBroker()
})

afterAll(async () => {
  await broker?.stop()
})

function misbehaving(name: string, mode: string, more: Record<string, string> = {}) {
  return { name, 'connector.class': 'MisbehavingSource', topic: name, mode, 'restart.policy': 'never', ...more }
}

/** Runs with one host for each package, so that all tasks of the bad package share it. */
async function withWorker(properties: Record<string, string>, run: (worker: TestWorker) => Promise<void>) {
  const test = await startTestWorker(broker.bootstrapServers, {
    'task.host.count': '1',
    'task.host.stall.timeout.ms': String(STALL_MS),
    'task.shutdown.graceful.timeout.ms': '2000',
    ...properties,
  })
  try {
    await run(test)
  } finally {
    await test.stop()
  }
}

const last = (test: TestWorker, connector: string) => test.news(connector).at(-1)
const written = (test: TestWorker, connector: string) => test.metric('source-record-write-total', connector)

describe('a plugin that never gives the processor back', () => {
  for (const mode of ['loop', 'loop-later']) {
    it(`fails with the stack of its loop while its neighbours go on (${mode})`, async () => {
      await withWorker({}, async (test) => {
        await test.create({ name: 'steady', 'connector.class': 'SteadySource', topic: `steady-${mode}` })
        await test.create(misbehaving(`good-${mode}`, 'behave'))
        await until('the neighbours write', () => written(test, 'steady') > 0 && written(test, `good-${mode}`) > 0)
        await test.create(misbehaving(`bad-${mode}`, mode))
        await until('the culprit is restarted', () =>
          test.news(`bad-${mode}`).some(({ state }) => state === 'RESTARTING'),
        )
        const before = written(test, 'steady')
        await until('the culprit fails', () => last(test, `bad-${mode}`)?.state === 'FAILED')
        expect(written(test, 'steady')).toBeGreaterThan(before)
        expect(last(test, `bad-${mode}`)?.detail.trace).toMatch(
          /stood still.*\n\s+at spinForEver \(.*misbehaving\/source\.js/s,
        )
        // The innocent task of the same host runs on in another one.
        const goodBefore = written(test, `good-${mode}`)
        await until('the innocent task writes again', () => written(test, `good-${mode}`) > goodBefore)
        expect(test.news(`good-${mode}`).some(({ state }) => state === 'FAILED')).toBe(false)
        expect(test.news('steady').map(({ state }) => state)).toEqual(['RUNNING'])
      })
    })
  }

  it('does not keep the worker from answering', async () => {
    await withWorker({}, async (test) => {
      await test.create(misbehaving('bad-answers', 'loop'))
      await until('it runs', () => test.news('bad-answers').length > 0)
      const infos = await test.worker.validate({
        name: 'x',
        'connector.class': 'FileStreamSource',
        topic: 't',
        file: '/tmp/x',
      })
      expect(infos.error_count).toBe(0)
      await until('it is killed', () => test.news('bad-answers').some(({ state }) => state === 'RESTARTING'))
    })
  })

  it('fails a validation that it never ends', async () => {
    await withWorker({}, async (test) => {
      const config = misbehaving('bad-validate', 'loop', { hook: 'validate' })
      await expect(test.worker.validate(config)).rejects.toThrow(/stood still/)
    })
  })
})

describe('a plugin that leaks', () => {
  it('is found among its neighbours, killed and failed with the reason', async () => {
    await withWorker({ 'task.host.memory.max.mb': '400' }, async (test) => {
      for (const name of ['leak-good-1', 'leak-good-2']) await test.create(misbehaving(name, 'behave'))
      await until('the neighbours write', () => written(test, 'leak-good-1') > 0 && written(test, 'leak-good-2') > 0)
      await test.create(misbehaving('leak-bad', 'leak'))
      await until('the culprit fails', () => last(test, 'leak-bad')?.state === 'FAILED')
      expect(last(test, 'leak-bad')?.detail.trace).toContain('task.host.memory.max.mb = 400')
      const before = written(test, 'leak-good-1')
      await until('the innocent tasks write again', () => written(test, 'leak-good-1') !== before)
      for (const name of ['leak-good-1', 'leak-good-2']) {
        expect(test.news(name).some(({ state }) => state === 'FAILED')).toBe(false)
      }
    })
  })
})

describe('a plugin that takes its process with it', () => {
  it('is found by splitting, and its neighbours go on', async () => {
    await withWorker({}, async (test) => {
      const neighbours = ['crash-good-1', 'crash-good-2', 'crash-good-3']
      for (const name of neighbours) await test.create(misbehaving(name, 'behave'))
      await test.create(misbehaving('crash-bad', 'vanish', { 'after.polls': '20' }))
      await until('the culprit fails', () => last(test, 'crash-bad')?.state === 'FAILED')
      expect(last(test, 'crash-bad')?.detail.trace).toContain('ended unexpectedly by exit code 9')
      for (const name of neighbours) {
        const before = written(test, name)
        await until(`${name} writes on`, () => written(test, name) !== before)
        expect(test.news(name).some(({ state }) => state === 'FAILED')).toBe(false)
      }
    })
  })
})

describe('a plugin that throws', () => {
  it('fails with the trace, whichever hook of the task it is', async () => {
    await withWorker({}, async (test) => {
      for (const hook of ['createTask', 'start', 'poll']) {
        await test.create(misbehaving(`throw-${hook}`, 'throw', { hook }))
        await until(`${hook} fails the task`, () => last(test, `throw-${hook}`)?.state === 'FAILED')
        expect(last(test, `throw-${hook}`)?.detail.trace).toMatch(
          new RegExp(`^TypeError: thrown on purpose in ${hook}\\n\\s+at .*misbehaving/source\\.js`),
        )
      }
    })
  })

  it('goes on when only its commit callbacks throw', async () => {
    await withWorker({ 'offset.flush.interval.ms': '50' }, async (test) => {
      for (const hook of ['commit', 'commitRecord']) {
        await test.create(misbehaving(`callback-${hook}`, 'throw', { hook }))
        await until('it commits and writes on', () => {
          const commits = test.metric('offset-commit-success-percentage', `callback-${hook}`)
          return commits > 0 && written(test, `callback-${hook}`) > 20
        })
        expect(test.news(`callback-${hook}`).map(({ state }) => state)).toEqual(['RUNNING'])
      }
    })
  })

  it('fails the connector when the monitor throws, and a call when taskConfigs or validate does', async () => {
    await withWorker({}, async (test) => {
      const monitor = misbehaving('throw-monitor', 'throw', { hook: 'monitor' })
      await expect(test.worker.startConnector('throw-monitor', monitor, 'STARTED')).rejects.toThrow()
      expect(test.connectorNews('throw-monitor').at(-1)?.detail.trace).toContain('thrown on purpose in monitor')
      await expect(test.create(misbehaving('throw-configs', 'throw', { hook: 'taskConfigs' }))).rejects.toThrow(
        'thrown on purpose in taskConfigs',
      )
      const validate = misbehaving('throw-validate', 'throw', { hook: 'validate' })
      await expect(test.worker.validate(validate)).rejects.toThrow('thrown on purpose in validate')
    })
  })

  for (const [mode, message] of [
    ['reject', 'rejected on purpose'],
    ['throw-later', 'thrown on purpose in a timer'],
    ['exit', 'called process.exit(7)'],
  ] as const) {
    it(`is blamed for what it does outside of its calls (${mode})`, async () => {
      await withWorker({}, async (test) => {
        await test.create(misbehaving(`beside-${mode}`, 'behave'))
        await test.create(misbehaving(`outside-${mode}`, mode))
        await until('the culprit fails', () => last(test, `outside-${mode}`)?.state === 'FAILED')
        expect(last(test, `outside-${mode}`)?.detail.trace).toContain(message)
        const before = written(test, `beside-${mode}`)
        await until('the neighbour writes on', () => written(test, `beside-${mode}`) > before)
        expect(test.news(`beside-${mode}`).map(({ state }) => state)).toEqual(['RUNNING'])
      })
    })
  }
})

describe('a plugin whose stop hangs', () => {
  it('is cut off in time and its host does not outlive its last task', async () => {
    await withWorker({}, async (test) => {
      await test.create(misbehaving('hang', 'hang-stop'))
      await until('it writes', () => written(test, 'hang') > 0)
      const pids = test.hosts.filter(isAlive)
      await test.worker.stopTasks([{ connector: 'hang', task: 0 }])
      expect(test.worker.running().tasks).toEqual([])
      await test.worker.stopConnector('hang')
      await until('its host is gone', () => pids.some((pid) => !isAlive(pid)))
    })
  })
})

describe('the restart policy', () => {
  it('restarts a failed task after its back-off, says so, and gives up after the limit', async () => {
    await withWorker({}, async (test) => {
      const policy = { 'restart.policy': 'on-failure', 'restart.backoff.ms': '20', 'restart.max.attempts': '2' }
      await test.create(misbehaving('healing', 'throw', policy))
      await until('it has given up', () => {
        const { state, detail } = last(test, 'healing') ?? {}
        return state === 'FAILED' && detail?.restart?.nextAttemptAtMs === null
      })
      const failures = test.news('healing').filter(({ state }) => state === 'FAILED')
      expect(failures.map(({ detail }) => detail.restart?.attempts)).toEqual([1, 2, 2])
      expect(test.news('healing').filter(({ state }) => state === 'RESTARTING')).toHaveLength(2)
    })
  })
})
