import { type ClientOptions, resolveClientConfig } from './client-config.ts'
import { Producer } from './producer/producer.ts'
import type { ProducerOptions } from './producer/producer-config.ts'

/** Makes producers, consumers, admins and group members for one cluster. Each has connections of its own. */
export interface Client {
  producer(options?: ProducerOptions & ClientOverrides): Producer
}

/** Client options that one of a client's parts may have differently. */
export type ClientOverrides = Partial<Omit<ClientOptions, 'net' | 'clock' | 'random' | 'bootstrapServers'>>

/** Checks the options and opens nothing yet: connections are made when they are needed. */
export function createClient(options: ClientOptions): Client {
  resolveClientConfig(options)
  const configFor = (overrides: ClientOverrides) => resolveClientConfig({ ...options, ...overrides })
  return {
    producer: (own = {}) => new Producer(configFor(own), own),
  }
}
