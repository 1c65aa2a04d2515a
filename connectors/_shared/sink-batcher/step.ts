import { ConnectError, isConnectError } from '@millrace/sdk'
import { backoffMs, type Failure } from '../retry/index.ts'
import type { WriteOutcome } from './batch.ts'
import { type BatcherAction, type BatcherEvent, type BatcherState, isFull, type Item } from './batcher-state.ts'
import type { Lane, Request } from './batcher-state.ts'
import { shardOf } from './shard.ts'

type AddEvent<T> = Extract<BatcherEvent<T>, { type: 'add' }>

/**
 * The batcher: one event, the next state and what is to be done. Deterministic, but for speed the state is changed in place.
 */
export function step<T>(state: BatcherState<T>, event: BatcherEvent<T>): [BatcherState<T>, BatcherAction<T>[]] {
  const actions: BatcherAction<T>[] = []
  switch (event.type) {
    case 'add':
      onAdd(state, event, actions)
      break
    case 'refuse':
      onRefuse(state, event, actions)
      break
    case 'written':
      onWritten(state, event.request, event.outcome, event.nowMs, actions)
      break
    case 'failed':
      onFailed(state, event.request, event.failure, event.nowMs, actions)
      break
    case 'reported':
      settle(state, event.entry, event.bytes)
      if (event.request !== undefined) onReported(state, event.request, event.nowMs, actions)
      break
    case 'report-failed':
      fail(state, event.error, actions)
      break
    case 'flush':
      state.isFlushing = event.isFlushing
      dispatch(state, event.nowMs, actions)
      break
    case 'drop':
      onDrop(state, event, actions)
      break
    case 'tick':
      for (const request of state.requests.values()) proceed(state, request, event.nowMs, actions)
      dispatch(state, event.nowMs, actions)
  }
  return [state, actions]
}

function onAdd<T>(state: BatcherState<T>, event: AddEvent<T>, actions: BatcherAction<T>[]): void {
  if (state.failure) return
  const { record, target, key, bytes, data, nowMs } = event
  const lane = laneOf(state, target, key)
  if (lane.queue.length === lane.head) lane.sinceMs = nowMs
  lane.queue.push({ record, key, bytes, data, entry: state.offsets.add(record) })
  lane.bytes += bytes
  state.pendingRecords++
  state.pendingBytes += bytes
  if (isRipe(state, lane) || isFull(state)) dispatch(state, nowMs, actions)
}

/** Keys are spread over lanes, so that each key is in one; what has no key shares a lane that sends several at a time. */
function laneOf<T>(state: BatcherState<T>, target: string, key: string | undefined): Lane<T> {
  const { maxInFlight } = state.limits
  // With one request at a time everything keeps its order, and keeping it costs nothing.
  const isOrdered = key !== undefined || maxInFlight === 1
  const shard = isOrdered ? shardOf(key ?? '', maxInFlight) : -1
  const name = `${shard} ${target}`
  let lane = state.lanes.get(name)
  if (!lane) {
    const most = isOrdered ? 1 : maxInFlight
    lane = { name, target, maxInFlight: most, queue: [], head: 0, bytes: 0, sinceMs: 0, inFlight: 0 }
    state.lanes.set(name, lane)
  }
  return lane
}

function isRipe(state: BatcherState<unknown>, lane: Lane<unknown>): boolean {
  return lane.queue.length - lane.head >= state.limits.batchRecords || lane.bytes >= state.limits.batchBytes
}

/** Sends what is due, as far as requests may be opened. */
function dispatch<T>(state: BatcherState<T>, nowMs: number, actions: BatcherAction<T>[]): void {
  if (state.failure) return
  const { maxInFlight, lingerMs } = state.limits
  const hurries = state.isFlushing || isFull(state)
  // A lane that gets its turn goes to the end of the map, so this loop comes back to it after the others.
  for (const lane of state.lanes.values()) {
    if (state.requests.size >= maxInFlight) return
    if (lane.queue.length === lane.head || lane.inFlight >= lane.maxInFlight) continue
    if (!hurries && !isRipe(state, lane) && nowMs < lane.sinceMs + lingerMs) continue
    open(state, lane, nowMs, actions)
  }
}

