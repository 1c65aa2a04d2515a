import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type ConfigIssue,
  defineSourceConnector,
  FINISHED,
  type Header,
  type Parsed,
  type PollResult,
  type Schema,
  schemas,
  type SourceRecord,
  type SourceTask,
  type SourceTaskContext,
} from '@millrace/sdk'
import { datagenConfig } from './config.ts'
import { quickstarts, type Quickstart } from './quickstarts.ts'
import { drawFor } from './random.ts'

/** Records of one poll when there is no pause between them. */
const BATCH = 1000

type Options = Parsed<typeof datagenConfig>

class DatagenTask implements SourceTask {
  readonly #options: Options
  readonly #quickstart: Quickstart
  readonly #keyField: string
  readonly #keySchema: Schema | null
  readonly #context: SourceTaskContext
  readonly #task: number
  readonly #partition: { readonly 'task.id': number }
  #iteration = 0
  #generation = 0
  #seed = 0

  constructor(options: Options, context: SourceTaskContext) {
    this.#options = options
    this.#context = context
    this.#quickstart = quickstarts[options.quickstart]
    this.#keyField = options['schema.keyfield'] ?? this.#quickstart.keyField
    this.#keySchema = this.#quickstart.schema.field(this.#keyField)?.schema ?? null
    this.#task = Number(context.raw['task.id'] ?? context.taskId)
    this.#partition = { 'task.id': this.#task }
  }

  async start(): Promise<void> {
    const offset = await this.#context.offsets.offset(this.#partition)
    this.#iteration = Number(offset?.['current.iteration'] ?? 0)
    this.#generation = offset ? Number(offset['task.generation'] ?? 0) + 1 : 0
    this.#seed = this.#options['random.seed'] ?? Number(offset?.['random.seed'] ?? randomInt(2 ** 47))
  }

  async poll(signal: AbortSignal): Promise<PollResult> {
    const { iterations, 'max.interval': interval } = this.#options
    const left = iterations < 1 ? Number.POSITIVE_INFINITY : iterations - this.#iteration
    if (left <= 0) return FINISHED
    if (interval > 0) {
      const pause = drawFor(this.#seed, -1 - this.#task, this.#iteration).fraction() * interval
      await delay(pause, undefined, { signal }).catch(() => undefined)
      return signal.aborted ? null : [this.#next()]
    }
    return Array.from({ length: Math.min(BATCH, left) }, () => this.#next())
  }

  #next(): SourceRecord {
    const iteration = this.#iteration++
    const value = this.#quickstart.make(drawFor(this.#seed, this.#task, iteration), iteration)
    return {
      topic: this.#options['kafka.topic'],
      partition: null,
      keySchema: this.#keySchema,
      key: value[this.#keyField] ?? null,
      valueSchema: this.#quickstart.schema,
      value,
      headers: this.#headers(iteration),
      timestamp: Date.now(),
      sourcePartition: this.#partition,
      sourceOffset: {
        'task.generation': this.#generation,
        'current.iteration': this.#iteration,
        'random.seed': this.#seed,
      },
    }
  }

  #headers(iteration: number): readonly Header[] {
    const header = (key: string, value: number): Header => ({ key, value: BigInt(value), schema: schemas.int64 })
    return [
      header('task.generation', this.#generation),
      header('task.id', this.#task),
      header('current.iteration', iteration),
    ]
  }
}

function validate(options: Options, raw: Readonly<Record<string, string>>): ConfigIssue[] {
  const issues: ConfigIssue[] = []
  for (const key of ['schema.string', 'schema.filename']) {
    if (raw[key] === undefined) continue
    issues.push({ key, message: `${key} is not supported: name sample data in quickstart` })
  }
  const keyField = options['schema.keyfield']
  const { schema } = quickstarts[options.quickstart]
  if (keyField !== null && !schema.field(keyField)) {
    const fields = schema.fields.map((field) => field.name).join(', ')
    const message = `Invalid value ${keyField} for configuration schema.keyfield: ${options.quickstart} has the fields ${fields}`
    issues.push({ key: 'schema.keyfield', message })
  }
  return issues
}

/** Generates sample data. */
export default defineSourceConnector({
  name: 'DatagenSource',
  version: '0.1.0',
  aliases: ['io.confluent.kafka.connect.datagen.DatagenConnector', 'DatagenConnector', 'Datagen'],
  config: datagenConfig,
  validate,
  taskConfigs: (_config, maxTasks, raw) =>
    Array.from({ length: maxTasks }, (_, task) => ({ ...raw, 'task.id': String(task) })),
  createTask: (config, context) => new DatagenTask(config, context),
})
