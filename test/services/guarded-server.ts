// A server of Debian in a folder and on a port of its own, which can be killed and started again.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isAlive } from './alive.ts'
import { DEADLINE_MS } from './deadline.ts'
import { freePort } from './free-port.ts'

export interface GuardedServerOptions {
  /** For messages. */
  readonly name: string
  /** All its files. */
  readonly folder: string
  /** The command that runs it in the foreground; where its process id belongs is told. */
  command(port: number, pidFile: string): readonly string[]
  /** Whether it takes connections, from what it said. */
  isReady(log: string): boolean
}

const ATTEMPTS = 4
const ATTEMPT_PAUSE_MS = 500
const LOG_CHARS = 4000

// The shell holds a pipe of ours: when this process dies, however it dies, the pipe closes and server and data go too.
const GUARD = `exec 3<&0; data=$1; shift; "$@" </dev/null & p=$!
(read _ <&3; kill -9 $p; while kill -0 $p; do sleep 0.1; done; rm -rf "$data") 2>/dev/null & w=$!; wait $p; kill $w`

export class GuardedServer {
  readonly #options: GuardedServerOptions
  #child: ChildProcess | undefined
  #log = ''
  port = 0
  pid = 0

  constructor(options: GuardedServerOptions) {
    this.#options = options
  }

  /** The first start finds a port; the next ones keep it. */
  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const isFirst = this.port === 0
      this.port ||= await freePort()
      if (await this.#tryStart()) return
      if (attempt === ATTEMPTS) throw new Error(`${this.#options.name} does not start: ${this.#log}`)
      if (isFirst) this.port = 0
      // What it shares with the one that was killed may be free only after a moment.
      await sleep(attempt * ATTEMPT_PAUSE_MS)
    }
  }

  async #tryStart(): Promise<boolean> {
    const { folder, command, isReady } = this.#options
    this.#log = ''
    const pidFile = join(folder, 'server.pid')
    await rm(pidFile, { force: true })
    const child = spawn('/bin/sh', ['-c', GUARD, 'sh', folder, ...command(this.port, pidFile)], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => (this.#log = (this.#log + String(chunk)).slice(-LOG_CHARS)))
    }
    // The write end must stay open but must not keep the test process alive.
    child.unref()
    for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as unknown as { unref(): void }).unref()
    await this.#until('start', () => isReady(this.#log) || child.exitCode !== null)
    if (child.exitCode !== null) return false
    await this.#until('its pid', async () => {
      this.pid = Number(await readFile(pidFile, 'utf8').catch(() => '0'))
      return this.pid > 0
    })
    return true
  }

  /** kill -9, and its end. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null) return
    process.kill(this.pid, 'SIGKILL')
    await this.#until('end', () => child.exitCode !== null && !isAlive(this.pid))
  }

  async #until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    for (const deadline = Date.now() + DEADLINE_MS; !(await condition()); await sleep(10)) {
      if (Date.now() > deadline) {
        throw new Error(`${this.#options.name}: not in ${DEADLINE_MS} ms: ${what}: ${this.#log}`)
      }
    }
  }
}
