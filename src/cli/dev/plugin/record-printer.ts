import { sleep } from '../../../base/index.ts'
import { realClock } from '../../../base/real/index.ts'
import type { Client, Consumer, ConsumerRecord } from '../../../client/index.ts'

const POLL_MS = 500
/** More records than this in a second are only counted: nobody can read them. */
const SHOWN_PER_SECOND = 20
const TEXT_CHARS_MAX = 200

/** Prints what arrives in the topics, those too that are made later. Ends when the signal aborts. */
export async function printRecords(
  client: Client,
  groupId: string,
  signal: AbortSignal,
  print: (text: string) => void,
): Promise<void> {
  const consumer = client.consumer({ groupId, autoOffsetReset: 'earliest', enableAutoCommit: false })
  // Topics that start with two underscores are the broker's own.
  consumer.subscribe(/^(?!__)/)
  const lines = new LimitedLines(print)
  try {
    while (!signal.aborted) {
      const records = await pollUnlessAborted(consumer, signal)
      for (const record of records) lines.add(record)
      if (records.length === 0) lines.end()
    }
  } finally {
    lines.end()
    await consumer.close()
  }
}

/** Prints the first records of each second and counts the others. */
class LimitedLines {
  readonly #print: (text: string) => void
  #second = 0
  #shown = 0
  #left = 0

  constructor(print: (text: string) => void) {
    this.#print = print
  }

  add(record: ConsumerRecord): void {
    const second = Math.floor(realClock.monotonicMs() / 1000)
    if (second !== this.#second) this.end()
    this.#second = second
    if (this.#shown++ < SHOWN_PER_SECOND) this.#print(recordLine(record))
    else this.#left++
  }

  /** Tells how many were left out. */
  end(): void {
    if (this.#left > 0) this.#print(`  ... and ${this.#left} more`)
    this.#shown = 0
    this.#left = 0
  }
}

async function pollUnlessAborted(consumer: Consumer, signal: AbortSignal): Promise<readonly ConsumerRecord[]> {
  try {
    return await consumer.poll(POLL_MS, { signal })
  } catch (error) {
    if (signal.aborted) return []
    // Such as a broker that is slow to answer: what comes next is worth more than an end.
    if ((error as { retriable?: boolean }).retriable !== true) throw error
    await sleep(realClock, POLL_MS, signal).catch(() => undefined)
    return []
  }
}

/** One record in one line: where it is, its key and its value. */
export function recordLine({ topic, partition, offset, key, value }: ConsumerRecord): string {
  return `  ${topic}-${partition}@${offset}  ${shownText(key)}  ${shownText(value)}`
}

function shownText(bytes: Buffer | null): string {
  if (bytes === null) return 'null'
  const text = bytes.toString('utf8').replaceAll(/\p{Cc}/gu, '·')
  return text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}...` : text
}
