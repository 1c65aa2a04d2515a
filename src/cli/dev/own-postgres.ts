import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, chownSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedPostgresBin, postgresOwner, reachableBin, runAs } from './postgres-binaries.ts'

/** A Postgres that lives as long as the quick start. */
export interface OwnPostgres {
  readonly url: string
  readonly pid: number
  /** Stops it and removes its data. */
  stop(): Promise<void>
}

// The shell holds a pipe of ours: when this process dies, however it dies, the pipe closes and the server goes too.
const GUARD = 'exec 3<&0; "$@" </dev/null & p=$!; (read _ <&3; kill -INT $p) 2>/dev/null & w=$!; wait $p; kill $w'

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let log = ''
    child.stderr?.on('data', (chunk) => {
      log = (log + String(chunk)).slice(-4000)
      if (log.includes('ready to accept connections')) resolve()
    })
    child.once('exit', (code) => reject(new Error(`Postgres ended with ${code}: ${log}`)))
  })
}

/** Starts a Postgres 18 with temporary data, logical WAL and a free port on loopback. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const as = postgresOwner()
  const bin = await reachableBin(embeddedPostgresBin(), as)
  const data = await mkdtemp(join(tmpdir(), 'millrace-postgres-data-'))
  if (as.uid !== undefined && as.gid !== undefined) chownSync(data, as.uid, as.gid)
  await runAs(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N'], as)
  const port = await freePort()
  const settings = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    wal_level: 'logical',
    shared_buffers: '64MB',
  }
  const lines = Object.entries(settings).map(([key, value]) => `${key} = '${value}'\n`)
  appendFileSync(join(data, 'postgresql.conf'), lines.join(''))
  const child = spawn('/bin/sh', ['-c', GUARD, 'sh', join(bin, 'postgres'), '-D', data], {
    ...as,
    cwd: tmpdir(),
    stdio: ['pipe', 'ignore', 'pipe'],
    // A Ctrl-C in the terminal must reach us first: the connectors are stopped before their database.
    detached: true,
  })
  await ready(child)
  return {
    url: `postgresql://postgres:postgres@127.0.0.1:${port}/postgres`,
    pid: child.pid ?? 0,
    async stop() {
      const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      child.stdin?.end()
      if (child.exitCode === null) await gone
      await rm(data, { recursive: true, force: true })
    },
  }
}
