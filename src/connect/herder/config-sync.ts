/** `behind`: a member that lacks configuration; `away`: out of the group of its own; `returning`: reads before it joins. */
export type SyncPhase = 'in-sync' | 'behind' | 'away' | 'returning' | 'closed'

export interface SyncState {
  readonly phase: SyncPhase
  /** The offset that the group works with, as far as this worker was told. */
  readonly required: number
  readonly settings: SyncSettings
}

export interface SyncSettings {
  /** `worker.sync.timeout.ms`: how long a worker may lag behind the configuration that its group works with. */
  readonly syncTimeoutMs: number
  /** `worker.unsync.backoff.ms`: how long it stays away when it could not catch up. */
  readonly unsyncBackoffMs: number
}

export type SyncEvent =
  /** An assignment, or a round that this worker leads, needs the configuration up to `required`; it has `read`. */
  | { readonly type: 'required'; readonly required: number; readonly read: number }
  | { readonly type: 'timer'; readonly read: number }
  /** All work has stopped and the group was told. */
  | { readonly type: 'left' }
  /** The group let go of this worker, which joins again anyway. */
  | { readonly type: 'lost' }
  | { readonly type: 'readToEnd'; readonly ok: boolean }
  | { readonly type: 'close' }

export type SyncAction =
  | { readonly type: 'setTimer'; readonly delayMs: number }
  | { readonly type: 'cancelTimer' }
  | { readonly type: 'leave' }
  | { readonly type: 'readToEnd' }
  | { readonly type: 'join' }

type Step = [SyncState, readonly SyncAction[]]

export function initialSyncState(settings: SyncSettings): SyncState {
  return { phase: 'in-sync', required: -1, settings }
}

/**
 * What a worker does that lacks configuration which its group works with: it has `worker.sync.timeout.ms` to read it;
 * then it stops its work, leaves, and comes back `worker.unsync.backoff.ms` later, once it can read the log to its end.
 * Pure; the membership performs the actions.
 */
export function stepSync(state: SyncState, event: SyncEvent): Step {
  if (state.phase === 'closed') return [state, []]
  switch (event.type) {
    case 'required':
      return onRequired(state, event.required, event.read)
    case 'timer':
      return onTimer(state, event.read)
    case 'left':
      return [state, [{ type: 'setTimer', delayMs: state.settings.unsyncBackoffMs }]]
    case 'lost':
      return state.phase === 'behind' ? inSync(state) : [state, []]
    case 'readToEnd':
      return onReadToEnd(state, event.ok)
    case 'close':
      return [{ ...state, phase: 'closed' }, [{ type: 'cancelTimer' }]]
  }
}

function inSync(state: SyncState): Step {
  return [{ ...state, phase: 'in-sync' }, state.phase === 'behind' ? [{ type: 'cancelTimer' }] : []]
}

function onRequired(state: SyncState, required: number, read: number): Step {
  if (state.phase !== 'in-sync' && state.phase !== 'behind') return [state, []]
  const next = { ...state, required: Math.max(state.required, required) }
  if (read >= next.required) return inSync(next)
  // More rebalances while it lags give no more time.
  if (state.phase === 'behind') return [next, []]
  return [{ ...next, phase: 'behind' }, [{ type: 'setTimer', delayMs: state.settings.syncTimeoutMs }]]
}

function onTimer(state: SyncState, read: number): Step {
  switch (state.phase) {
    case 'behind':
      return read >= state.required ? inSync(state) : [{ ...state, phase: 'away' }, [{ type: 'leave' }]]
    // To join and leave again at once would make the whole group rebalance for nothing: first it must read.
    case 'away':
      return [{ ...state, phase: 'returning' }, [{ type: 'readToEnd' }]]
    default:
      return [state, []]
  }
}

function onReadToEnd(state: SyncState, ok: boolean): Step {
  if (state.phase !== 'returning') return [state, []]
  if (!ok) return [{ ...state, phase: 'away' }, [{ type: 'setTimer', delayMs: state.settings.syncTimeoutMs }]]
  // A log that was made anew may be shorter than what was required of the old one.
  return [{ ...state, phase: 'in-sync', required: -1 }, [{ type: 'join' }]]
}
