// Apache Kafka for tests, from Maven: a KRaft node of its own (free ports, temporary data), and Kafka's command-line tools.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect as connectSocket, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { apis, FrameSplitter } from '../../src/protocol/index.ts'
import { DEADLINE_MS } from './deadline.ts'
import { freePort } from './free-port.ts'
import { javaMissing, mavenJars } from './java.ts'

export type KafkaVersion = '4.3.1' | '3.9.2'

export interface KafkaOptions {
  readonly version?: KafkaVersion
  /** More lines of server.properties. */
  readonly properties?: Readonly<Record<string, string>>
  /** More options of the JVM. */
  readonly jvm?: readonly string[]
}

export interface Kafka {
  readonly version: KafkaVersion
  readonly host: string
  readonly port: number
  /** `host:port`. */
  readonly bootstrapServers: string
  readonly dataDirectory: string
  /** Changes with a restart. */
  pid(): number
  /** Shuts down in good order and removes the data. */
  stop(): Promise<void>
  /** kill -9; the data stays. */
  kill(): Promise<void>
  /** Starts again after `kill`, or kills first; same ports, same data. */
  restart(): Promise<void>
}

export interface ToolResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

const HERE = fileURLToPath(new URL('kafka', import.meta.url))
const LOGGING = `-Dlog4j2.configurationFile=${join(HERE, 'log4j2.properties')}`

const nameOf = (version: KafkaVersion): string => `kafka-${version}`

/** Why Kafka cannot run here, or null; fails instead when MILLRACE_REQUIRE_SERVICES=1. Says so loudly once. */
export function kafkaMissing(version: KafkaVersion = '4.3.1'): string | null {
  return javaMissing(`Kafka ${version}`, nameOf(version))
}

/** The folder of Kafka's jars, fetched by Maven once per machine. */
export function kafkaJars(version: KafkaVersion = '4.3.1'): Promise<string> {
  return mavenJars(nameOf(version), join(HERE, 'pom.xml'), [`-Dkafka.version=${version}`])
}

/** Much longer than a tool takes, and less than a test may. */
const TOOL_MS = 2 * DEADLINE_MS
const THREADS_MS = 3000

/** Runs a command to its end. One that does not end is killed; then the result has no code, and a JVM's threads. */
function run(command: string, args: readonly string[], input: string, limitMs: number): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: tmpdir(), stdio: ['pipe', 'pipe', 'pipe'] })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk))
    child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk))
    // A tool may end before it has read all of its input.
    child.stdin.on('error', () => undefined)
    child.on('error', reject)
    const late = setTimeout(() => {
      stderr += `\nit did not end in ${limitMs} ms and is killed`
      // A JVM writes what its threads do; another program just ends.
      child.kill('SIGQUIT')
      setTimeout(() => child.kill('SIGKILL'), THREADS_MS)
    }, limitMs)
    child.on('close', (code) => {
      clearTimeout(late)
      resolve({ code, stdout, stderr })
    })
    child.stdin.end(input)
  })
}

/** Short-lived tools start fastest with the first compiler only and the plainest collector. */
const QUICK = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto']

/** Runs a class of Kafka's jars, such as `org.apache.kafka.tools.TopicCommand`; `classes` are more places of classes. */
export async function kafkaTool(
  className: string,
  args: readonly string[],
  options: { version?: KafkaVersion; input?: string; jvm?: readonly string[]; classes?: readonly string[] } = {},
): Promise<ToolResult> {
  const lib = await kafkaJars(options.version)
  const jvm = ['-Xmx512M', ...QUICK, LOGGING, ...(options.jvm ?? [])]
  const classes = [join(lib, '*'), ...(options.classes ?? [])].join(':')
  return run('java', [...jvm, '-cp', classes, className, ...args], options.input ?? '', TOOL_MS)
}

/** Whether the broker at this port answers Metadata with itself in it: only then is it registered and unfenced. */
function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: Socket = connectSocket(port, '127.0.0.1')
    const finish = (ready: boolean) => {
      socket.destroy()
      resolve(ready)
    }
    const splitter = new FrameSplitter({
      maxFrameBytes: 1 << 20,
      onFrame: (frame) => finish(apis.metadata.decodeResponse(1, frame, 4).brokers.length > 0),
    })
    socket.setTimeout(2000, () => finish(false))
    socket.on('error', () => finish(false)).on('close', () => resolve(false))
    socket.on('data', (chunk) => splitter.push(chunk))
    socket.on('connect', () => {
      const parts = apis.metadata.requestFrame(1, { correlationId: 1, clientId: 'ready' }, { topics: [] })
      socket.write(Buffer.concat(parts))
    })
  })
}

