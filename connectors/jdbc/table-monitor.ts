import type { ConnectorContext, ConnectorMonitor, RawConfig } from '@millrace/sdk'
import { pause } from '../_shared/retry/index.ts'
import { connectionSettings } from './connection-config.ts'
import { connectWithRetries } from './database-connect.ts'
import { dialectOf } from './dialect.ts'
import type { SourceConfig } from './source-config.ts'
import { findTables, writeTables } from './table-selection.ts'

/** What the tasks of a connector were last made of; `pending` when the tables could not be listed then. */
const lastGiven = new WeakMap<ConnectorContext, string>()
export const PENDING = 'pending'
/** Idle tasks wait for this, so it does not take the whole interval. */
const PENDING_INTERVAL_MS = 5000

/** Remembers what `taskConfigs` gave, so that the monitor sees a change since then. */
export function rememberTables(context: ConnectorContext, tables: string): void {
  lastGiven.set(context, tables)
}

/** Watches for tables that appear or go, and asks for new tasks then. */
export function watchTables(config: SourceConfig, raw: RawConfig, context: ConnectorContext): ConnectorMonitor {
  const abort = new AbortController()
  let known: string | undefined
  const watch = async (): Promise<void> => {
    while (!abort.signal.aborted) {
      const isPending = (lastGiven.get(context) ?? known) === PENDING
      const interval = config['table.poll.interval.ms']
      await pause(isPending ? Math.min(interval, PENDING_INTERVAL_MS) : interval, abort.signal)
      if (abort.signal.aborted) return
      const found = await list(config, raw, context, abort.signal)
      if (found === undefined || abort.signal.aborted) continue
      const before = lastGiven.get(context) ?? known
      known = found
      if (before === undefined || before === found) continue
      lastGiven.set(context, found)
      context.logger.info({ tables: found }, 'the tables changed; asking for new tasks')
      context.requestTaskReconfiguration()
    }
  }
  const done = watch().catch((error: unknown) => context.raiseError(error as Error))
  return {
    async stop() {
      abort.abort()
      await done
    },
  }
}

/** The tables now, or undefined when they cannot be listed: the next round tries again. */
async function list(
  config: SourceConfig,
  raw: RawConfig,
  context: ConnectorContext,
  signal: AbortSignal,
): Promise<string | undefined> {
  const settings = connectionSettings(config, raw)
  const dialect = dialectOf(settings)
  try {
    const once = { ...settings, attempts: 1 }
    const connection = await connectWithRetries(dialect, once, { purpose: 'read', logger: context.logger, signal })
    const cut = (): void => void connection.close()
    signal.addEventListener('abort', cut, { once: true })
    try {
      return writeTables(await findTables(dialect, connection, config))
    } finally {
      signal.removeEventListener('abort', cut)
      await connection.close()
    }
  } catch (error) {
    if (!signal.aborted) {
      context.logger.warn(
        { reason: dialect.describeFailure(error, false) },
        'the tables cannot be listed; trying again later',
      )
    }
    return undefined
  }
}
