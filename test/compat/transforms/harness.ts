import { spawn } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ConnectRecord,
  isConnectError,
  parseConfigOrThrow,
  type PredicateDefinition,
  type Schema,
  type Transformation,
} from '@millrace/sdk'
import { decodeSchema, encodeSchema } from '../../../src/connect/converters/json/json-schema.ts'
import { transformManifests } from '../../../transforms/index.ts'
import { kafkaJars } from '../../services/kafka.ts'
import { pluginPath } from '../../services/kafka-connect.ts'
import { buildValue, dumpValue } from '../golden-values.ts'

/** A record as TransformRunner.java reads it; with an offset it is a sink's, else a source's. */
export interface RecordJson {
  readonly topic: string
  readonly partition: number | null
  readonly timestamp: number | null
  readonly offset?: number
  readonly keySchema: unknown
  readonly key: unknown
  readonly valueSchema: unknown
  readonly value: unknown
  readonly headers: readonly (readonly [key: string, schema: unknown, value: unknown])[]
}

/** Options of one plugin and the records that one instance of it gets, in order. */
export interface Case {
  readonly class: string
  readonly options: Readonly<Record<string, string>>
  readonly records: readonly RecordJson[]
}

/** What became of a record: the record as JSON text, or why not. */
export type Result = { readonly text: string } | { readonly error: Failure }

/** An error, of Java or ours. */
export interface Failure {
  readonly message: string
  /** True for an error of ours that is not of the SDK: a bug here, whatever Java does. */
  readonly untyped?: boolean
}

/** What became of a case; `refused` when the options were. */
export type Outcome = { readonly refused: Failure } | { readonly results: readonly Result[] }

/** Runs the cases in a Java process with Kafka's and Debezium's jars. */
export async function throughJava(cases: readonly unknown[]): Promise<any[]> {
  const classPath = [join(await kafkaJars(), '*'), join(await pluginPath(), 'debezium', '*')].join(':')
  const program = join(import.meta.dirname, 'TransformRunner.java')
  const logging = `-Dlog4j2.configurationFile=${join(import.meta.dirname, '../../services/kafka/log4j2.properties')}`
  const jvm = ['-Xmx512M', '-Duser.timezone=UTC', logging, '-cp', classPath]
  const java = spawn('java', [...jvm, program], { cwd: tmpdir(), stdio: ['pipe', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  java.stdout.setEncoding('utf8').on('data', (chunk) => (stdout += chunk))
  java.stderr.setEncoding('utf8').on('data', (chunk) => (stderr = (stderr + chunk).slice(-10_000)))
  java.stdin.end(cases.map((one) => `${JSON.stringify(one)}\n`).join(''))
  const code = await new Promise((resolve) => java.on('close', resolve))
  if (code !== 0) throw new Error(stderr)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

/** An answer of TransformRunner.java in the form in which both sides are compared. */
export function javaOutcome(answer: any): Outcome {
  if (answer.refused) return { refused: javaFailure(answer.refused) }
  const results = answer.results.map((result: any): Result => {
    return result?.error ? { error: javaFailure(result.error) } : { text: canonical(result) }
  })
  return { results }
}

function javaFailure({ class: name, message }: { class: string; message: string }): Failure {
  return { message: `${name}: ${message}` }
}

/** Runs a case through our plugin. */
export async function ourOutcome(c: Case): Promise<Outcome> {
  const manifest = transformManifests.find((one) => one.name === c.class || one.aliases.includes(c.class))
  if (!manifest) throw new Error(`no plugin ${c.class}`)
  const { default: definition } = (await manifest.load()) as { default: Transformation | PredicateDefinition }
  let apply: (record: ConnectRecord) => unknown
  try {
    const config = parseConfigOrThrow(definition.config, c.options)
    if (definition.kind === 'predicate') {
      const predicate = definition.create(config)
      apply = (record) => predicate.test(record)
    } else {
      const transform = definition.create(config)
      apply = (record) => dumpRecord(transform.apply(record))
    }
  } catch (error) {
    return { refused: ourFailure(error) }
  }
  return { results: c.records.map((record) => attempt(() => canonical(apply(recordOf(record))))) }
}

function attempt(run: () => string): Result {
  try {
    return { text: run() }
  } catch (error) {
    return { error: ourFailure(error) }
  }
}

function ourFailure(error: unknown): Failure {
  if (isConnectError(error)) return { message: error.message }
  return { message: (error as Error).stack ?? String(error), untyped: true }
}

// Both sides share schemas between records as sources do.
const decoded = new Map<string, Schema>()

function schemaOf(json: unknown): Schema | null {
  if (json === null) return null
  const text = JSON.stringify(json)
  const schema = decoded.get(text) ?? (decodeSchema(json) as Schema)
  decoded.set(text, schema)
  return schema
}

function valueOf(schema: Schema | null, json: any): unknown {
  return schema ? buildValue(schema, json) : schemaless(json)
}

function schemaless(json: any): unknown {
  if (json === null || typeof json !== 'object') return json
  if (Array.isArray(json)) return json.map(schemaless)
  if ('$bytes' in json) return Buffer.from(json.$bytes, 'hex')
  if ('$date' in json) return new Date(json.$date)
  return Object.fromEntries(Object.entries(json).map(([key, member]) => [key, schemaless(member)]))
}

function recordOf(json: RecordJson): ConnectRecord {
  const [keySchema, valueSchema] = [schemaOf(json.keySchema), schemaOf(json.valueSchema)]
  const { topic, partition, timestamp, offset } = json
  const position =
    offset === undefined
      ? { sourcePartition: {}, sourceOffset: {} }
      : {
          offset,
          timestampType: 'CreateTime',
          originalTopic: topic,
          originalPartition: partition,
          originalOffset: offset,
        }
  return {
    topic,
    partition,
    timestamp,
    keySchema,
    key: valueOf(keySchema, json.key),
    valueSchema,
    value: valueOf(valueSchema, json.value),
    headers: json.headers.map(([key, schema, value]) => {
      return { key, schema: schemaOf(schema), value: valueOf(schemaOf(schema), value) }
    }),
    ...position,
  } as ConnectRecord
}

function dumpRecord(record: ConnectRecord | null): unknown {
  if (record === null) return null
  return {
    topic: record.topic,
    partition: record.partition,
    timestamp: record.timestamp,
    key: dump(record.keySchema, record.key),
    value: dump(record.valueSchema, record.value),
    headers: record.headers.map((header) => [header.key, dump(header.schema, header.value)]),
  }
}

function dump(schema: Schema | null, value: unknown): unknown {
  const options = { numericDecimals: false, replaceNullWithDefault: false }
  return { schema: schema && JSON.parse(encodeSchema(schema, options)), value: dumpValue(schema, value) }
}

/**
 * JSON with sorted keys. A whole number is one kind, as a schemaless JavaScript number has no mark of being a double; the
 * default of a float is what it stands for, as Java before 19 writes more digits than it takes.
 */
function canonical(dumped: unknown): string {
  return JSON.stringify(dumped, (_key, value) => {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
    if (value.type === 'float' && typeof value.default === 'number') value.default = Math.fround(value.default)
    if ('f' in value && Object.keys(value).length === 1) return { n: String(Number(value.f)) }
    if ('i' in value && Object.keys(value).length === 1) return { n: String(value.i) }
    return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
  })
}
