// rsyslog from Debian, which takes messages of `logger` at a socket and forwards them.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DEADLINE_MS } from './deadline.ts'
import { endProcess } from './end-process.ts'
import { requireCommand, requireFile } from './require.ts'

export interface Rsyslog {
  /** The socket for `logger --socket`. */
  readonly socket: string
  stop(): Promise<void>
}

/** Why rsyslog cannot be used here: says so, or fails where it is required. */
export function rsyslogMissing(): boolean {
  const logger = requireCommand('logger', 'install bsdutils')
  return requireCommand('/usr/sbin/rsyslogd', 'install rsyslog') || logger
}

/** Whether its driver for TLS is missing, which is a package of its own. */
export function rsyslogTlsMissing(): boolean {
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64'
  return requireFile(`/usr/lib/${machine}-linux-gnu/rsyslog/lmnsd_gtls.so`, 'install rsyslog-gnutls')
}

/** Starts rsyslog with one forwarding action, given as the parameters of `omfwd`, and more parameters of `global`. */
export async function startRsyslog(forward: string, global = ''): Promise<Rsyslog> {
  // A short path: the name of a socket may have 107 bytes.
  const folder = await mkdtemp(join(tmpdir(), 'mr-rs-'))
  const socket = join(folder, 'log')
  const file = join(folder, 'rsyslog.conf')
  await writeFile(
    file,
    `global(workDirectory="${folder}" ${global})
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="${socket}" RateLimit.Interval="0")
action(type="omfwd" action.resumeRetryCount="-1" action.resumeInterval="1" ${forward})
`,
  )
  const child = spawn('/usr/sbin/rsyslogd', ['-n', '-f', file, '-i', join(folder, 'pid')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
  for (const deadline = Date.now() + DEADLINE_MS; !existsSync(socket); await sleep(10)) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`rsyslog does not start: ${output}`)
  }
  return {
    socket,
    async stop() {
      await endProcess(child, 'SIGKILL', () => output)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
