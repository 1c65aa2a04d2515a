import { isConnectionLost, type RedisLink } from '../_shared/redis/index.ts'

const NEEDED: Readonly<Record<string, { readonly command: string; readonly module: string }>> = {
  JSON: { command: 'JSON.SET', module: 'RedisJSON' },
  TIMESERIES: { command: 'TS.ADD', module: 'RedisTimeSeries' },
}

/** Why a data structure cannot be written because the server lacks its module; undefined when it can. */
export async function moduleProblem(link: RedisLink, type: string): Promise<string | undefined> {
  const needed = NEEDED[type.toUpperCase()]
  if (needed === undefined) return undefined
  let found: unknown
  try {
    found = await link.call('COMMAND', 'INFO', needed.command)
  } catch (error) {
    if (isConnectionLost(error)) throw error
    // Whoever may not ask hears of it with the first record.
    return undefined
  }
  if (Array.isArray(found) && found[0] !== null) return undefined
  return `${type.toUpperCase()} needs the module ${needed.module}, and this server does not know ${needed.command}; load the module or choose another redis.type`
}
