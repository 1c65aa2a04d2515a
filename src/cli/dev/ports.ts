import { createServer } from 'node:net'
import { UsageError } from '../usage-error.ts'

/** Throws with the way out when somebody listens on the port. */
export function requireFreePort(port: number, option: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'EADDRINUSE' ? 'is in use' : `cannot be listened on (${error.code})`
      reject(new UsageError(`port ${port} ${reason}; choose another with ${option} <port>`))
    })
    server.listen(port, '127.0.0.1', () => server.close(() => resolve()))
  })
}

/** The port that an option names. */
export function parsePort(text: string, option: string): number {
  const port = Number(text)
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new UsageError(`${option} takes a port, not "${text}"`)
  return port
}

/** Milliseconds of `30s`, `2m`, `1h` or plain seconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(s|m|h)?$/.exec(text)
  if (!match) throw new UsageError(`--for takes a time such as 30s, 2m or 1h, not "${text}"`)
  return Number(match[1]) * { s: 1000, m: 60_000, h: 3_600_000 }[(match[2] ?? 's') as 's' | 'm' | 'h']
}
