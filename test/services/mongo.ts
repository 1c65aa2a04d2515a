// MongoDB for tests: mongo-java-server from Maven, since no registry has a mongod. Own port, own data, gone with the
// test.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DEADLINE_MS } from './deadline.ts'
import { endProcess } from './end-process.ts'
import { freePort } from './free-port.ts'

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
const DOWNLOAD_MS = 900_000
const ATTEMPTS = 3
const OUTPUT_CHARS = 8000

const cacheFolder = (): string =>
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'millrace', 'services')
/** What was made of other sources is not used. */
const home = (): string => {
  const hash = createHash('sha256')
  for (const file of ['pom.xml', 'TestMongo.java']) hash.update(readFileSync(join(HERE, file)))
  return join(cacheFolder(), `mongo-java-server-${RELEASE}-${hash.digest('hex').slice(0, 8)}`)
}

/** Why the server cannot run here, or null; fails instead when MILLRACE_REQUIRE_SERVICES=1. Says so loudly. */
export function mongoMissing(): string | null {
  const commands = ['java', ...(existsSync(home()) ? [] : ['mvn'])]
  const missing = commands.filter((command) => spawnSync('/bin/sh', ['-c', `command -v ${command}`]).status !== 0)
  if (missing.length === 0) return null
  const message = `mongo-java-server: ${missing.join(' and ')} missing; apt-get install default-jre-headless maven`
  if (process.env['MILLRACE_REQUIRE_SERVICES'] === '1') throw new Error(message)
  console.warn(`SKIPPED: ${message}`)
  return message
}

/** The replica set that the tests of `mongodb-replica-set` run on. */
export function mongoReplicaSet(): string {
  const url = process.env['MONGO_URL'] ?? ''
  if (url === '') throw new Error('MONGO_URL is not set; set it to a MongoDB replica set, 6.0 or later')
  return url
}

/** Fetches the server's jars once per machine, and compiles the class that starts it. */
export async function prepareMongo(): Promise<string> {
  if (existsSync(home())) return home()
  await mkdir(cacheFolder(), { recursive: true })
  const partial = await mkdtemp(`${home()}-partial-`)
  try {
    const lib = join(partial, 'lib')
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${lib}`]
    await run('mvn', ['-q', '-B', '-f', join(HERE, 'pom.xml'), ...goal], ATTEMPTS)
    const compiler = (await readdir(lib)).find((jar) => jar.startsWith('ecj-'))!
    const flags = ['--release', '17', '-nowarn', '-classpath', await classpathOf(lib), '-d', join(partial, 'classes')]
    await run('java', ['-jar', join(lib, compiler), ...flags, join(HERE, 'TestMongo.java')], 1)
    await rm(join(lib, compiler))
    // Whoever renames first wins; the loser's copy goes away.
    await rename(partial, home()).catch(() => undefined)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return home()
}

async function classpathOf(lib: string): Promise<string> {
  return (await readdir(lib)).map((jar) => join(lib, jar)).join(':')
}

/** Runs a command to its end; several times where the network may fail. */
async function run(command: string, args: readonly string[], attempts: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const child = spawn(command, args, { cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] })
    const late = setTimeout(() => child.kill('SIGKILL'), DOWNLOAD_MS)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', resolve)
    })
    clearTimeout(late)
    if (code === 0) return
    if (attempt >= attempts) throw new Error(`${command} ${args.join(' ')} failed: ${output}`)
  }
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
  const jars = await prepareMongo()
  const folder = await mkdtemp(join(tmpdir(), 'millrace-mongo-'))
  const data = isDurable ? [join(folder, 'data.mv')] : []
  const launch = (port: number) => tryStart(jars, heapMb, [String(port), String(hasOplog), ...data])
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

async function tryStart(jars: string, heapMb: number, args: readonly string[]): Promise<Running | string> {
  const classpath = [join(jars, 'classes'), join(jars, 'lib', '*')].join(':')
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
