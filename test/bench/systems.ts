import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePort } from '../services/free-port.ts'
import { startKafka } from '../services/kafka.ts'
import { startKafkaConnect, workerProperties } from '../services/kafka-connect.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface BrokerUnderTest {
  readonly name: string
  readonly bootstrapServers: string
  pid(): number
  stop(): Promise<void>
}

export interface WorkerUnderTest {
  readonly name: string
  readonly url: string
  readonly workerId: string
  readonly startMs: number
  pid(): number
  kill(): Promise<void>
  stop(): Promise<void>
}

async function until(what: string, condition: () => Promise<boolean>, deadlineMs = 60_000): Promise<void> {
  for (const deadline = Date.now() + deadlineMs; !(await condition()); await sleep(10)) {
    if (Date.now() > deadline) throw new Error(`not in ${deadlineMs} ms: ${what}`)
  }
}

function millrace(args: readonly string[]) {
  const child = spawn(process.execPath, ['--conditions=source', 'src/cli/main.ts', ...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return {
    child,
    async end(signal: 'SIGTERM' | 'SIGKILL') {
      if (child.exitCode === null && child.signalCode === null && child.kill(signal)) await gone
    },
  }
}

const lines = (properties: Readonly<Record<string, string>>): string =>
  Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')

/** Our broker as a process of its own, with temporary data. */
export async function millraceBroker(properties: Readonly<Record<string, string>> = {}): Promise<BrokerUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-broker-'))
  const port = await freePort()
  const file = join(folder, 'server.properties')
  const settings = {
    listeners: `PLAINTEXT://127.0.0.1:${port}`,
    'log.dirs': join(folder, 'data'),
    'auto.create.topics.enable': 'true',
    'group.initial.rebalance.delay.ms': '0',
    ...properties,
  }
  await writeFile(file, lines(settings))
  const { child, end } = millrace(['broker', file])
  await until('the broker listens', () => portAnswers(port))
  return {
    name: 'millrace',
    bootstrapServers: `127.0.0.1:${port}`,
    pid: () => child.pid as number,
    async stop() {
      await end('SIGTERM')
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function portAnswers(port: number): Promise<boolean> {
  const { connect } = await import('node:net')
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}

/** Apache Kafka 4.3.1 with the heap of the baseline. */
export async function kafkaBroker(): Promise<BrokerUnderTest> {
  const jvm = [
    '-Xms1024M',
    '-Xmx1024M',
    '-XX:+UseG1GC',
    '-XX:MaxGCPauseMillis=20',
    '-XX:InitiatingHeapOccupancyPercent=35',
  ]
  const kafka = await startKafka({ jvm, properties: { 'auto.create.topics.enable': 'true' } })
  return { name: 'kafka', bootstrapServers: kafka.bootstrapServers, pid: kafka.pid, stop: kafka.stop }
}

/** One of our distributed workers. */
export async function millraceWorker(
  bootstrapServers: string,
  group: string,
  properties: Readonly<Record<string, string>> = {},
): Promise<WorkerUnderTest> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-worker-'))
  const port = await freePort()
  const file = join(folder, 'worker.properties')
  await writeFile(file, lines({ ...workerProperties(bootstrapServers, group, port), ...properties }))
  const started = performance.now()
  const { child, end } = millrace(['connect-distributed', file])
  const url = `http://127.0.0.1:${port}`
  await until('the worker is healthy', async () => {
    const response = await fetch(`${url}/health`).catch(() => undefined)
    await response?.body?.cancel()
    return response?.status === 200
  })
  const clean = () => rm(folder, { recursive: true, force: true })
  return {
    name: 'millrace',
    url,
    workerId: `127.0.0.1:${port}`,
    startMs: performance.now() - started,
    pid: () => child.pid as number,
    async kill() {
      await end('SIGKILL')
      await clean()
    },
    async stop() {
      await end('SIGTERM')
      await clean()
    },
  }
}

/** A distributed worker of Kafka Connect 4.3.1 with Debezium. */
export async function kafkaWorker(bootstrapServers: string, group: string): Promise<WorkerUnderTest> {
  const started = performance.now()
  const worker = await startKafkaConnect({ bootstrapServers, group })
  return {
    name: 'kafka',
    url: worker.url,
    workerId: worker.url.replace('http://', ''),
    startMs: performance.now() - started,
    pid: worker.pid,
    kill: worker.stop,
    stop: worker.stop,
  }
}
