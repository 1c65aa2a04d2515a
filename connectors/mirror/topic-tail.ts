import type { KafkaConsumer, KafkaRecord } from '@millrace/sdk'

/** Reads the only partition of a topic of the mirror's own, each time up to where it ends then. */
export class TopicTail {
  readonly #consumer: KafkaConsumer
  readonly #partition: { readonly topic: string; readonly partition: number }
  readonly #pollTimeoutMs: number
  #isAssigned = false

  constructor(consumer: KafkaConsumer, topic: string, pollTimeoutMs: number) {
    this.#consumer = consumer
    this.#partition = { topic, partition: 0 }
    this.#pollTimeoutMs = pollTimeoutMs
  }

  /** True when the end was reached, false when the signal aborted before. */
  async readToEnd(onRecord: (record: KafkaRecord) => void, signal: AbortSignal): Promise<boolean> {
    if (!this.#isAssigned) this.#consumer.assign([this.#partition])
    this.#isAssigned = true
    const [end = 0] = await this.#consumer.endOffsets([this.#partition])
    while ((await this.#consumer.position(this.#partition)) < end) {
      if (signal.aborted) return false
      for (const record of await this.#consumer.poll(this.#pollTimeoutMs, signal)) onRecord(record)
    }
    return true
  }

  close(): Promise<void> {
    return this.#consumer.close()
  }
}
