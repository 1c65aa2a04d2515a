import type { MongoClient } from 'mongodb'
import { ConfigError } from '@millrace/sdk'
import type { Namespace } from './namespace.ts'
import type { MongoSinkConfig } from './sink-config.ts'

const NAMESPACE_EXISTS = 48

/** Makes the collection a time series when it is missing. Throws ConfigError when there is one that is none. */
export async function ensureTimeSeries(
  client: MongoClient,
  { database, collection }: Namespace,
  config: MongoSinkConfig,
): Promise<void> {
  const db = client.db(database)
  const name = `${database}.${collection}`
  const isOther = async (): Promise<boolean | undefined> => {
    const [found] = await db.listCollections({ name: collection }, { nameOnly: false }).toArray()
    return found && found.type !== 'timeseries' && found.options?.timeseries === undefined
  }
  const refuse = (): never => {
    const key = 'timeseries.timefield'
    throw new ConfigError(`${key}: the collection ${name} exists and is no time series; name another one`, { key })
  }
  const existing = await isOther()
  if (existing === true) refuse()
  if (existing !== undefined) return
  const granularity = config['timeseries.granularity'].toLowerCase()
  const metaField = config['timeseries.metafield']
  const expires = config['timeseries.expire.after.seconds']
  try {
    await db.createCollection(collection, {
      timeseries: {
        timeField: config['timeseries.timefield'],
        ...(metaField === '' ? {} : { metaField }),
        ...(granularity === '' ? {} : { granularity: granularity as 'seconds' | 'minutes' | 'hours' }),
      },
      ...(expires === 0 ? {} : { expireAfterSeconds: expires }),
    })
  } catch (error) {
    if ((error as { code?: unknown }).code !== NAMESPACE_EXISTS) throw error
    // Another task was faster.
    if (await isOther()) refuse()
  }
}
