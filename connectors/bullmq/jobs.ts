import { DataError, type SinkRecord } from '@millrace/sdk'
import type { JobsOptions } from 'bullmq'
import { plainData } from './plain-data.ts'
import type { BullmqSinkConfig } from './sink-config.ts'
import { type Pick, pickOf, placeText, textOf } from './templates.ts'

/** What is done in a queue for a record. */
export type QueueWrite =
  | { readonly kind: 'add'; readonly name: string; readonly data: unknown; readonly opts: JobsOptions }
  | { readonly kind: 'remove'; readonly jobId: string }

/** Makes what is done for a record; null for nothing. DataError when the record cannot be a job. */
export type ToWrite = (record: SinkRecord) => QueueWrite | null

/** The mapping of one connector. */
export function jobsOf(config: BullmqSinkConfig): ToWrite {
  const idOf = jobIds(config)
  const nameOf = pickOf(config['job.name'])
  const isEnvelope = config['job.data'] === 'envelope'
  const options = jobOptions(config)
  return (record) => {
    if (record.value === null || record.value === undefined) {
      const behavior = config['tombstone.behavior']
      if (behavior === 'ignore') return null
      if (behavior === 'fail') throw new DataError('the value is null, and tombstone.behavior is fail')
      return { kind: 'remove', jobId: idOf(record) as string }
    }
    const opts: JobsOptions = {}
    const jobId = idOf(record)
    if (jobId !== undefined) opts.jobId = jobId
    for (const set of options) set(record, opts)
    const named = textOf('job.name', nameOf(record))
    const name = named === '${topic}' ? record.topic : named.replaceAll('${topic}', record.topic)
    return {
      kind: 'add',
      name,
      data: isEnvelope ? envelope(record) : plainData(record.valueSchema, record.value),
      opts,
    }
  }
}

function envelope(record: SinkRecord): unknown {
  return {
    topic: record.originalTopic,
    partition: record.originalPartition,
    offset: record.originalOffset,
    timestamp: record.timestamp,
    key: plainData(record.keySchema, record.key),
    headers: record.headers.map(({ key, value, schema }) => ({ key, value: plainData(schema, value) })),
    value: plainData(record.valueSchema, record.value),
  }
}

function jobIds(config: BullmqSinkConfig): (record: SinkRecord) => string | undefined {
  const { 'job.id': spec, 'job.id.prefix': prefix } = config
  if (spec === 'none') return () => undefined
  const isPicked = spec === 'key' || /^(field|header):/.test(spec)
  if (!isPicked) {
    const place = placeText(spec)
    return (record) => prefix + place(record)
  }
  const pick: Pick = spec === 'key' ? ({ key }) => key : pickOf(spec)
  return (record) => {
    const id = prefix + textOf(`job.id (${spec})`, pick(record))
    if (id === '') throw new DataError(`job.id (${spec}) is empty in the record`)
    if (id.includes(':')) throw new DataError(`the job id "${id}" contains a colon, which BullMQ refuses`)
    if (/^\d+$/.test(id)) {
      throw new DataError(`the job id "${id}" has only digits, which BullMQ refuses; set job.id.prefix`)
    }
    return id
  }
}

type SetOption = (record: SinkRecord, opts: JobsOptions) => void

function jobOptions(config: BullmqSinkConfig): SetOption[] {
  const set = <T>(
    key: keyof BullmqSinkConfig & `${string}.${string}`,
    read: (key: string, value: unknown) => T,
    assign: (opts: JobsOptions, value: T) => void,
  ): SetOption[] => {
    const spec = config[key] as string
    if (spec === '') return []
    const pick = pickOf(spec)
    return [
      (record, opts) => {
        const value = pick(record)
        if (value !== undefined) assign(opts, read(key, value))
      },
    ]
  }
  return [
    set('job.opts.delay', whole, (opts, delay) => void (opts.delay = delay)),
    set('job.opts.priority', whole, (opts, priority) => void (opts.priority = priority)),
    set('job.opts.attempts', whole, (opts, attempts) => void (opts.attempts = attempts)),
    set('job.opts.backoff.type', textOf, (opts, type) => void (opts.backoff = { type })),
    set('job.opts.backoff.delay', whole, (opts, delay) => {
      const type = typeof opts.backoff === 'object' ? opts.backoff.type : 'fixed'
      opts.backoff = { type, delay }
    }),
    set('job.opts.removeOnComplete', kept, (opts, keep) => void (opts.removeOnComplete = keep)),
    set('job.opts.removeOnFail', kept, (opts, keep) => void (opts.removeOnFail = keep)),
    set('job.opts.lifo', flag, (opts, lifo) => void (opts.lifo = lifo)),
    set('deduplication.id', textOf, (opts, id) => void (opts.deduplication = { id })),
    set('deduplication.ttl', whole, (opts, ttl) => {
      if (opts.deduplication !== undefined) opts.deduplication = { id: opts.deduplication.id, ttl }
    }),
  ].flat()
}

/** Says what is wrong with the constants of a config: these fail before the first record. */
export function constantProblems(config: BullmqSinkConfig): { key: string; message: string }[] {
  const readers: [keyof BullmqSinkConfig, (key: string, value: unknown) => unknown][] = [
    ['job.opts.delay', whole],
    ['job.opts.priority', whole],
    ['job.opts.attempts', whole],
    ['job.opts.backoff.delay', whole],
    ['job.opts.removeOnComplete', kept],
    ['job.opts.removeOnFail', kept],
    ['job.opts.lifo', flag],
    ['deduplication.ttl', whole],
  ]
  return readers.flatMap(([key, read]) => {
    const value = config[key] as string
    if (value === '' || /^(field|header):/.test(value)) return []
    try {
      read(key, value)
      return []
    } catch (error) {
      return [{ key, message: (error as Error).message.replace(`${key} `, '') }]
    }
  })
}

function whole(key: string, value: unknown): number {
  const number = Number(textOf(key, value))
  if (!Number.isSafeInteger(number) || number < 0) throw new DataError(`${key} is no whole number of at least 0`)
  if (key === 'job.opts.priority' && number > 2_097_152) throw new DataError(`${key} is above 2097152`)
  return number
}

function flag(key: string, value: unknown): boolean {
  const text = textOf(key, value)
  if (text !== 'true' && text !== 'false') throw new DataError(`${key} is neither true nor false`)
  return text === 'true'
}

function kept(key: string, value: unknown): boolean | number {
  const text = textOf(key, value)
  return text === 'true' || text === 'false' ? text === 'true' : whole(key, value)
}