// The shell holds a pipe of ours: when this process dies, however it dies, the pipe closes and the server goes too.
const GUARD =
  'exec 3<&0; "$@" </dev/null & p=$!; echo $p; (read _ <&3; kill -KILL $p) 2>/dev/null & w=$!; wait $p; kill $w'

class Server {
  readonly #command: readonly string[]
  readonly #port: number
  #child: ChildProcess | undefined
  #log = ''
  pid = 0

  constructor(command: readonly string[], port: number) {
    this.#command = command
    this.#port = port
  }

  async start(): Promise<void> {
    this.#log = ''
    this.pid = 0
    const child = spawn('/bin/sh', ['-c', GUARD, 'sh', ...this.#command], {
      cwd: tmpdir(),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child = child
    child.stdout?.on('data', (chunk) => (this.pid ||= Number.parseInt(String(chunk), 10)))
    child.stderr?.on('data', (chunk) => (this.#log = (this.#log + chunk).slice(-4000)))
    // The write end must stay open but must not keep the test process alive.
    child.unref()
    for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as unknown as { unref(): void }).unref()
    for (const deadline = Date.now() + DEADLINE_MS; !(await isReady(this.#port)); await sleep(50)) {
      if (child.exitCode === null && Date.now() < deadline) continue
      if (child.exitCode === null) await this.end('SIGKILL')
      throw new Error(`Kafka does not start: ${this.#log}`)
    }
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null) return
    process.kill(this.pid, signal)
    const deadline = Date.now() + DEADLINE_MS
    for (; child.exitCode === null; await sleep(10)) {
      if (Date.now() < deadline) continue
      if (signal === 'SIGKILL') throw new Error(`Kafka does not stop: ${this.#log}`)
      console.warn(`Kafka does not stop by itself and is killed: ${this.#log}`)
      return this.end('SIGKILL')
    }
  }
}

function serverProperties(port: number, controllerPort: number, data: string): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(data, 'log'),
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '5',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.num.partitions': '5',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'controlled.shutdown.enable': 'false',
    // Long enough for a busy machine, and no longer: after kill -9 the node waits for it before it is back.
    'broker.session.timeout.ms': '12000',
    'broker.heartbeat.interval.ms': '500',
  }
}

/** Starts a broker; throws when Kafka is missing (ask `kafkaMissing` first to skip). */
export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  try {
    return await startOnce(options)
  } catch (error) {
    // It is a peer: what keeps it from starting, such as a port that was taken a moment ago, is not under test.
    console.warn(`Kafka is started again: ${String(error)}`)
    return startOnce(options)
  }
}

async function startOnce(options: KafkaOptions): Promise<Kafka> {
  const version = options.version ?? '4.3.1'
  const lib = await kafkaJars(version)
  const data = await mkdtemp(join(tmpdir(), 'millrace-kafka-'))
  const [port, controllerPort] = [await freePort(), await freePort()]
  const properties = { ...serverProperties(port, controllerPort, data), ...options.properties }
  const file = join(data, 'server.properties')
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}`)
  await writeFile(file, `${lines.join('\n')}\n`)
  const format = ['format', '-t', 'GzhlJ1oTQ0aGxsY0mCqTSw', '-c', file]
  const formatted = await kafkaTool('kafka.tools.StorageTool', format, { version })
  if (formatted.code !== 0) {
    await rm(data, { recursive: true, force: true })
    throw new Error(`Kafka cannot format ${data}: ${formatted.stdout}${formatted.stderr}`)
  }
  const jvm = options.jvm ?? ['-Xmx512M', ...QUICK]
  const server = new Server(['java', ...jvm, LOGGING, '-cp', join(lib, '*'), 'kafka.Kafka', file], port)
  try {
    await server.start()
  } catch (error) {
    await rm(data, { recursive: true, force: true })
    throw error
  }
  return {
    version,
    host: '127.0.0.1',
    port,
    bootstrapServers: `127.0.0.1:${port}`,
    dataDirectory: join(data, 'log'),
    pid: () => server.pid,
    kill: () => server.end('SIGKILL'),
    async restart() {
      await server.end('SIGKILL')
      await server.start()
    },
    async stop() {
      await server.end('SIGTERM')
      await rm(data, { recursive: true, force: true })
    },
  }
}
