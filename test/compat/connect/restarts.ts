// Restarts through REST: what is answered, and what is restarted, which the records of the status topics tell.
import { expect } from 'vitest'
import { settledRest, until } from '../../integration/connect/connect-cluster.ts'
import { type Pair, PROBE_SOURCE, same, sides, type Side, untilBoth } from './pair.ts'

/** Connectors of three tasks: all is well; one task has failed; the connector itself has. */
const CONNECTORS: Readonly<Record<string, Record<string, string>>> = {
  good: {},
  half: { 'fail.tasks': '1' },
  broken: { 'fail.connector': 'true' },
}
/** The states of each, connector first. */
const STATES: Readonly<Record<string, string>> = {
  good: 'RUNNING RUNNING RUNNING RUNNING',
  half: 'RUNNING RUNNING FAILED RUNNING',
  broken: 'FAILED',
}
/** What restarts nothing comes before what restarts little: its records would be seen there. */
const QUERIES = [
  '?onlyFailed=true',
  '',
  '?includeTasks=true&onlyFailed=true',
  '?includeTasks=maybe',
  '?includeTasks=true',
  '?includeTasks=TRUE&onlyFailed=false',
]

/** In the state in which it stays, with the version that statuses lack for a moment. */
const settled = (name: string) => (status: any) => {
  const all = [status.connector, ...status.tasks]
  if (all.some(({ version }: { version: string | null }) => version === null)) return false
  return all.map(({ state }: { state: string }) => state).join(' ') === STATES[name]
}

interface StatusWatch {
  /** Leaves out what has been written until now. */
  skip(): Promise<void>
  /** Waits for the last state of each of these keys, and gives all keys that were written since the last call. */
  take(ends: readonly string[]): Promise<string[]>
  close(): Promise<void>
}

/** Reads the records of a status topic from now on. */
async function watchStatus({ client }: Pair, { name: group }: Side): Promise<StatusWatch> {
  const topic = `${group}-status`
  const partitions = [0, 1, 2].map((partition) => ({ topic, partition }))
  const consumer = client.consumer({})
  consumer.assign(partitions)
  consumer.seekToEnd()
  for (const partition of partitions) await consumer.position(partition)
  const seen: [key: string, entry: string][] = []
  const more = async () => {
    for (const { key, value } of await consumer.poll(50)) {
      if (value === null) continue
      const { state } = JSON.parse(String(value)) as { state: string }
      seen.push([String(key), `${String(key)} ${state}`])
    }
    return seen
  }
  return {
    async skip() {
      const ends = await consumer.endOffsets(partitions)
      const positions = async () => {
        await more()
        return Promise.all(partitions.map((partition) => consumer.position(partition)))
      }
      await until(`${group}: what there is`, positions, (at) => at.every((offset, i) => offset >= (ends[i] ?? 0)))
      seen.length = 0
    },
    async take(ends) {
      await until(`${group}: ${ends.join(', ')}`, more, () =>
        ends.every((end) => seen.some(([, entry]) => entry === end)),
      )
      return [...new Set(seen.splice(0).map(([key]) => key))].toSorted()
    },
    close: () => consumer.close(),
  }
}

/** The last states of what a restart restarts. */
function endsOf(name: string, query: string): string[] {
  const onlyFailed = query.includes('onlyFailed=true')
  const [connector = '', ...tasks] = (STATES[name] ?? '').split(' ')
  const ends = onlyFailed && connector !== 'FAILED' ? [] : [`status-connector-${name} ${connector}`]
  if (!/includeTasks=true/i.test(query)) return ends
  const restarted = tasks.flatMap((state, task) =>
    onlyFailed && state !== 'FAILED' ? [] : [`status-task-${name}-${task} ${state}`],
  )
  return [...ends, ...restarted]
}

async function restartEveryWay(pair: Pair, name: string, watches: readonly StatusWatch[]): Promise<void> {
  const background = 'the answer comes when the restart begins; what comes of it is in the status, with the trace'
  for (const query of QUERIES) {
    await untilBoth(pair, name, 'has settled', settled(name))
    // A state may be written more than once before it has settled.
    await Promise.all(watches.map((watch) => watch.skip()))
    const path = `/connectors/${name}/restart${query}`
    const isPlain = !query.includes('=true') && !query.includes('=TRUE')
    const intended = { theirs: 500, ours: 204, why: background }
    await same(pair, [{ method: 'POST', path, ...(name === 'broken' && isPlain ? { intended } : {}) }])
    const ends = endsOf(name, query)
    const touched = await Promise.all(watches.map((watch) => watch.take(ends)))
    const expected = ends.map((end) => end.slice(0, end.indexOf(' '))).toSorted()
    expect({ path, touched }).toEqual({ path, touched: [expected, expected] })
  }
}

export async function restarts(pair: Pair): Promise<void> {
  for (const [name, more] of Object.entries(CONNECTORS)) {
    const config = { 'connector.class': PROBE_SOURCE, 'tasks.max': '3', ...more }
    for (const { url, name: side } of sides(pair)) {
      // A restart that nobody asked for would blur what is seen.
      const patient = side === 'ours' ? { 'restart.policy': 'never' } : {}
      expect((await settledRest(url, 'PUT', `/connectors/${name}/config`, { ...config, ...patient })).status).toBe(201)
    }
  }
  for (const name of Object.keys(CONNECTORS)) {
    await untilBoth(pair, name, 'has settled', settled(name))
    const watches = await Promise.all(sides(pair).map((side) => watchStatus(pair, side)))
    try {
      await restartEveryWay(pair, name, watches)
    } finally {
      await Promise.all(watches.map((watch) => watch.close()))
    }
  }
  await same(
    pair,
    Object.keys(CONNECTORS).map((name) => ({ method: 'DELETE', path: `/connectors/${name}` })),
  )
}
