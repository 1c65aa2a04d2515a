import { closeSync, openSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, pssMb } from '../measure.ts'
import type { BenchCase, Figures, Side } from '../report.ts'
import {
  type Config,
  createConnector,
  deleteConnector,
  isRunning,
  put,
  runsWithin,
  status,
  waitFor,
} from '../rest-client.ts'
import {
  kafkaBroker,
  kafkaWorker,
  millraceBroker,
  millraceWorker,
  type BrokerUnderTest,
  type WorkerUnderTest,
} from '../systems.ts'

const STRING = 'org.apache.kafka.connect.storage.StringConverter'

async function emptyFile(): Promise<{ file: string; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-ops-'))
  const file = join(folder, 'empty.txt')
  closeSync(openSync(file, 'w'))
  return { file, folder }
}

const idleSource = (file: string): Config => ({
  'connector.class': 'org.apache.kafka.connect.file.FileStreamSourceConnector',
  'tasks.max': '1',
  file,
  topic: 'idle',
  'key.converter': STRING,
  'value.converter': STRING,
})

interface Stack {
  readonly broker: BrokerUnderTest
  readonly worker: WorkerUnderTest
  readonly file: string
}

async function stacks(group: string): Promise<{ list: Stack[]; folder: string }> {
  const { file, folder } = await emptyFile()
  const ours = await millraceBroker()
  const theirs = await kafkaBroker()
  const list = [
    { broker: ours, worker: await millraceWorker(ours.bootstrapServers, group), file },
    { broker: theirs, worker: await kafkaWorker(theirs.bootstrapServers, group), file },
  ]
  return { list, folder }
}

function onWorkers(group: string, run: (stack: Stack, round: number) => Promise<Figures>): () => Promise<Side[]> {
  return async () => {
    const { list, folder } = await stacks(group)
    return list.map((stack) => ({
      name: stack.broker.name,
      run: (round) => run(stack, round),
      async stop() {
        await stack.worker.stop()
        await stack.broker.stop()
        await rm(folder, { recursive: true, force: true })
      },
    }))
  }
}

/** From nothing to both answering; memory with eight idle connectors. */
const start: BenchCase = {
  name: 'start',
  title: 'start of log and worker together until /health is healthy, then memory with 8 idle connectors',
  targets: [
    { figure: 'ready', unit: 'ms', better: 'less', absolute: 1500 },
    { figure: 'memory', unit: 'MB', better: 'less', absolute: 200 },
  ],
  async sides() {
    const side = (name: string, broker: () => Promise<BrokerUnderTest>, worker: typeof millraceWorker): Side => ({
      name,
      async run(round) {
        const { file, folder } = await emptyFile()
        const started = performance.now()
        const log = await broker()
        const connect = await worker(log.bootstrapServers, `bench-start-${round + 9}`)
        const ready = performance.now() - started
        for (let i = 0; i < 8; i++) {
          await createConnector(connect.url, `idle-${i}`, idleSource(file))
          await runsWithin(connect.url, `idle-${i}`)
        }
        const memory = pssMb(log.pid()) + pssMb(connect.pid())
        await connect.stop()
        await log.stop()
        await rm(folder, { recursive: true, force: true })
        return { ready, memory }
      },
      stop: async () => undefined,
    })
    return [side('millrace', () => millraceBroker(), millraceWorker), side('kafka', kafkaBroker, kafkaWorker)]
  },
}

async function burst({ worker, file }: Stack, round: number): Promise<Figures> {
  const names = Array.from({ length: 50 }, (_, i) => `burst-${round + 9}-${i}`)
  const started = performance.now()
  await Promise.all(names.map((name) => createConnector(worker.url, name, idleSource(file))))
  for (const name of names) await runsWithin(worker.url, name)
  const all = performance.now() - started
  const posts: number[] = []
  for (let i = 0; i < 5; i++) {
    const name = `one-more-${round + 9}-${i}`
    const from = performance.now()
    await createConnector(worker.url, name, idleSource(file))
    await runsWithin(worker.url, name)
    posts.push(performance.now() - from)
    names.push(name)
  }
  const paused = performance.now()
  await put(worker.url, `/connectors/${names[0]}/pause`)
  await waitFor('PAUSED', async () => (await status(worker.url, names[0] as string))?.tasks[0]?.state === 'PAUSED')
  const pause = performance.now() - paused
  for (const name of names) await deleteConnector(worker.url, name)
  return { all, post: median(posts), pause }
}

/** Three workers with twelve tasks; one is killed. */
async function failover(broker: BrokerUnderTest, launch: typeof millraceWorker, round: number): Promise<Figures> {
  const { file, folder } = await emptyFile()
  const workers: WorkerUnderTest[] = []
  for (let i = 0; i < 3; i++) workers.push(await launch(broker.bootstrapServers, `bench-failover-${round + 9}`))
  const [first, , victim] = workers as [WorkerUnderTest, WorkerUnderTest, WorkerUnderTest]
  const names = Array.from({ length: 12 }, (_, i) => `failover-${i}`)
  for (const name of names) await createConnector(first.url, name, idleSource(file))
  for (const name of names) await runsWithin(first.url, name)
  const onVictim = async () =>
    (await Promise.all(names.map((name) => status(first.url, name)))).flatMap((each) => each?.tasks ?? [])
  await waitFor('the victim has work', async () =>
    (await onVictim()).some((task) => task.worker_id === victim.workerId),
  )
  const killed = performance.now()
  await victim.kill()
  let named = 0
  await waitFor(
    'all tasks run elsewhere',
    async () => {
      const found = await Promise.all(names.map((name) => status(first.url, name)))
      const stale = found.some((each) =>
        each?.tasks.some((t) => t.worker_id === victim.workerId && t.state === 'RUNNING'),
      )
      if (stale) named = performance.now() - killed
      return found.every((each) => isRunning(each, 1, victim.workerId))
    },
    400_000,
  )
  const recovered = performance.now() - killed
  for (const name of names) await deleteConnector(first.url, name)
  for (const worker of workers.slice(0, 2)) await worker.stop()
  await rm(folder, { recursive: true, force: true })
  return { recovered, named }
}

const failoverCase: BenchCase = {
  name: 'failover',
  title: 'kill -9 of 1 of 3 workers with 12 tasks',
  targets: [
    { figure: 'recovered', unit: 'ms', better: 'less', absolute: 3000 },
    { figure: 'named', unit: 'ms', better: 'less', absolute: 2000 },
  ],
  async sides() {
    const broker = await millraceBroker()
    return [{ name: 'millrace', run: (round) => failover(broker, millraceWorker, round), stop: () => broker.stop() }]
  },
}

export const operationsCases: readonly BenchCase[] = [
  start,
  {
    name: 'connectors',
    title: '50 POSTs at once until all run; one more POST until RUNNING; pause until PAUSED',
    targets: [
      { figure: 'all', unit: 'ms', better: 'less', absolute: 2000 },
      { figure: 'post', unit: 'ms', better: 'less', absolute: 500 },
      { figure: 'pause', unit: 'ms', better: 'less', absolute: 300 },
    ],
    sides: onWorkers('bench-connectors', burst),
  },
  failoverCase,
]
