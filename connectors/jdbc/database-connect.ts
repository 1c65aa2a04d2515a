import { ConnectError, isConnectError, type PluginLogger } from '@millrace/sdk'
import { pause } from '../_shared/retry/index.ts'
import type { ConnectionSettings } from './connection-config.ts'
import type { Dialect } from './dialect.ts'
import type { SqlConnection } from './sql.ts'

/** Connects, trying again as the settings say. A refused login is not tried again: it could lock the account. */
export async function connectWithRetries(
  dialect: Dialect,
  settings: ConnectionSettings,
  options: { purpose: 'read' | 'write'; logger: PluginLogger; signal?: AbortSignal },
): Promise<SqlConnection> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await dialect.connect(settings, options.purpose)
    } catch (cause) {
      const text = `cannot connect to the database: ${dialect.describeFailure(cause, false)}`
      if (!isPassing(dialect, cause)) throw new ConnectError(text, { cause })
      if (attempt >= settings.attempts) throw new ConnectError(`${text} (${attempt} attempts)`, { cause })
      options.logger.warn({ attempt, attempts: settings.attempts }, text)
      await pause(settings.backoffMs, options.signal)
      if (options.signal?.aborted) throw new ConnectError(text, { cause })
    }
  }
}

/** Whether a connection may be had later without anyone changing the configuration. */
export function isPassing(dialect: Dialect, error: unknown): boolean {
  if (isConnectError(error) && error.code === 'CONFIG') return false
  return dialect.failureKind(error) === 'transient'
}
