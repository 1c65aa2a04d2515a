import { Consumer as ForeignConsumer } from '@platformatic/kafka'

/** Counts at the destination with a foreign client, so that neither side's own figures are believed. */
export interface TopicReader {
  /** The end offset of partition 0, or 0 while there is no topic. */
  end(topic: string): Promise<number>
  /** Resolves to the times (performance.now) at which the records from `offset` on were seen, one for each. */
  arrivals(topic: string, offset: number, count: number): Promise<number[]>
  close(): Promise<void>
}

let counter = 0

export async function createTopicReader(bootstrapServers: string): Promise<TopicReader> {
  const consumer = new ForeignConsumer({
    clientId: 'bench',
    groupId: `bench-${process.pid}-${counter++}`,
    bootstrapBrokers: [bootstrapServers],
    strict: true,
    autocommit: false,
    // While there is no topic it is asked again and again; its own pause of a second would be part of what is measured.
    retryDelay: 20,
    maxWaitTime: 10,
    minBytes: 1,
  })
  return {
    async end(topic) {
      try {
        const offsets = await consumer.listOffsets({ topics: [topic] })
        return Number(offsets.get(topic)?.[0] ?? 0n)
      } catch {
        return 0
      }
    },
    async arrivals(topic, offset, count) {
      const stream = await consumer.consume({
        topics: [topic],
        mode: 'manual',
        offsets: [{ topic, partition: 0, offset: BigInt(offset) }],
      })
      const times: number[] = []
      for await (const _ of stream) {
        times.push(performance.now())
        if (times.length === count) break
      }
      return times
    },
    close: () => consumer.close(true),
  }
}
