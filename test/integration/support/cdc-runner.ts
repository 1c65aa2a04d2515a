// The smallest runtime that a source task needs: polls, keeps what came, remembers and commits offsets.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  FINISHED,
  parseConfigKeys,
  type SourceOffset,
  type SourcePosition,
  type SourceRecord,
  type SourceTask,
} from '@millrace/sdk'
import connector from '../../../connectors/postgres-cdc/source.ts'
import type { Config } from '../../../connectors/postgres-cdc/config.ts'
import { DEADLINE_MS } from '../../services/deadline.ts'
import type { Postgres } from '../../services/postgres.ts'

/** Waits for a condition; the text of `what` names it when it does not come true. */
export async function until(what: () => string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + DEADLINE_MS; !(await condition()); await sleep(5)) {
    if (Date.now() > deadline) throw new Error(`not in ${DEADLINE_MS} ms: ${what()}`)
  }
}

export function parseConfig(raw: Readonly<Record<string, string>>): Config {
  const parsed = parseConfigKeys(connector.config, raw)
  const problems = [...parsed].flatMap(([key, { errors }]) => errors.map((error) => `${key}: ${error}`))
  if (problems.length > 0) throw new Error(problems.join('\n'))
  return Object.fromEntries([...parsed].map(([key, { value }]) => [key, value])) as Config
}

/** A configuration for a test server. */
export function configFor(
  pg: Pick<Postgres, 'host' | 'port' | 'user' | 'password' | 'database'>,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    'connector.class': 'PostgresCdcSource',
    'database.hostname': pg.host,
    'database.port': String(pg.port),
    'database.user': pg.user,
    'database.password': pg.password,
    'database.dbname': pg.database,
    'topic.prefix': 'pfx',
    'retriable.restart.connector.wait.ms': '200',
    ...more,
  }
}

/** A record as it would be in the log. */
export interface Seen {
  readonly topic: string
  readonly partition: number | null
  readonly key: string | null
  readonly value: string | null
  readonly headers: SourceRecord['headers']
  readonly offset: SourceOffset
  readonly record: SourceRecord
}

export interface LogLine {
  readonly level: string
  readonly fields: object
  readonly message: string
}

/** A durable offset that outlives runs. */
export interface OffsetStore {
  offset: SourceOffset | null
}

export class CdcRun {
  readonly seen: Seen[] = []
  readonly log: LogLine[] = []
  readonly store: OffsetStore
  readonly #abort = new AbortController()
  readonly #task: SourceTask
  readonly #toText: (record: SourceRecord, part: 'key' | 'value') => Uint8Array | null
  #loop: Promise<void> = Promise.resolve()
  /** Stops taking batches at this many records, as if the process had died behind that record. */
  readonly #dieAfter: number
  readonly #keep: boolean
  /** Whether offsets become durable. */
  commits: boolean
  #resumed: Promise<void> = Promise.resolve()
  #resume: () => void = () => undefined
  error: unknown
  finished = false
  positions = 0

  constructor(
    raw: Readonly<Record<string, string>>,
    options: {
      store?: OffsetStore
      dieAfter?: number
      toText?: (record: SourceRecord, part: 'key' | 'value') => Uint8Array | null
      /** False for benchmarks: records are counted by `toText` alone. */
      keep?: boolean
      /** False: offsets are remembered but never durable, so nothing may be confirmed. */
      commit?: boolean
    } = {},
  ) {
    this.#keep = options.keep ?? true
    this.commits = options.commit ?? true
    this.store = options.store ?? { offset: null }
    this.#dieAfter = options.dieAfter ?? Number.POSITIVE_INFINITY
    this.#toText = options.toText ?? ((record, part) => record.jsonText?.(part) ?? null)
    const line = (level: string) => (fields: object, message: string) => void this.log.push({ level, fields, message })
    this.#task = connector.createTask(parseConfig(raw), {
      connectorName: 'test',
      taskId: 0,
      raw,
      logger: { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') },
      offsets: {
        offset: async () => this.store.offset,
        offsets: async (partitions) => partitions.map(() => this.store.offset),
      },
    })
  }

  static async start(...args: ConstructorParameters<typeof CdcRun>): Promise<CdcRun> {
    const run = new CdcRun(...args)
    await run.#task.start?.()
    run.#loop = run.#poll().catch((error: unknown) => {
      run.error = error
    })
    return run
  }

  async #poll(): Promise<void> {
    const { signal } = this.#abort
    while (!signal.aborted) {
      await this.#resumed
      const batch = await this.#task.poll(signal)
      if (batch === FINISHED) {
        this.finished = true
        return
      }
      for (const item of batch ?? []) {
        if (this.seen.length >= this.#dieAfter) return
        this.#take(item)
      }
      if (this.seen.length >= this.#dieAfter) return
      if (this.commits && batch?.length && this.store.offset) {
        await this.#task.commit?.([{ sourcePartition: { server: 'pfx' }, sourceOffset: this.store.offset }])
      }
    }
  }

  #take(item: SourceRecord | SourcePosition): void {
    this.store.offset = item.sourceOffset
    if (item.topic === null) {
      this.positions++
      return
    }
    if (!this.#keep) {
      this.#toText(item, 'key')
      this.#toText(item, 'value')
      return
    }
    const text = (part: 'key' | 'value'): string | null => {
      const bytes = this.#toText(item, part)
      return bytes === null ? null : Buffer.from(bytes).toString('utf8')
    }
    this.seen.push({
      topic: item.topic,
      partition: item.partition,
      key: text('key'),
      value: text('value'),
      headers: item.headers,
      offset: item.sourceOffset,
      record: item,
    })
  }

  /** Stops polling until `resume`: the task feels back-pressure. */
  pause(): void {
    this.#resumed = new Promise((resolve) => {
      this.#resume = resolve
    })
  }

  resume(): void {
    this.#resume()
  }

  #state(): string {
    return this.error instanceof Error ? this.error.message : JSON.stringify(this.log.at(-1))
  }

  /** Waits until so many records came. */
  async records(count: number): Promise<Seen[]> {
    await until(
      () => `${count} records; ${this.seen.length} came; ${this.#state()}`,
      () => this.seen.length >= count || this.error !== undefined,
    )
    if (this.error !== undefined) throw this.error
    return this.seen
  }

  /** Waits until the task streams for the nth time. */
  async streaming(times = 1): Promise<void> {
    await this.logged('streaming', times)
  }

  /** Waits until a line was logged so many times. */
  async logged(message: string, times = 1): Promise<void> {
    await until(
      () => `"${message}" ${times} times; ${JSON.stringify(this.log.slice(-3))}`,
      () => {
        if (this.error !== undefined) throw this.error
        return this.log.filter((line) => line.message.startsWith(message)).length >= times
      },
    )
  }

  /** Waits until a record like this came. */
  async until(wanted: (seen: Seen) => boolean): Promise<void> {
    let checked = 0
    await until(
      () => `a record; ${this.seen.length} came; ${this.#state()}`,
      () => {
        if (this.error !== undefined) throw this.error
        while (checked < this.seen.length) if (wanted(this.seen[checked++] as Seen)) return true
        return false
      },
    )
  }

  async ended(): Promise<void> {
    await until(
      () => 'the task to end',
      () => this.finished || this.error !== undefined || this.seen.length >= this.#dieAfter,
    )
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    this.resume()
    await this.#loop
    await this.#task.stop?.()
  }
}

/** The payload of a value, read back. */
export const json = (text: string | null): any => (text === null ? null : JSON.parse(text))
