import type { ConnectError } from '@millrace/sdk'
import type { Config } from './config.ts'
import { completePosition, type StoredOffset, type StreamPosition } from './positions.ts'
import { slotGapError, type SlotState } from './slot.ts'

/** What a task does first. */
export type StartPlan =
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'stream'; readonly from: StreamPosition }
  /** From where the slot stands, or from a new slot. */
  | { readonly kind: 'stream-from-slot' }
  | { readonly kind: 'finished' }
  | { readonly kind: 'error'; readonly error: ConnectError }

/** Decides by snapshot mode, stored offset and slot; `isFirst` is false when a running task connects again. */
export function planStart(
  config: Pick<Config, 'snapshot.mode' | 'slot.name' | 'offset.mismatch.strategy'>,
  stored: StoredOffset,
  slot: SlotState | undefined,
  isFirst: boolean,
): StartPlan {
  const mode = config['snapshot.mode']
  if (stored.kind !== 'stream') return mode === 'no_data' ? { kind: 'stream-from-slot' } : { kind: 'snapshot' }
  if (mode === 'initial_only') return { kind: 'finished' }
  if (mode === 'always' && isFirst) return { kind: 'snapshot' }
  const { position } = stored
  const isLost = slot === undefined || slot.walStatus === 'lost'
  const isAhead = (slot?.confirmedLsn ?? 0) > position.endLsn
  if (!isLost && !isAhead) return { kind: 'stream', from: position }
  if (mode === 'when_needed') return { kind: 'snapshot' }
  const trustsSlot = /^trust_(slot|greater_lsn)$/.test(config['offset.mismatch.strategy'])
  if (!isLost && trustsSlot) return { kind: 'stream', from: completePosition(slot.confirmedLsn ?? position.endLsn) }
  // A gap is never passed over in silence: what lies in it would be missing for ever.
  return { kind: 'error', error: slotGapError(config['slot.name'], position.endLsn, slot) }
}
