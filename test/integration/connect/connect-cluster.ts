// A Connect cluster of Millrace's own worker processes for tests, and REST as a user calls it.
import { setTimeout as sleep } from 'node:timers/promises'
import { DEADLINE_MS } from '../../services/deadline.ts'
import { type MillraceWorker, startMillraceWorker } from '../../services/millrace.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: any
}

/** Calls REST with a JSON body. */
export async function rest(url: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    signal: AbortSignal.timeout(DEADLINE_MS),
    ...(body === undefined
      ? {}
      : {
          headers: { 'content-type': 'application/json' },
          body: typeof body === 'string' ? body : JSON.stringify(body),
        }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
}

/** Looks until the condition holds; fails with what was seen last. */
export async function until<T>(what: string, look: () => Promise<T>, isRight: (seen: T) => boolean): Promise<T> {
  const deadline = Date.now() + DEADLINE_MS
  for (;;) {
    const seen = await look()
    if (isRight(seen)) return seen
    if (Date.now() > deadline) throw new Error(`not in time: ${what}; seen last: ${JSON.stringify(seen)}`)
    await sleep(20)
  }
}

/** The same, again while the group rebalances: workers of Kafka refuse for that moment what would else be right. */
export function settledRest(url: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const isSettled = ({ status, body: said }: Answer) =>
    status !== 409 || !/rebalance|momentarily/.test(JSON.stringify(said))
  return until(`${method} ${path} is not refused for a rebalance`, () => rest(url, method, path, body), isSettled)
}

/** Where each task of each connector runs, as `name-task state worker`. */
export interface Placement {
  readonly states: readonly string[]
  /** Task to worker id. */
  readonly workers: ReadonlyMap<string, string>
}

export async function placement(url: string): Promise<Placement> {
  const { body } = await rest(url, 'GET', '/connectors?expand=status')
  const states: string[] = []
  const workers = new Map<string, string>()
  for (const [name, { status }] of Object.entries<any>(body)) {
    if (!status) {
      states.push(`${name} -`)
      continue
    }
    states.push(`${name} ${status.connector.state}`)
    for (const task of status.tasks) {
      states.push(`${name}-${task.id} ${task.state}`)
      workers.set(`${name}-${task.id}`, task.worker_id)
    }
  }
  return { states, workers }
}

/** Waits until all of so many tasks run, and gives their places. */
export async function untilRunning(url: string, tasks: number): Promise<ReadonlyMap<string, string>> {
  const allRun = ({ states, workers }: Placement) =>
    workers.size === tasks && states.every((state) => state.endsWith(' RUNNING'))
  return (await until(`${tasks} tasks run`, () => placement(url), allRun)).workers
}

/** How many tasks each worker has, fewest first. */
export function spread(workers: ReadonlyMap<string, string>): number[] {
  return [...Map.groupBy(workers.values(), (id) => id).values()].map((tasks) => tasks.length).sort((a, b) => a - b)
}

export async function startWorkers(
  count: number,
  bootstrapServers: string,
  group: string,
  properties: Readonly<Record<string, string>> = {},
): Promise<MillraceWorker[]> {
  return Promise.all(Array.from({ length: count }, () => startMillraceWorker(bootstrapServers, group, properties)))
}

/** A source that goes on for ever. */
export function datagen(topic: string, tasks: number): Record<string, string> {
  return {
    'connector.class': 'DatagenSource',
    'kafka.topic': topic,
    quickstart: 'users',
    'max.interval': '100',
    'tasks.max': String(tasks),
    // Brokers need not create topics by themselves.
    'topic.creation.default.partitions': '1',
    'topic.creation.default.replication.factor': '1',
  }
}

export async function isHealthy(url: string): Promise<boolean> {
  const answer = await rest(url, 'GET', '/health').catch(() => null)
  return answer?.status === 200
}
