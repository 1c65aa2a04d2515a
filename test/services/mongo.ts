// MongoDB for tests: mongo-java-server from Maven, since no registry has a mongod. Own port, own data, gone with the
// test.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DEADLINE_MS } from './deadline.ts'
import { endProcess } from './end-process.ts'
import { freePort } from './free-port.ts'
import { javaClasses, javaMissing, mavenJars } from './java.ts'

export interface MongoOptions {
  /** What was answered survives kill -9. Left out: the data is in memory. */
  readonly isDurable?: boolean
  /** Change streams are read from it. Left out: there is one; without it what is written is not kept twice. */
  readonly hasOplog?: boolean
  /** How much memory the server has; left out: as much as tests need. */
  readonly heapMb?: number
}

export interface MongoServer {
  readonly version: string
  readonly uri: string
  pid(): number
  /** kill -9. The data stays where it is durable. */
  kill(): Promise<void>
  /** Starts again after `kill`; same port, same data. */
  restart(): Promise<void>
  stop(): Promise<void>
}

const RELEASE = '1.47.0'
const HERE = fileURLToPath(new URL('mongo', import.meta.url))
const ATTEMPTS = 3
const OUTPUT_CHARS = 8000

const JARS = `mongo-java-server-${RELEASE}`

/** Why the server cannot run here, or null; fails instead when MILLRACE_REQUIRE_SERVICES=1. Says so loudly. */
export function mongoMissing(): string | null {
  return javaMissing('mongo-java-server', JARS)
}

/** The replica set that the tests of `mongodb-replica-set` run on. */
export function mongoReplicaSet(): string {
  const url = process.env['MONGO_URL'] ?? ''
  if (url === '') throw new Error('MONGO_URL is not set; set it to a MongoDB replica set, 6.0 or later')
  return url
}

/** The server's jars and the class that starts it, as a class path; fetched and compiled once per machine. */
export async function prepareMongo(): Promise<string> {
  const lib = await mavenJars(JARS, join(HERE, 'pom.xml'))
  const classes = await javaClasses([join(HERE, 'TestMongo.java')], [lib])
  return [classes, join(lib, '*')].join(':')
}

/** Connections to a server that end, and are refused, when a test says so: what a broken network does. */
export class MongoProxy {
  readonly uri: string
  readonly #sockets = new Set<Socket>()
  readonly #close: () => void
  #isCut = false

  private constructor(port: number, close: () => void) {
    this.uri = `mongodb://127.0.0.1:${port}/?directConnection=true`
    this.#close = close
  }

  static async start(target: MongoServer): Promise<MongoProxy> {
    const targetPort = Number(new URL(target.uri).port)
    const port = await freePort()
    let forward: (socket: Socket) => void = (socket) => socket.destroy()
    const server = createServer((socket) => forward(socket))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
    const proxy = new MongoProxy(port, () => server.close())
    forward = (socket) => proxy.#forward(socket, targetPort)
    return proxy
  }

  #forward(socket: Socket, target: number): void {
    if (this.#isCut) {
      socket.destroy()
      return
    }
    const onward = connect(target, '127.0.0.1')
    const pairs = [
      [socket, onward],
      [onward, socket],
    ] as const
    for (const [one, other] of pairs) {
      this.#sockets.add(one)
      one.on('error', () => undefined)
      one.on('close', () => {
        this.#sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  }

  /** Ends all connections and refuses new ones until `mend`. */
  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  mend(): void {
    this.#isCut = false
  }

  stop(): void {
    this.cut()
    this.#close()
  }
}

/** Starts a server; throws when it cannot be had (ask `mongoMissing` first to skip). */
export async function startMongo({
  isDurable = false,
  hasOplog = true,
  heapMb = 512,
}: MongoOptions = {}): Promise<MongoServer> {
  const classpath = await prepareMongo()
  const folder = await mkdtemp(join(tmpdir(), 'millrace-mongo-'))
  const data = isDurable ? [join(folder, 'data.mv')] : []
  const launch = (port: number) => tryStart(classpath, heapMb, [String(port), String(hasOplog), ...data])
  let port = 0
  let running: Running | string = 'not started'
  for (let attempt = 0; typeof running === 'string'; attempt++) {
    if (attempt === ATTEMPTS) throw new Error(`mongo-java-server does not start: ${running}`)
    port = await freePort()
    running = await launch(port)
  }
  let current: Running = running
  return {
    version: `mongo-java-server ${RELEASE}`,
    uri: `mongodb://127.0.0.1:${port}/?directConnection=true`,
    pid: () => current.child.pid ?? 0,
    async kill() {
      await endProcess(current.child, 'SIGKILL', current.output)
    },
    async restart() {
      // Its oplog counts from 1 in each second: a start within the second of the end would repeat resume tokens.
      for (const second = Math.floor(Date.now() / 1000); Math.floor(Date.now() / 1000) === second; ) await sleep(10)
      const next = await launch(port)
      if (typeof next === 'string') throw new Error(`mongo-java-server does not start again: ${next}`)
      current = next
    },
    async stop() {
      await endProcess(current.child, 'SIGKILL', current.output)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface Running {
  readonly child: ChildProcess
  readonly output: () => string
}

async function tryStart(classpath: string, heapMb: number, args: readonly string[]): Promise<Running | string> {
  const jvm = [`-Xmx${heapMb}m`, '-XX:+UseSerialGC', '-Xshare:auto', '-cp', classpath]
  // The server ends when its standard input does: also when this process dies, however it dies.
  const child = spawn('java', [...jvm, 'TestMongo', ...args], { cwd: tmpdir(), stdio: ['pipe', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => (output = (output + String(chunk)).slice(-OUTPUT_CHARS)))
  }
  child.stdin.on('error', () => undefined)
  child.unref()
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as unknown as { unref(): void }).unref()
  for (const deadline = Date.now() + DEADLINE_MS; !output.includes('STARTED'); await sleep(20)) {
    if (child.exitCode !== null) return output
    if (Date.now() > deadline) {
      await endProcess(child, 'SIGKILL', () => output)
      return `not within ${DEADLINE_MS} ms: ${output}`
    }
  }
  return { child, output: () => output }
}
