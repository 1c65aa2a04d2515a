// A connection that breaks when the snapshot was read, and before its transaction ended: nothing has to be read again.
import { connect, createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { freePort } from '../services/free-port.ts'
import { postgresMissing, startPostgres } from '../services/postgres.ts'
import { CdcRun, configFor, until } from './support/cdc-runner.ts'

/** A way to the server that breaks the first connection that wants to end a transaction. */
async function startBreaker(target: number): Promise<{ readonly port: number; cuts: number; stop(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const port = await freePort()
  const breaker = { port, cuts: 0, stop: () => new Promise<void>((resolve) => stop(resolve)) }
  const server = createServer((socket) => {
    const beyond = connect(target, '127.0.0.1')
    for (const [from, to] of [
      [socket, beyond],
      [beyond, socket],
    ] as const) {
      sockets.add(from)
      from.on('error', () => to.destroy()).on('close', () => to.destroy())
    }
    beyond.pipe(socket)
    socket.on('data', (bytes) => {
      if (breaker.cuts > 0 || !bytes.includes('COMMIT')) return void beyond.write(bytes)
      breaker.cuts++
      socket.destroy()
    })
  })
  const stop = (done: () => void): void => {
    server.close(done)
    for (const socket of sockets) socket.destroy()
  }
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return breaker
}

test.skipIf(postgresMissing(15) !== null)('a snapshot that was read is not read again', async () => {
  const postgres = await startPostgres({ version: 15, wal: 'logical' })
  const breaker = await startBreaker(postgres.port)
  await postgres.query('create table rows (id int primary key)')
  await postgres.query('insert into rows select generate_series(1, 20)')
  const run = await CdcRun.start(configFor({ ...postgres, host: '127.0.0.1', port: breaker.port }))
  try {
    await until(
      () => 'the task streams',
      () => run.log.some(({ message }) => message === 'streaming'),
    )
    await postgres.query('insert into rows values (21)')
    await until(
      () => `the later row comes: ${run.seen.length}`,
      () => run.seen.some(({ key }) => key?.includes('21')),
    )
    expect(breaker.cuts).toBe(1)
    expect(run.seen).toHaveLength(21)
  } finally {
    await run.stop()
    await breaker.stop()
    await postgres.stop()
  }
})
