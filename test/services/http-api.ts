// A real HTTP server as a process of its own, with faults by a seed; see http/api-server.ts.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { DEADLINE_MS } from './deadline.ts'
import { endProcess } from './end-process.ts'
import { freePort } from './free-port.ts'

const script = fileURLToPath(new URL('http/api-server.ts', import.meta.url))

export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

export interface ApiState {
  readonly requests: readonly string[]
  readonly faults: number
  readonly tokens: number
}

export interface HttpApi {
  readonly url: string
  /** How many items its lists have. */
  resize(size: number): Promise<void>
  state(): Promise<ApiState>
  /** Everything that was ever received, oldest first; also of processes that were killed. */
  received(): Promise<readonly Received[]>
  kill(): Promise<void>
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Starts the server; `faultRate` is the share of requests that get a fault. */
export async function startHttpApi(options: { seed?: number; faultRate?: number } = {}): Promise<HttpApi> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-http-'))
  const file = join(folder, 'received.jsonl')
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  let child: ChildProcess | undefined
  let output = ''
  let size = 0
  let starts = 0

  const control = async (query = ''): Promise<ApiState> =>
    (await fetch(`${url}/control${query}`, { signal: AbortSignal.timeout(DEADLINE_MS) })).json() as Promise<ApiState>
  const restart = async (): Promise<void> => {
    // Each process has faults of its own: with the same ones a request could meet the same fault for ever.
    const args = [String(port), file, String((options.seed ?? 1) + starts++), String(options.faultRate ?? 0)]
    const started = spawn(process.execPath, ['--conditions=source', script, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [started.stdout, started.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
    child = started
    for (const deadline = Date.now() + DEADLINE_MS; ; await sleep(10)) {
      if (started.exitCode !== null || Date.now() > deadline) throw new Error(`the API does not start: ${output}`)
      if ((await control(`?size=${size}`).catch(() => undefined)) !== undefined) return
    }
  }
  const end = async (): Promise<void> => {
    if (child) await endProcess(child, 'SIGKILL', () => output)
  }
  await restart()
  return {
    url,
    async resize(wanted) {
      size = wanted
      await control(`?size=${size}`)
    },
    state: () => control(),
    async received() {
      const text = await readFile(file, 'utf8').catch(() => '')
      const lines = text.split('\n').slice(0, -1)
      return lines.map((line) => JSON.parse(line) as Received)
    },
    kill: end,
    restart,
    async stop() {
      await end()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
