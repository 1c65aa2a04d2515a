/**
 * A real S3 server for tests: versitygw, built by Go from its module proxy, or moto from PyPI where Go is missing. Own
 * port, own folder for the objects, gone with the test.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { DEADLINE_MS } from './deadline.ts'
import { endProcess } from './end-process.ts'
import { freePort } from './free-port.ts'
import { DOWNLOAD_PAUSE_MS } from './java.ts'
import { pythonMissing, pythonWith } from './python.ts'

const VERSITYGW = '1.8.0'
const MOTO = 'moto[server,s3]==5.2.5'

export interface S3Server {
  /** Which program answers, for messages: `versitygw 1.8.0` or `moto 5.2.5`. */
  readonly program: string
  readonly endpoint: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** A client of its own, closed with the server. */
  readonly client: S3Client
  /** The objects survive only on versitygw: moto keeps them in memory. */
  readonly keepsObjects: boolean
  pid(): number
  stop(): Promise<void>
  /** kill -9; the objects stay where the server keeps them. */
  kill(): Promise<void>
  /** Starts again after `kill`: same port, same objects. */
  restart(): Promise<void>
}

const cacheFolder = (): string =>
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'millrace', 'services')
const binary = (): string => join(cacheFolder(), `versitygw-${VERSITYGW}`)
const hasGo = (): boolean => spawnSync('/bin/sh', ['-c', 'command -v go']).status === 0

/** Why no S3 server can run here, or null; fails instead when MILLRACE_REQUIRE_SERVICES=1. Says so loudly. */
export function s3Missing(): string | null {
  if (existsSync(binary()) || hasGo()) return null
  return pythonMissing()
}

/** Builds or downloads the server, once for each machine. */
export async function prepareS3(): Promise<void> {
  if (existsSync(binary())) return
  if (!hasGo()) {
    await pythonWith([MOTO])
    return
  }
  await mkdir(cacheFolder(), { recursive: true })
  const folder = await mkdtemp(join(cacheFolder(), 'versitygw-build-'))
  try {
    const target = `github.com/versity/versitygw/cmd/versitygw@v${VERSITYGW}`
    const environment = { ...process.env, GOBIN: folder, GOFLAGS: '-buildvcs=false' }
    for (let attempt = 1; ; attempt++) {
      const failure = await run('go', ['install', '-ldflags=-s -w', target], environment)
      if (failure === null) break
      // A proxy that does not answer for a moment is no fault of ours.
      if (attempt === 3) throw new Error(`go install ${target} failed: ${failure}`)
      await sleep(attempt * DOWNLOAD_PAUSE_MS)
    }
    await copyFile(join(folder, 'versitygw'), `${folder}.bin`)
    await rename(`${folder}.bin`, binary())
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: tmpdir(), env, stdio: ['ignore', 'ignore', 'pipe'] })
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr = (stderr + chunk).slice(-4000)))
    child.on('error', reject)
    child.on('close', (code) => resolve(code === 0 ? null : stderr))
  })
}

// The shell holds a pipe of ours: when this process dies, however it dies, the pipe closes and the server goes too.
const GUARD = `exec 3<&0; "$@" </dev/null & p=$!; echo "pid $p"
(read _ <&3; kill -9 $p) 2>/dev/null & w=$!; wait $p; kill $w`

class Server {
  readonly #command: readonly string[]
  readonly #env: NodeJS.ProcessEnv
  #child: ChildProcess | undefined
  #log = ''
  pid = 0

  constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    this.#command = command
    this.#env = env
  }

  async start(answers: () => Promise<boolean>): Promise<void> {
    this.pid = 0
    this.#log = ''
    const child = spawn('/bin/sh', ['-c', GUARD, 'sh', ...this.#command], {
      cwd: tmpdir(),
      env: this.#env,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child = child
    const keep = (chunk: unknown): void => {
      this.#log = (this.#log + String(chunk)).slice(-4000)
      this.pid ||= Number(/^pid (\d+)$/m.exec(this.#log)?.[1] ?? 0)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    for (const deadline = Date.now() + DEADLINE_MS; this.pid === 0 || !(await answers()); await sleep(20)) {
      if (child.exitCode !== null || Date.now() > deadline)
        throw new Error(`the S3 server does not start: ${this.#log}`)
    }
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null) return
    process.kill(this.pid, 'SIGKILL')
    await endProcess(child, null, () => this.#log)
  }
}

/** Starts a server with one empty bucket; ask `s3Missing` first to skip. */
export async function startS3(bucket = 'test-bucket'): Promise<S3Server> {
  await prepareS3()
  const versity = existsSync(binary())
  const folder = await mkdtemp(join(tmpdir(), 'millrace-s3-server-'))
  const credentials = { accessKeyId: 'test-access', secretAccessKey: 'test-secret-of-s3' }
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const command = versity
    ? [binary(), '--port', `127.0.0.1:${port}`, '--quiet', 'posix', folder]
    : [await motoServer(), '-H', '127.0.0.1', '-p', String(port)]
  const server = new Server(command, {
    ...process.env,
    ROOT_ACCESS_KEY: credentials.accessKeyId,
    ROOT_SECRET_KEY: credentials.secretAccessKey,
  })
  const client = new S3Client({ region: 'us-east-1', endpoint, credentials, forcePathStyle: true, maxAttempts: 1 })
  const answers = async (): Promise<boolean> => {
    const response = await fetch(endpoint).catch(() => undefined)
    await response?.text()
    return response !== undefined
  }
  await server.start(answers)
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  return {
    program: versity ? `versitygw ${VERSITYGW}` : 'moto 5.2.5',
    endpoint,
    bucket,
    ...credentials,
    client,
    keepsObjects: versity,
    pid: () => server.pid,
    kill: () => server.kill(),
    restart: () => server.start(answers),
    async stop() {
      client.destroy()
      await server.kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function motoServer(): Promise<string> {
  const python = await pythonWith([MOTO])
  return join(python, '..', 'moto_server')
}
