import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type MillraceBroker, type MillraceWorker, startMillraceBroker } from '../../services/millrace.ts'
import { datagen, placement, rest, spread, startWorkers, until, untilRunning } from './connect-cluster.ts'

const SESSION = { 'session.timeout.ms': '5000' }
let broker: MillraceBroker
let workers: MillraceWorker[] = []

beforeAll(async () => {
  broker = await startMillraceBroker({ 'group.min.session.timeout.ms': '1000' })
  workers = await startWorkers(2, broker.bootstrapServers, 'cut-off', SESSION)
  const config = datagen('t', 4)
  const made = await rest(workers[0]!.url, 'POST', '/connectors', { name: 'c', config })
  expect(made.status).toBe(201)
  await untilRunning(workers[0]!.url, 4)
})
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()))
  await broker.stop()
})

/** States of the child processes, as /proc names them. */
function childStates(parent: number): string[] {
  const listed = spawnSync('ps', ['-o', 'stat=', '--ppid', String(parent)], { encoding: 'utf8' }).stdout
  return listed.split('\n').flatMap((state) => state.trim().slice(0, 1) || [])
}

const balanced = (url: string) =>
  until(
    'both workers have two tasks each',
    () => placement(url),
    (seen) => seen.states.every((state) => state.endsWith(' RUNNING')) && spread(seen.workers).join() === '2,2',
  )

test('a worker that is frozen longer than its session loses its tasks and gets a share when it is back', async () => {
  await balanced(workers[0]!.url)
  const frozen = workers[1]!
  process.kill(frozen.pid(), 'SIGSTOP')
  try {
    await until(
      'the other worker has all tasks',
      () => placement(workers[0]!.url),
      (seen) =>
        seen.workers.size === 4 &&
        seen.states.every((state) => state.endsWith(' RUNNING')) &&
        [...seen.workers.values()].every((worker) => worker === workers[0]!.workerId),
    )
    // Nobody reaps the hosts of a frozen process, so those that have ended are zombies.
    await until(
      'the hosts of the frozen worker have ended by themselves',
      async () => childStates(frozen.pid()),
      (states) => states.every((state) => state === 'Z'),
    )
  } finally {
    process.kill(frozen.pid(), 'SIGCONT')
  }
  await balanced(frozen.url)
})

test('workers without their log stop what they run, say so in /health and go on when it is back', async () => {
  await balanced(workers[0]!.url)
  await broker.kill()
  for (const worker of workers) {
    const health = () => rest(worker.url, 'GET', '/health')
    await until('the worker says that it is out of the group', health, ({ status }) => status === 500)
    const metrics = () => rest(worker.url, 'GET', '/metrics')
    const taskCount = /^kafka_connect_connect_worker_metrics_task_count 0$/m
    await until('nothing runs', metrics, ({ body }) => taskCount.test(body))
  }
  await broker.restart()
  for (const worker of workers) {
    await until(
      'the worker is back in the group',
      () => rest(worker.url, 'GET', '/health'),
      ({ status }) => status === 200,
    )
  }
  await balanced(workers[0]!.url)
})
