import { expect, it } from 'vitest'
import { silentLogger } from '../../../../src/base/index.ts'
import { realClock } from '../../../../src/base/real/index.ts'
import type { HostProcess } from '../../../../src/connect/host/host-process.ts'
import { HostPool, type Lane, type PooledHost, type Purpose } from '../../../../src/connect/worker/host-pool.ts'

const LANE: Lane = { name: 'builtin', maxHosts: 2 }

/** A pool whose hosts are processes in name only; `calls` takes what they are asked. */
function poolOfNothing(calls: string[] = []): HostPool {
  let pid = 0
  const spawn = (): HostProcess => ({
    pid: ++pid,
    rpc: {
      call: (method: string, params: { packages?: readonly { name: string }[] }) => {
        calls.push(`${method} ${(params.packages ?? []).map(({ name }) => name).join()}`)
        return Promise.resolve()
      },
    } as unknown as HostProcess['rpc'],
    exited: new Promise(() => {}),
    residentBytes: () => null,
    probe: () => Promise.resolve({ unit: null, stack: null }),
    kill: () => {},
    dismiss: () => {},
  })
  return new HostPool({
    clock: realClock,
    logger: silentLogger,
    spawn,
    setup: {} as never,
    stallTimeoutMs: 10_000,
    memoryLimitMb: 1024,
    handlersFor: () => ({}) as never,
    onGone: () => {},
  })
}

function place(pool: HostPool, key: string, purpose: Purpose): PooledHost {
  const host = pool.acquire(LANE, purpose)
  host.units.set(key, purpose)
  return host
}

it('two tasks run in two hosts, whatever connectors run beside them', () => {
  const pool = poolOfNothing()
  place(pool, 'connector:sink', 'connector')
  const sink = place(pool, 'task:sink-0', 'task')
  place(pool, 'connector:source', 'connector')
  const source = place(pool, 'task:source-0', 'task')
  expect(source).not.toBe(sink)
})

it('tasks are spread evenly over as many hosts as a lane may have', () => {
  const pool = poolOfNothing()
  for (let i = 0; i < 3; i++) place(pool, `connector:${i}`, 'connector')
  const hosts = new Map<PooledHost, number>()
  for (let i = 0; i < 6; i++) {
    const host = place(pool, `task:c-${i}`, 'task')
    hosts.set(host, (hosts.get(host) ?? 0) + 1)
  }
  expect([...hosts.values()]).toEqual([3, 3])
})

it('a question gets a host of its own while the lane may have more', () => {
  const pool = poolOfNothing()
  const task = place(pool, 'task:c-0', 'task')
  expect(pool.acquire(LANE, 'question')).not.toBe(task)
})

it('hosts that live and hosts to come know of packages before anything more starts in them', async () => {
  const calls: string[] = []
  const pool = poolOfNothing(calls)
  const early = place(pool, 'task:c-0', 'task')
  pool.setPackages([{ name: 'added' } as never])
  await early.ready
  const late = place(pool, 'task:c-1', 'task')
  await late.ready
  expect(late).not.toBe(early)
  expect(calls).toEqual(['setup ', 'plugins added', 'setup added'])
})
