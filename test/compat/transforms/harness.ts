import { join } from 'node:path'
import {
  type ConnectRecord,
  isConnectError,
  parseConfigOrThrow,
  type PredicateDefinition,
  type Transformation,
} from '@millrace/sdk'
import { silentLogger } from '../../../src/base/index.ts'
import { transformManifests } from '../../../transforms/index.ts'
import { kafkaJars } from '../../services/kafka.ts'
import { pluginPath } from '../../services/kafka-connect.ts'
import { javaAnswers } from '../java/program.ts'
import { canonical, dumpRecord, type RecordJson, recordOf } from '../records.ts'

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
  const jars = [await kafkaJars(), join(await pluginPath(), 'debezium')]
  return javaAnswers({ source: join(import.meta.dirname, 'TransformRunner.java'), jars }, cases)
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
      const predicate = definition.create(config, { logger: silentLogger })
      apply = (record) => predicate.test(record)
    } else {
      const transform = definition.create(config, { logger: silentLogger })
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
