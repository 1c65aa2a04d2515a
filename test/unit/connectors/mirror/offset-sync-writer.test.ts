import type { KafkaProducer } from '@millrace/sdk'
import { describe, expect, test } from 'vitest'
import { OffsetSyncWriter } from '../../../../connectors/mirror/offset-sync-writer.ts'
import { decodeOffsetSync } from '../../../../connectors/mirror/wire.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** A producer whose answers the test gives. */
class SlowProducer implements KafkaProducer {
  readonly sent: string[] = []
  readonly answers: PromiseWithResolvers<number>[] = []

  send(record: Parameters<KafkaProducer['send']>[0]): Promise<number> {
    const { partition, upstreamOffset, downstreamOffset } = decodeOffsetSync(record.key!, record.value!)
    this.sent.push(`${partition}: ${upstreamOffset}=${downstreamOffset}`)
    const answer = Promise.withResolvers<number>()
    this.answers.push(answer)
    return answer.promise
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

function start(lagMax = 10) {
  const producer = new SlowProducer()
  const writer = new OffsetSyncWriter({ producer, topic: 'syncs', lagMax, logger: quiet })
  const note = (upstreamOffset: number, downstreamOffset: number, partition = 0): void =>
    writer.note({ topic: 't', partition, upstreamOffset, downstreamOffset })
  return { producer, writer, note }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('offset syncs', () => {
  test('are written for the first record, and then when the last one is too old', () => {
    const { producer, note } = start()
    for (let n = 0; n < 25; n++) note(100 + n, n)
    expect(producer.sent).toEqual(['0: 100=0', '0: 111=11', '0: 122=22'])
  })

  test('are written behind a gap of the source, and when the target began anew', () => {
    const { producer, note } = start(1000)
    note(1, 1)
    note(2, 2)
    note(5, 3)
    note(6, 0)
    expect(producer.sent).toEqual(['0: 1=1', '0: 5=3', '0: 6=0'])
  })

  test('that were not due come with the next commit, the newest of each partition', () => {
    const { producer, writer, note } = start()
    for (const partition of [0, 1]) for (let n = 0; n < 4; n++) note(n, n, partition)
    writer.sendDelayed()
    expect(producer.sent).toEqual(['0: 0=0', '1: 0=0', '0: 3=3', '1: 3=3'])
    writer.sendDelayed()
    expect(producer.sent).toHaveLength(4)
  })

  test('wait while ten are on their way, and only the newest of a partition waits', async () => {
    const { producer, note } = start(0)
    for (let n = 0; n < 30; n++) note(n, n)
    expect(producer.sent).toHaveLength(10)
    producer.answers[0]!.resolve(0)
    await settled()
    expect(producer.sent.slice(10)).toEqual(['0: 29=29'])
  })

  test('that could not be written come again with the next commit, unless there is a newer one', async () => {
    const { producer, writer, note } = start()
    note(0, 0)
    note(0, 0, 1)
    note(1, 1, 1)
    for (const { reject } of producer.answers) reject(new Error('away'))
    await settled()
    writer.sendDelayed()
    expect(producer.sent.slice(2).toSorted()).toEqual(['0: 0=0', '1: 1=1'])
  })
})
