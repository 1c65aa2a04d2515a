import { expect, test } from 'vitest'
import {
  initialSyncState,
  stepSync,
  type SyncAction,
  type SyncEvent,
  type SyncState,
} from '../../../../src/connect/herder/config-sync.ts'

const settings = { syncTimeoutMs: 3000, unsyncBackoffMs: 300_000 }

/** Runs events one after the other: where they lead and all that is to be done on the way. */
function play(...events: SyncEvent[]): { state: SyncState; actions: readonly SyncAction[] } {
  let state = initialSyncState(settings)
  const actions: SyncAction[] = []
  for (const event of events) {
    const [next, more] = stepSync(state, event)
    state = next
    actions.push(...more)
  }
  return { state, actions }
}

const lacking: SyncEvent = { type: 'required', required: 10, read: 7 }
const stillLacking: SyncEvent = { type: 'timer', read: 9 }

test('a worker that has read what its group works with does nothing', () => {
  expect(play({ type: 'required', required: 10, read: 10 })).toMatchObject({ state: { phase: 'in-sync' }, actions: [] })
})

test('a worker that reads what it lacks within worker.sync.timeout.ms stays', () => {
  const { state, actions } = play(lacking, { type: 'timer', read: 10 })
  expect(state.phase).toBe('in-sync')
  expect(actions).toEqual([{ type: 'setTimer', delayMs: 3000 }, { type: 'cancelTimer' }])
})

test('a worker that does not leaves, and after worker.unsync.backoff.ms reads the log before it joins', () => {
  const { state, actions } = play(lacking, stillLacking, { type: 'left' }, { type: 'timer', read: 9 })
  expect(state.phase).toBe('returning')
  expect(actions.slice(1)).toEqual([{ type: 'leave' }, { type: 'setTimer', delayMs: 300_000 }, { type: 'readToEnd' }])
  expect(stepSync(state, { type: 'readToEnd', ok: true })[1]).toEqual([{ type: 'join' }])
})

test('a worker that still cannot read the log stays away and tries again', () => {
  const away = play(lacking, stillLacking, { type: 'left' }, { type: 'timer', read: 9 }).state
  const [state, actions] = stepSync(away, { type: 'readToEnd', ok: false })
  expect(state.phase).toBe('away')
  expect(actions).toEqual([{ type: 'setTimer', delayMs: 3000 }])
  expect(stepSync(state, { type: 'timer', read: 9 })[1]).toEqual([{ type: 'readToEnd' }])
})

test('further rebalances give a worker that lags no more time', () => {
  const { state, actions } = play(lacking, { type: 'required', required: 12, read: 8 })
  expect(state).toMatchObject({ phase: 'behind', required: 12 })
  expect(actions).toEqual([{ type: 'setTimer', delayMs: 3000 }])
})

test('a worker that the group has let go of lacks nothing until it is in it again', () => {
  const { state, actions } = play(lacking, { type: 'lost' })
  expect(state.phase).toBe('in-sync')
  expect(actions.at(-1)).toEqual({ type: 'cancelTimer' })
})

test('what was required before it left does not count any more when it is back', () => {
  const back = play(
    lacking,
    stillLacking,
    { type: 'left' },
    { type: 'timer', read: 3 },
    { type: 'readToEnd', ok: true },
  )
  expect(stepSync(back.state, { type: 'required', required: 3, read: 3 })[0].phase).toBe('in-sync')
})

test('an assignment that crosses the decision to leave changes nothing', () => {
  const away = play(lacking, stillLacking).state
  expect(stepSync(away, { type: 'required', required: 20, read: 20 })).toEqual([away, []])
})

test('a worker that is stopped while it is away does not come back', () => {
  const { state, actions } = play(
    lacking,
    stillLacking,
    { type: 'close' },
    { type: 'left' },
    { type: 'timer', read: 0 },
  )
  expect(state.phase).toBe('closed')
  expect(actions.at(-1)).toEqual({ type: 'cancelTimer' })
})