function open<T>(state: BatcherState<T>, lane: Lane<T>, nowMs: number, actions: BatcherAction<T>[]): void {
  const items = cut(state, lane, nowMs)
  const id = state.nextRequestId++
  const request: Request<T> = {
    id,
    lane,
    parts: [items],
    isSent: false,
    retries: 0,
    retryAtMs: undefined,
    reports: 0,
  }
  lane.inFlight++
  state.requests.set(id, request)
  state.lanes.delete(lane.name)
  state.lanes.set(lane.name, lane)
  proceed(state, request, nowMs, actions)
}

function cut<T>(state: BatcherState<T>, lane: Lane<T>, nowMs: number): Item<T>[] {
  const { batchRecords, batchBytes } = state.limits
  let end = lane.head
  let bytes = 0
  while (end < lane.queue.length && end - lane.head < batchRecords) {
    const next = lane.queue[end]!.bytes
    if (end > lane.head && bytes + next > batchBytes) break
    bytes += next
    end++
  }
  const items = lane.queue.slice(lane.head, end)
  if (end === lane.queue.length) {
    lane.queue = []
    lane.head = 0
  } else if (end > batchRecords * 4) {
    lane.queue = lane.queue.slice(end)
    lane.head = 0
  } else lane.head = end
  lane.bytes -= bytes
  lane.sinceMs = nowMs
  return items
}

/** Sends the next part of a request, or ends the request when there is none. */
function proceed<T>(state: BatcherState<T>, request: Request<T>, nowMs: number, actions: BatcherAction<T>[]): void {
  if (request.isSent) return
  if (!state.failure) {
    if (request.parts.length > 0 && request.retryAtMs !== undefined && nowMs < request.retryAtMs) return
    const part = request.parts.at(-1)
    if (part) {
      request.retryAtMs = undefined
      request.isSent = true
      actions.push({ type: 'write', request: request.id, target: request.lane.target, items: part })
      return
    }
  }
  if (request.reports > 0) return
  const { lane } = request
  state.requests.delete(request.id)
  lane.inFlight--
  if (lane.inFlight === 0 && lane.queue.length === lane.head) state.lanes.delete(lane.name)
}

function settle(state: BatcherState<unknown>, entry: Item<unknown>['entry'], bytes: number): void {
  state.offsets.done(entry)
  state.pendingRecords--
  state.pendingBytes -= bytes
}

function onWritten<T>(
  state: BatcherState<T>,
  id: number,
  outcome: WriteOutcome | undefined,
  nowMs: number,
  actions: BatcherAction<T>[],
): void {
  const request = state.requests.get(id)!
  const part = request.parts.pop()!
  request.isSent = false
  if (!outcome || (outcome.failures.length === 0 && outcome.attempted === undefined)) {
    for (const item of part) settle(state, item.entry, item.bytes)
    request.retries = 0
  } else sortOut(state, request, part, outcome, nowMs, actions)
  proceed(state, request, nowMs, actions)
  dispatch(state, nowMs, actions)
}

/** Some items are written, others are not: these are reported or sent again. */
function sortOut<T>(
  state: BatcherState<T>,
  request: Request<T>,
  part: Item<T>[],
  { failures, attempted = part.length }: WriteOutcome,
  nowMs: number,
  actions: BatcherAction<T>[],
): void {
  const failed = new Map(failures.map(({ index, failure }) => [index, failure]))
  const again: Item<T>[] = []
  const keysAgain = new Set<string>()
  let retry: Failure | undefined
  for (const [index, item] of part.entries()) {
    const failure = failed.get(index)
    if (failure?.kind === 'fatal') fail(state, placed(failure.error, 'a write failed'), actions)
    if (failure?.kind === 'data') {
      report(state, request, item, failure.error, actions)
      continue
    }
    if (failure && (failure.retryAfterMs ?? 0) >= (retry?.retryAfterMs ?? 0)) retry = failure
    // What follows on the same key is written again too, or the older write would come last (Invariant 6).
    const isBehind = item.key !== undefined && keysAgain.has(item.key)
    if (failure || index >= attempted || isBehind) {
      if (item.entry.isDropped) settle(state, item.entry, item.bytes)
      else {
        again.push(item)
        if (item.key !== undefined) keysAgain.add(item.key)
      }
    } else settle(state, item.entry, item.bytes)
  }
  if (again.length < part.length) request.retries = 0
  if (again.length === 0) return
  request.parts.push(again)
  if (again.length === part.length || retry) {
    const error = retry ?? { kind: 'retriable', error: new ConnectError('the write attempted none of its records') }
    retryLater(state, request, error, nowMs, actions)
  }
}

