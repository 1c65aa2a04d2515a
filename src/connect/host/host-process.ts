import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Logger } from '../../base/index.ts'
import { compileCacheFolder } from '../../base/real/index.ts'
import type { HostMethods, WorkerMethods } from './host-protocol.ts'
import { memoryMeter } from './process-memory.ts'
import { RemoteError } from './remote-error.ts'
import { type Handlers, RpcPeer } from './rpc.ts'
import { probeStall, type StallReport } from './stall-probe.ts'

/** How a host ended. */
export interface HostExit {
  readonly code: number | null
  readonly signal: string | null
  /** The end of what it wrote to its standard error output. */
  readonly stderr: string
  /** V8 gave up for lack of heap. */
  readonly outOfMemory: boolean
}

/** A task host as its worker sees it. */
export interface HostProcess {
  readonly pid: number
  readonly rpc: RpcPeer<WorkerMethods, HostMethods>
  readonly exited: Promise<HostExit>
  residentBytes(): number | null
  /** Finds out what a host that does not answer is doing. */
  probe(timeoutMs: number): Promise<StallReport>
  /** Ends it now (SIGKILL). */
  kill(): void
  /** Ends it in good order; for hosts without units. */
  dismiss(): void
}

export interface SpawnOptions {
  readonly handlers: Handlers<WorkerMethods>
  readonly maxHeapMb: number
  readonly logger: Logger
}

const STDERR_TAIL_CHARS = 4096
const MAX_LINES_PER_SECOND = 100
/** What Node says when a host that stands still is looked into. */
const DEBUGGER_CHATTER = /^(Debugger |Waiting for the debugger|For help, see: https:\/\/nodejs\.org)/
const LAST_OUTPUT_MS = 200
const ENTRY = new URL(import.meta.url.endsWith('.ts') ? './main.ts' : './main.js', import.meta.url)

/** Starts a task host. */
export type SpawnHost = (options: SpawnOptions) => HostProcess

/** Starts a task host as a child process. */
export const spawnHost: SpawnHost = ({ handlers, maxHeapMb, logger }) => {
  const child = fork(fileURLToPath(ENTRY), [], {
    serialization: 'advanced',
    execArgv: execArguments(maxHeapMb),
    // Compiled code and stripped types are kept between starts: without them a host needs 17 MB and 20 ms more.
    env: { ...process.env, NODE_COMPILE_CACHE: compileCacheFolder() },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const rpc = new RpcPeer<WorkerMethods, HostMethods>(
    {
      send: (message) => child.connected && (child.send(message as object, ignoreClosedChannel), true),
      onMessage: (listener) => void child.on('message', listener),
    },
    handlers,
  )
  let dismissed = false
  const debuggerAddress = Promise.withResolvers<string>()
  const tail = watchOutput(child, logger, debuggerAddress.resolve)
  const exited = new Promise<HostExit>((resolve) => {
    const ended = (code: number | null, signal: string | null, error?: Error) => {
      const stderr = error ? error.message : tail.text
      const outOfMemory = /heap out of memory|Allocation failed/.test(stderr)
      rpc.close(new RemoteError({ name: 'HostGone', message: 'the task host has ended', code: 'HOST_GONE', trace: '' }))
      resolve({ code, signal, stderr, outOfMemory })
    }
    // 'close' comes after the last output, but not while a process that a plugin started holds the pipes open.
    child.once('close', ended)
    child.once('exit', (code, signal) => setTimeout(() => ended(code, signal), dismissed ? 0 : LAST_OUTPUT_MS))
    child.once('error', (error) => ended(null, null, error))
  })
  return {
    pid: child.pid ?? -1,
    rpc,
    exited,
    residentBytes: child.pid === undefined ? () => null : memoryMeter(child.pid),
    probe: (timeoutMs) =>
      probeStall({ address: debuggerAddress.promise, open: () => void child.kill('SIGUSR1'), timeoutMs }),
    kill: () => void child.kill('SIGKILL'),
    dismiss: () => {
      dismissed = true
      if (child.connected) child.disconnect()
    },
  }
}

function ignoreClosedChannel(): void {}

/** V8's own limit lets the young generation grow to 150 MB under load; records live short, so a quarter costs little. */
const YOUNG_SPACE_MB = 16
/**
 * V8's own limit after a collection is some megabytes over what it found alive, and counts memory outside of the heap too:
 * the answers with 15 000 records of 500 bytes bring the next collection of the whole heap. V8 keeps the limit that it is
 * given to begin with as the least one: a sink then has a quarter of the collections, and grows by 10 MB.
 */
const OLD_SPACE_MB = 64
/**
 * There are as many hosts as cores: collector threads of one would only wait for, and take from, the main loops of others.
 * Without them a record of a busy sink costs a fifth less CPU time.
 */
const OWN_THREAD_COLLECTS = '--single-threaded-gc'

/** The conditions under which modules are found are the worker's own; its other flags (a debugger's, a test runner's) are not. */
function execArguments(maxHeapMb: number): string[] {
  const conditions = process.execArgv.filter((argument) => /^(--conditions=|-C=)/.test(argument))
  const isSource = ENTRY.pathname.endsWith('.ts')
  if (isSource && !conditions.includes('--conditions=source')) conditions.push('--conditions=source')
  const heap = [
    `--max-old-space-size=${maxHeapMb}`,
    `--initial-old-space-size=${Math.min(OLD_SPACE_MB, maxHeapMb >> 2)}`,
    `--max-semi-space-size=${YOUNG_SPACE_MB}`,
    OWN_THREAD_COLLECTS,
  ]
  return [...conditions, ...heap, '--inspect-port=127.0.0.1:0']
}

/** Passes on what plugins write to the console, line by line, and keeps the end of it for the report of a crash. */
function watchOutput(
  child: ChildProcess,
  logger: Logger,
  onDebugger: (address: string) => void,
): { readonly text: string } {
  let tail = ''
  let second = 0
  let shown = 0
  // A plugin that prints without end must not fill the worker's log.
  const mayShow = () => {
    const now = Math.floor(Date.now() / 1000)
    if (now !== second) {
      second = now
      shown = 0
    }
    return shown++ < MAX_LINES_PER_SECOND
  }
  const lines = (stream: 'stdout' | 'stderr', onLine: (line: string) => void) => {
    let rest = ''
    child[stream]?.setEncoding('utf8').on('data', (chunk: string) => {
      if (stream === 'stderr') tail = (tail + chunk).slice(-STDERR_TAIL_CHARS)
      const parts = (rest + chunk).split('\n')
      rest = (parts.pop() ?? '').slice(-STDERR_TAIL_CHARS)
      for (const part of parts) if (part.trim() !== '') onLine(part)
    })
  }
  const show = (level: 'info' | 'warn', line: string) => {
    if (mayShow()) logger[level]({ pid: child.pid, line: line.slice(0, STDERR_TAIL_CHARS) }, 'plugin output')
  }
  lines('stdout', (line) => show('info', line))
  lines('stderr', (line) => {
    const address = /^Debugger listening on (ws:\/\/\S+)/.exec(line)?.[1]
    if (address) onDebugger(address)
    else if (!DEBUGGER_CHATTER.test(line)) show('warn', line)
  })
  return {
    get text() {
      return tail
    },
  }
}
