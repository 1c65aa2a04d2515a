import { hostname } from 'node:os'
import type { Command } from 'commander'
import { realClock, realDisk, realNet, realRandom } from '../../base/real/index.ts'
import { type Broker, createBroker } from '../../broker/index.ts'
import { createLogger, exitAfterLog } from '../logger.ts'
import { collectOverride, readPropertiesFile } from '../properties-file.ts'
import { UsageError } from '../usage-error.ts'

export function define(command: Command): void {
  command
    .argument('[server.properties]', "Kafka's broker configuration; without it the defaults are used")
    .option('--override <key=value>', 'a configuration over those of the file; may be repeated', collectOverride, {})
    .action(async (file: string | undefined, options: { override: Record<string, string> }) => {
      const config = { ...(file === undefined ? {} : readPropertiesFile(file)), ...options.override }
      await runBroker(config)
    })
}

/** Runs a broker until the process is told to stop: by a signal, or by the end of the parent that holds its channel. */
async function runBroker(config: Record<string, string>): Promise<void> {
  const logger = createLogger()
  const broker = createBroker({
    config,
    clock: realClock,
    random: realRandom,
    disk: realDisk,
    net: realNet,
    logger,
    hostname: hostname(),
  })
  const stop = (reason: string) => {
    logger.info({ reason }, 'broker stopping')
    stopBroker(broker).catch((error: unknown) => {
      logger.error({ err: error }, 'the broker did not stop cleanly; the next start recovers its logs')
      return exitAfterLog(1)
    })
  }
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGINT', () => stop('SIGINT'))
  process.on('disconnect', () => stop('the parent process is gone'))
  try {
    await broker.start()
  } catch (error) {
    throw explained(error)
  }
  process.send?.({ type: 'listening', port: broker.port, listeners: broker.listeners })
}

async function stopBroker(broker: Broker): Promise<void> {
  await broker.close()
  await exitAfterLog(0)
}

function explained(error: unknown): unknown {
  const { code, address, port } = error as { code?: string; address?: string; port?: number }
  if (code === 'EADDRINUSE') {
    return new UsageError(
      `${address}:${port} is in use; stop what listens there or set listeners=PLAINTEXT://host:port`,
    )
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    return new UsageError(`cannot listen on ${address}:${port} (${code}); set listeners=PLAINTEXT://host:port`)
  }
  return error
}
