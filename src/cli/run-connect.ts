import { enableCompileCache } from 'node:module'
import { compileCacheFolder } from '../base/real/index.ts'
import type { ConnectOptions, ConnectServer } from '../server.ts'
import { createConnectLogger } from './connect-logger.ts'
import { exitAfterLog } from './logger.ts'
import { UsageError } from './usage-error.ts'

/** Exit codes of Kafka's connect-standalone and connect-distributed. */
const EXIT_START_FAILED = 2
const EXIT_CONNECTOR_FAILED = 3

/** Runs a worker until the process is told to stop; `afterStart` failing stops it with exit code 3. */
export function runConnect(
  mode: 'standalone' | 'distributed',
  properties: Readonly<Record<string, string>>,
  afterStart?: (server: ConnectServer) => Promise<void>,
): Promise<void> {
  const start = async (context: ServerContext) => {
    const { startConnect } = await import('../server.ts')
    return startConnect({ ...context, properties, mode })
  }
  return runServer(start, afterStart)
}

/** What a server of this process gets. */
export type ServerContext = Required<Pick<ConnectOptions, 'logger' | 'logLevels' | 'onFatal'>>

/** The part of a server that its process has to do with. */
interface RunningServer {
  readonly url: string | null
  stop(): Promise<void>
}

/** Runs a server until the process is told to stop; `afterStart` failing stops it with exit code 3. */
export async function runServer<S extends RunningServer>(
  start: (context: ServerContext) => Promise<S>,
  afterStart: (server: S) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  // The compiled code of the last start is found again, which halves the time until the worker is healthy.
  enableCompileCache(compileCacheFolder())
  const { logger, levels } = createConnectLogger()
  let stopping: Promise<void> | null = null
  let server: S | null = null
  const stop = (reason: string, exitCode: number) => {
    logger.info({ reason }, 'the worker is stopping')
    stopping ??= (server?.stop() ?? Promise.resolve()).then(
      () => exitAfterLog(exitCode),
      (error: unknown) => {
        logger.error({ err: error }, 'the worker did not stop cleanly')
        return exitAfterLog(1)
      },
    )
  }
  process.on('SIGTERM', () => stop('SIGTERM', 0))
  process.on('SIGINT', () => stop('SIGINT', 0))
  process.on('disconnect', () => stop('the parent process is gone', 0))
  try {
    const onFatal = (error: Error) => stop(error.message, 1)
    server = await start({ logger, logLevels: levels, onFatal })
  } catch (error) {
    process.stderr.write(`${explained(error)}\n`)
    return exitAfterLog(EXIT_START_FAILED)
  }
  process.send?.({ type: 'listening', url: server.url })
  try {
    await afterStart(server)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    stop('a connector could not be created', EXIT_CONNECTOR_FAILED)
  }
}

/** What the user can do about a start that failed; a stack only where we do not know. */
function explained(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, address, port } = error as { code?: string; address?: string; port?: number }
  if (code === 'EADDRINUSE') {
    return `${address}:${port} is in use; stop what listens there or set listeners=http://host:port`
  }
  return code !== undefined || error instanceof UsageError ? error.message : (error.stack ?? error.message)
}
