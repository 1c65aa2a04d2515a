import { createServer } from 'node:net'

const FIRST = 15_000
const PORTS_EACH = 2000
const PROCESSES = 8

// Each of the processes that run tests at the same time has ports of its own.
const first = FIRST + (Number(process.env['VITEST_POOL_ID'] ?? 0) % PROCESSES) * PORTS_EACH
let given = Math.floor(Math.random() * PORTS_EACH)

/**
 * A port on loopback that nobody uses, and that is not given to anybody else. It lies below those of outgoing
 * connections, so that nobody takes it before its server listens, or while the server is down between two starts.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = first + (given++ % PORTS_EACH)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
