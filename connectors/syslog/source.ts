import {
  type ConfigIssue,
  defineSourceConnector,
  mapOf,
  type PollResult,
  type RawConfig,
  type Schema,
  schemas,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
  struct,
  timestampSchema,
} from '@millrace/sdk'
import { config as definition, refusal, type SyslogConfig } from './config.ts'
import { type Listening, listen } from './listener.ts'
import { manifest } from './manifest.ts'
import { parseMessage, type SyslogMessage } from './message.ts'
import { MessageQueue, type Received } from './message-queue.ts'

const { int32, string } = schemas.optional
const texts = (names: readonly string[]): (readonly [string, Schema])[] => names.map((name) => [name, string])

const EVENT = [
  'cefVersion',
  'deviceVendor',
  'deviceProduct',
  'deviceVersion',
  'deviceEventClassId',
  'name',
  'severity',
] as const

/** All forms share a schema: what a form does not have is null. */
const VALUE = struct(
  [
    ['date', timestampSchema({ optional: true })],
    ['facility', int32],
    ['host', string],
    ['level', int32],
    ['message', string],
    ...texts(['charset', 'remote_address', 'hostname']),
    ['version', int32],
    ...texts(['appName', 'processId', 'messageId']),
    ['structuredData', mapOf(schemas.string, mapOf(schemas.string, schemas.string), { optional: true })],
    ...texts(EVENT),
    ['extension', mapOf(schemas.string, schemas.string, { optional: true })],
  ],
  { name: 'millrace.syslog.Message' },
)
const NO_HEADERS = Object.freeze([])

class SyslogSourceTask implements SourceTask {
  readonly #config: SyslogConfig
  readonly #context: SourceTaskContext
  readonly #queue: MessageQueue
  readonly #partition: { readonly listener: string }
  #listening: Listening | undefined
  #received = 0

  constructor(config: SyslogConfig, context: SourceTaskContext) {
    this.#config = config
    this.#context = context
    this.#queue = new MessageQueue(config['syslog.queue.max.size'])
    this.#partition = { listener: `${config['syslog.listener']}:${config['syslog.port']}` }
  }

  async start(): Promise<void> {
    const stored = await this.#context.offsets.offset(this.#partition)
    this.#received = Number(stored?.['received'] ?? 0)
    this.#listening = await listen(this.#config, this.#queue, this.#context.logger)
  }

  async poll(signal: AbortSignal): Promise<PollResult> {
    const { 'syslog.queue.batch.size': max, 'syslog.backoff.millis': waitMs } = this.#config
    const taken = await this.#queue.take(max, waitMs, signal)
    const lost = this.#queue.takeLost()
    if (lost > 0) this.#context.logger.warn({ lost }, 'datagrams were lost: the log takes them slower than they come')
    return taken.map((received) => this.#record(received))
  }

  async stop(): Promise<void> {
    await this.#listening?.close()
  }

  #record(received: Received): SourceRecord {
    const message = parseMessage(received.text, received.atMs)
    return {
      topic: this.#config.topic,
      partition: null,
      key: received.remote,
      keySchema: schemas.string,
      value: valueOf(message, received.remote),
      valueSchema: VALUE,
      headers: NO_HEADERS,
      timestamp: message.date?.getTime() ?? received.atMs,
      sourcePartition: this.#partition,
      sourceOffset: { received: ++this.#received },
    }
  }
}

function valueOf(m: SyslogMessage, remote: string): Record<string, unknown> {
  const value: Record<string, unknown> = {
    date: m.date,
    facility: m.facility,
    host: m.host,
    level: m.level,
    message: m.message,
    charset: 'utf-8',
    remote_address: remote,
    hostname: m.host ?? remote,
    version: m.version,
    appName: m.appName,
    processId: m.processId,
    messageId: m.messageId,
    structuredData: m.structuredData,
  }
  for (const name of EVENT) value[name] = m.cef?.[name] ?? null
  value['extension'] = m.cef?.extension ?? null
  return value
}

function validate(_config: SyslogConfig, raw: RawConfig): readonly ConfigIssue[] {
  return Object.entries(raw).flatMap(([key, value]) => {
    const reason = refusal(key, value)
    return reason === undefined ? [] : [{ key, message: reason }]
  })
}

export default defineSourceConnector({
  name: manifest.name,
  version: manifest.version,
  aliases: manifest.aliases,
  config: definition,
  validate,
  // It owns a port, so there is one task, whatever tasks.max says.
  taskConfigs: (_config, _maxTasks, raw) => [{ ...raw }],
  createTask: (config, context) => new SyslogSourceTask(config, context),
})
