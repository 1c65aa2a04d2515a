import type { KafkaClients } from '@millrace/sdk'
import { expectThat } from './check.ts'

/** The clients of one connector or task. What it leaves open is closed with it, as a worker does. */
export interface OwnClients {
  /** For the context: nothing where the options name no clients. */
  readonly context: { readonly kafka?: KafkaClients }
  close(): Promise<void>
}

/** Clients that the module gives as its default export. */
export async function loadClients(module: URL | undefined): Promise<OwnClients> {
  if (module === undefined) return { context: {}, close: async () => {} }
  const { default: kafka } = (await import(module.href)) as { default?: KafkaClients }
  expectThat(kafka, `${module.pathname} has no Kafka clients as its default export`)
  const open = new Set<{ close(): Promise<void> }>()
  const kept = <C extends { close(): Promise<void> }>(client: C): C => {
    open.add(client)
    return client
  }
  return {
    context: {
      kafka: {
        consumer: (config) => kept(kafka.consumer(config)),
        producer: (config) => kept(kafka.producer(config)),
        admin: (config) => kept(kafka.admin(config)),
      },
    },
    async close() {
      await Promise.allSettled([...open].map((client) => client.close()))
      open.clear()
    },
  }
}
