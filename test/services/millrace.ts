// Millrace's own processes for tests and benchmarks: brokers and workers started by the command line, on free ports.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DEADLINE_MS } from './deadline.ts'
import { endProcess } from './end-process.ts'
import { freePort } from './free-port.ts'
import { whatKeeps } from './what-keeps.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const OUTPUT_CHARS = 200_000
const LAST_OUTPUT_MS = 10_000

/** A broker or worker as a process that can be killed and started again on the same port and data. */
export interface MillraceProcess {
  pid(): number
  /** Milliseconds of the last start until it answered. */
  startMs(): number
  /** What it last wrote to its log. */
  output(): string
  /** kill -9. */
  kill(): Promise<void>
  /** SIGTERM, and its exit code. */
  end(): Promise<number | null>
  /** Starts again after `kill` or `end`. */
  restart(): Promise<void>
  /** Ends it and removes its files. */
  stop(): Promise<void>
}

export interface MillraceBroker extends MillraceProcess {
  readonly port: number
  readonly bootstrapServers: string
  readonly dataDirectory: string
}

export interface MillraceWorker extends MillraceProcess {
  readonly url: string
  /** `host:port`, as statuses name it. */
  readonly workerId: string
}

const lines = (properties: Readonly<Record<string, string>>): string =>
  Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')

export async function portAnswers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}

class CommandProcess implements MillraceProcess {
  readonly #args: readonly string[]
  readonly #folder: string
  readonly #ready: (said: string) => Promise<boolean>
  #child: ChildProcess | undefined
  /** When all was heard that the process has said. */
  #heard: Promise<unknown> = Promise.resolve()
  #output = ''
  #startMs = 0

  /** `ready` is given what the process has said since this start. */
  constructor(args: readonly string[], folder: string, ready: (said: string) => Promise<boolean>) {
    this.#args = args
    this.#folder = folder
    this.#ready = ready
  }

  async restart(): Promise<void> {
    const started = performance.now()
    const child = spawn(process.execPath, ['--conditions=source', 'src/cli/launch.js', ...this.#args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    this.#heard = new Promise((resolve) => child.once('close', resolve))
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        said = (said + String(chunk)).slice(-OUTPUT_CHARS)
        this.#output = (this.#output + String(chunk)).slice(-OUTPUT_CHARS)
      })
    }
    for (const deadline = Date.now() + DEADLINE_MS; !(await this.#ready(said)); await sleep(10)) {
      if (child.exitCode === null && child.signalCode === null && Date.now() < deadline) continue
      const how = child.signalCode ?? child.exitCode ?? `it still runs: ${await whatKeeps(child)}`
      child.kill('SIGKILL')
      await this.#hear()
      throw new Error(`millrace ${this.#args.join(' ')} does not start (${how}): ${this.#output}`)
    }
    this.#startMs = performance.now() - started
  }

  pid(): number {
    return this.#child?.pid ?? 0
  }

  startMs(): number {
    return this.#startMs
  }

  output(): string {
    return this.#output
  }

  async kill(): Promise<void> {
    await this.#signal('SIGKILL')
  }

  end(): Promise<number | null> {
    return this.#signal('SIGTERM')
  }

  async #signal(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    const code = this.#child ? await endProcess(this.#child, signal, () => this.#output) : null
    await this.#hear()
    return code
  }

  /** What a process says last may come after its end; what it has started may hold the pipe open for longer. */
  async #hear(): Promise<void> {
    const late = new AbortController()
    await Promise.race([this.#heard, sleep(LAST_OUTPUT_MS, undefined, { signal: late.signal }).catch(() => undefined)])
    late.abort()
  }

  async stop(): Promise<void> {
    await this.end()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Adds facts to a process without losing its methods. */
function withFacts<T extends object>(process: CommandProcess, facts: T): CommandProcess & T {
  return Object.assign(process, facts)
}

/** Starts `millrace broker` with temporary data. */
export async function startMillraceBroker(properties: Readonly<Record<string, string>> = {}): Promise<MillraceBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-broker-'))
  const port = await freePort()
  const dataDirectory = join(folder, 'data')
  const file = join(folder, 'server.properties')
  const settings = {
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
    'log.dirs': dataDirectory,
    'auto.create.topics.enable': 'true',
    'group.initial.rebalance.delay.ms': '0',
    ...properties,
  }
  await writeFile(file, lines(settings))
  const broker = new CommandProcess(['broker', file], folder, () => portAnswers(port))
  await broker.restart()
  return withFacts(broker, { port, bootstrapServers: `127.0.0.1:${port}`, dataDirectory })
}

/** The properties of a distributed worker, the same for ours and Kafka's. */
export function workerProperties(bootstrapServers: string, group: string, port: number): Record<string, string> {
  const converter = 'org.apache.kafka.connect.json.JsonConverter'
  return {
    'bootstrap.servers': bootstrapServers,
    'group.id': group,
    'key.converter': converter,
    'value.converter': converter,
    'key.converter.schemas.enable': 'false',
    'value.converter.schemas.enable': 'false',
    'config.storage.topic': `${group}-configs`,
    'config.storage.replication.factor': '1',
    'offset.storage.topic': `${group}-offsets`,
    'offset.storage.partitions': '5',
    'offset.storage.replication.factor': '1',
    'status.storage.topic': `${group}-status`,
    'status.storage.partitions': '3',
    'status.storage.replication.factor': '1',
    'offset.flush.interval.ms': '10000',
    listeners: `http://127.0.0.1:${port}`,
    'rest.advertised.host.name': '127.0.0.1',
    'rest.advertised.port': String(port),
    'connector.client.config.override.policy': 'All',
  }
}

/** Starts `millrace connect-distributed` and waits until it is healthy. */
export async function startMillraceWorker(
  bootstrapServers: string,
  group: string,
  properties: Readonly<Record<string, string>> = {},
): Promise<MillraceWorker> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-worker-'))
  const port = await freePort()
  const file = join(folder, 'worker.properties')
  await writeFile(file, lines({ ...workerProperties(bootstrapServers, group, port), ...properties }))
  const url = `http://127.0.0.1:${port}`
  const worker = new CommandProcess(['connect-distributed', file], folder, async () => {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(10_000) }).catch(() => undefined)
    await response?.body?.cancel()
    return response?.status === 200
  })
  await worker.restart()
  return withFacts(worker, { url, workerId: `127.0.0.1:${port}` })
}

export interface MillraceMirror extends MillraceProcess {
  /** Where REST is, should the file have switched it on. */
  readonly url: string
}

/** Starts `millrace mirror` with a file of MirrorMaker 2 and waits until it is healthy. */
export async function startMillraceMirror(properties: Readonly<Record<string, string>>): Promise<MillraceMirror> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-mirror-'))
  const port = await freePort()
  const file = join(folder, 'mm2.properties')
  await writeFile(file, lines({ listeners: `http://127.0.0.1:${port}`, ...properties }))
  // It need not have REST: the log says when it is healthy.
  const mirror = new CommandProcess(['mirror', file], folder, async (said) => said.includes('the mirror is healthy'))
  await mirror.restart()
  return withFacts(mirror, { url: `http://127.0.0.1:${port}` })
}
