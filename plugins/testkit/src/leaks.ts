import { createHook } from 'node:async_hooks'
import { expectThat } from './check.ts'
import { pause } from './deadline.ts'
import type { Limits } from './limits.ts'
import { collectGarbage, memoryUse } from './memory.ts'

/** What was left behind per start counts as a leak from this share of the starts on: less is a pool, or a cache. */
const SHARE = 0.25
/** Memory that grows by this much with each start is a leak. */
const GROWTH_MAX = 64 * 1024
/** Memory is only looked at with enough starts to tell a trend from code that is compiled and caches that fill. */
const TREND_STARTS = 30
const SETTLE_MS = 10_000

/** Runs `startAndStop` many times; fails where handles, timers, listeners, tasks or memory are left behind. */
export async function leakCheck(limits: Limits, startAndStop: (round: number) => Promise<object>): Promise<void> {
  const { starts, deadlineMs } = limits
  const tasks: WeakRef<object>[] = []
  const memory: number[] = []
  using timers = new LiveTimers()
  // What the first starts load and open for all others is no leak.
  for (let round = 0; round < 2; round++) await startAndStop(round)
  const before = inUse(timers)
  for (let round = 0; round < starts; round++) {
    tasks.push(new WeakRef(await startAndStop(round)))
    if (round > 0 && (round + 1) % Math.ceil(starts / 5) === 0) memory.push(await memoryUse())
  }
  await nothingLeft(before, timers, tasks, { allowed: Math.max(2, starts * SHARE), starts, deadlineMs })
  if (starts >= TREND_STARTS) expectNoTrend(memory, starts)
}

async function nothingLeft(
  before: ReadonlyMap<string, number>,
  timers: LiveTimers,
  tasks: readonly WeakRef<object>[],
  { allowed, starts, deadlineMs }: { readonly allowed: number; readonly starts: number; readonly deadlineMs: number },
): Promise<void> {
  const end = performance.now() + Math.min(SETTLE_MS, deadlineMs)
  for (;;) {
    await collectGarbage()
    const now = inUse(timers)
    now.set('tasks in memory', tasks.filter((task) => task.deref() !== undefined).length)
    const left = [...now].map(([kind, count]) => [kind, count - (before.get(kind) ?? 0)] as const)
    const leak = left.find(([, count]) => count > allowed)
    if (!leak) return
    // What was closed may need a moment to go.
    expectThat(
      performance.now() < end,
      `${leak[1]} more ${leak[0]} after ${starts} starts and stops: stop has to end what the task began`,
    )
    await pause(20)
  }
}

/** Memory that grows in every part of the run, and by much, is a leak; that which grows at first is a cache. */
function expectNoTrend(memory: readonly number[], starts: number): void {
  const steps = memory.slice(1).map((bytes, index) => bytes - (memory[index] ?? 0))
  const perStart = Math.min(...steps) / (starts / 5)
  expectThat(perStart < GROWTH_MAX, () => `memory grows by ${Math.round(perStart / 1024)} KB with each start and stop`)
}

/** Handles, timers and listeners of the process, by kind. */
function inUse(timers: LiveTimers): Map<string, number> {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) {
    // Timers are counted elsewhere, with those that do not keep a process alive.
    if (kind !== 'Timeout' && kind !== 'Immediate') counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  counts.set('timers', timers.count)
  const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name as 'exit'), 0)
  counts.set('listeners of the process', listeners)
  return counts
}

/** Counts timers that were made since then and are still there. */
class LiveTimers implements Disposable {
  readonly #live = new Set<number>()
  readonly #hook = createHook({
    init: (id, type) => {
      if (type === 'Timeout') this.#live.add(id)
    },
    destroy: (id) => void this.#live.delete(id),
  })

  constructor() {
    this.#hook.enable()
  }

  get count(): number {
    return this.#live.size
  }

  [Symbol.dispose](): void {
    this.#hook.disable()
  }
}