function onFailed<T>(
  state: BatcherState<T>,
  id: number,
  failure: Failure,
  nowMs: number,
  actions: BatcherAction<T>[],
): void {
  const request = state.requests.get(id)!
  request.isSent = false
  const part = request.parts.pop()!.filter((item) => {
    if (item.entry.isDropped) settle(state, item.entry, item.bytes)
    return !item.entry.isDropped
  })
  if (part.length > 0) {
    if (failure.kind === 'data' && part.length === 1) report(state, request, part[0]!, failure.error, actions)
    else if (failure.kind === 'data') {
      // The bad records are found by halving; the halves are written one after the other, so order stays.
      const middle = part.length >> 1
      request.parts.push(part.slice(middle), part.slice(0, middle))
      request.retries = 0
    } else {
      request.parts.push(part)
      if (failure.kind === 'retriable') retryLater(state, request, failure, nowMs, actions)
      else fail(state, placed(failure.error, 'a write failed'), actions)
    }
  }
  proceed(state, request, nowMs, actions)
  dispatch(state, nowMs, actions)
}

function retryLater<T>(
  state: BatcherState<T>,
  request: Request<T>,
  failure: Failure,
  nowMs: number,
  actions: BatcherAction<T>[],
): void {
  const { retry } = state.limits
  request.retries++
  if (request.retries > retry.maxRetries) {
    fail(state, placed(failure.error, `a write failed and so did ${retry.maxRetries} retries`), actions)
    return
  }
  request.retryAtMs = nowMs + backoffMs(retry, request.retries, state.random, failure.retryAfterMs)
}

function report<T>(
  state: BatcherState<T>,
  request: Request<T>,
  item: Item<T>,
  error: Error,
  actions: BatcherAction<T>[],
): void {
  const { record, entry, bytes } = item
  if (entry.isDropped || state.failure) {
    if (entry.isDropped) settle(state, entry, bytes)
    return
  }
  request.reports++
  actions.push({ type: 'report', record, error, entry, bytes, request: request.id })
}

function onReported<T>(state: BatcherState<T>, id: number, nowMs: number, actions: BatcherAction<T>[]): void {
  const request = state.requests.get(id)
  if (!request) return
  request.reports--
  proceed(state, request, nowMs, actions)
  dispatch(state, nowMs, actions)
}

function onRefuse<T>(
  state: BatcherState<T>,
  { record, error }: { record: Item<T>['record']; error: Error },
  actions: BatcherAction<T>[],
): void {
  if (state.failure) return
  state.pendingRecords++
  actions.push({ type: 'report', record, error, entry: state.offsets.add(record), bytes: 0, request: undefined })
}

/** Nothing more is sent of partitions that go; what is on its way already cannot be called back here. */
function onDrop<T>(
  state: BatcherState<T>,
  { partitions, nowMs }: Extract<BatcherEvent<T>, { type: 'drop' }>,
  actions: BatcherAction<T>[],
): void {
  state.offsets.drop(partitions)
  const keep = (item: Item<T>): boolean => {
    if (item.entry.isDropped) settle(state, item.entry, item.bytes)
    return !item.entry.isDropped
  }
  for (const lane of state.lanes.values()) {
    lane.queue = lane.queue.slice(lane.head).filter(keep)
    lane.head = 0
    lane.bytes = lane.queue.reduce((sum, item) => sum + item.bytes, 0)
    if (lane.inFlight === 0 && lane.queue.length === 0) state.lanes.delete(lane.name)
  }
  for (const request of state.requests.values()) {
    const sent = request.isSent ? request.parts.pop() : undefined
    const rest = request.parts.splice(0).map((part) => part.filter(keep))
    request.parts.push(...rest.filter((part) => part.length > 0))
    if (sent) request.parts.push(sent)
    proceed(state, request, nowMs, actions)
  }
  dispatch(state, nowMs, actions)
}

/** The task has to end: what waits is let go, what is on its way may still arrive. */
function fail<T>(state: BatcherState<T>, error: Error, actions: BatcherAction<T>[]): void {
  if (state.failure) return
  state.failure = error
  state.lanes.clear()
  actions.push({ type: 'fail', error })
}

function placed(error: Error, what: string): Error {
  // A write whose bad record nobody takes: it stays the record's fault, and the cause says which record it is.
  if (isConnectError(error.cause) && error.cause.code === 'DATA') return error.cause
  return new ConnectError(`${what}: ${error.message}`, { cause: error })
}
