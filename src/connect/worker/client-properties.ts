import type { RawConfig } from '@millrace/sdk'
import { type ClientOptions, clientOptionsFrom } from '../../client/index.ts'

/** What clients need of the world around them. */
export type ClientEnvironment = Pick<ClientOptions, 'net' | 'clock' | 'random' | 'logger'>

/** The options of a client from Kafka's properties; keys of other things are left alone. */
export function clientOptions(properties: RawConfig, environment: ClientEnvironment): ClientOptions {
  const { clock, random, net, logger } = environment
  const { options } = clientOptionsFrom(properties)
  return { ...options, bootstrapServers: properties['bootstrap.servers'] ?? '', clock, random, net, logger }
}
