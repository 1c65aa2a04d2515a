import { flushCompileCache } from 'node:module'
import type { Logger } from '../../base/index.ts'
import { realClock, realRandom } from '../../base/real/index.ts'
import { currentUnit } from './blame.ts'
import type { HostMethods, WorkerMethods } from './host-protocol.ts'
import { formatTrace } from './trace.ts'
import { Redaction } from './redaction.ts'
import { type Handlers, RpcPeer } from './rpc.ts'
import { TaskHost } from './task-host.ts'

/**
 * The entry of a task host, a child process of a worker. It ends by itself when its worker is gone.
 */
const BEAT_MS = 500
const LEASE_CHECK_MS = 100
/** The numbers of all units go along with every so many beats. */
const BEATS_PER_REPORT = 2
/** Invariant 4: a host without a worker is silent well before the group gives its tasks away. */
const ORPHAN_STOP_MS = 80
const FLUSH_COMPILE_CACHE_MS = 5000
const MAX_LOG_LINES_PER_SECOND = 500

const handlers: { current: Handlers<HostMethods> | undefined } = { current: undefined }
const worker = new RpcPeer<HostMethods, WorkerMethods>(
  {
    send: (message) => {
      if (!process.connected) return false
      process.send?.(message, undefined, undefined, ignoreClosedChannel)
      return true
    },
    onMessage: (listener) => void process.on('message', listener),
  },
  new Proxy({} as Handlers<HostMethods>, { get: (_, name: keyof HostMethods) => handlers.current?.[name] }),
)

/** The other end has gone: 'disconnect' follows and ends this process. */
function ignoreClosedChannel(): void {}

const redaction = new Redaction()
let logLinesLeft = MAX_LOG_LINES_PER_SECOND
let logLinesLost = 0

function loggerFor(context: Record<string, unknown>): Logger {
  const line = (level: 'debug' | 'info' | 'warn' | 'error') => (fields: object, message: string) => {
    // A plugin that logs without end must not fill the memory of the worker.
    if (logLinesLeft-- <= 0) logLinesLost++
    else worker.tell('log', redaction.data({ level, fields: { ...context, ...plain(fields) }, message }))
  }
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: (more) => loggerFor({ ...context, ...more }),
  }
}

/** Fields as they can cross to the worker: errors as text, the rest as JSON. */
function plain(fields: object): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(fields)) {
    if (value instanceof Error) result[key] = formatTrace(value)
    else if (typeof value === 'object' && value !== null) result[key] = json(value)
    else if (typeof value !== 'function' && typeof value !== 'symbol') result[key] = value
  }
  return result
}

function json(value: object): unknown {
  try {
    return JSON.parse(JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}` : inner)))
  } catch {
    return '[cannot be shown]'
  }
}

const host = new TaskHost({
  clock: realClock,
  random: realRandom,
  worker,
  yieldLoop: () => new Promise((resolve) => setImmediate(resolve)),
  redaction,
  loggerFor,
})
handlers.current = host.handlers

const exit = process.exit.bind(process)
process.exit = (code) => {
  const unit = currentUnit()
  const error = new Error(`a plugin called process.exit(${code ?? ''}), which would have ended the tasks of others too`)
  if (unit === undefined) exit(code)
  host.onUncaught(error)
  throw error
}
process.on('uncaughtException', (error) => host.onUncaught(error))
process.on('unhandledRejection', (reason) => host.onUncaught(reason))
// The worker decides when a host ends; a Ctrl-C in a terminal reaches the whole process group.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
process.on('disconnect', abandon)

function abandon(): void {
  const abandoning = host.abandon(ORPHAN_STOP_MS).catch(() => {})
  const late = new Promise((resolve) => setTimeout(resolve, ORPHAN_STOP_MS))
  void Promise.race([abandoning, late]).then(() => exit(0))
}

let beats = 0
setInterval(() => {
  host.beat(beats++ % BEATS_PER_REPORT === 0)
  if (logLinesLost > 0) {
    const fields = { lost: logLinesLost }
    worker.tell('log', { level: 'warn', fields, message: 'log lines were dropped: a plugin logs too much' })
  }
  logLinesLeft = MAX_LOG_LINES_PER_SECOND * (BEAT_MS / 1000)
  logLinesLost = 0
}, BEAT_MS)
setInterval(() => {
  // When this process itself stood still, the worker's answers are waiting to be read first.
  if (host.isLeaseOver) setImmediate(() => host.isLeaseOver && abandon())
}, LEASE_CHECK_MS)
// A host that is killed would not write the compile cache, which makes the start of the next one cheap.
setTimeout(flushCompileCache, FLUSH_COMPILE_CACHE_MS).unref()
worker.tell('ready', null)
