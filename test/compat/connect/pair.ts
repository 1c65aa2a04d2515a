// A worker of Kafka Connect 4.3.1 and one of Millrace, each with a group of its own on the same broker of ours.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type Answer, rest, settledRest, until } from '../../integration/connect/connect-cluster.ts'
import { clientOf } from '../../integration/client/clusters.ts'
import type { Client } from '../../../src/client/index.ts'
import { javaClasses } from '../../services/java.ts'
import { kafkaJars } from '../../services/kafka.ts'
import { type KafkaConnect, startKafkaConnect } from '../../services/kafka-connect.ts'
import {
  type MillraceBroker,
  type MillraceWorker,
  startMillraceBroker,
  startMillraceWorker,
} from '../../services/millrace.ts'

export interface Pair {
  readonly theirs: KafkaConnect
  readonly ours: MillraceWorker
  readonly broker: MillraceBroker
  readonly client: Client
  /** Temporary, and removed with the pair. */
  readonly folder: string
  stop(): Promise<void>
}

/** A side by name, for topics, files and groups of its own. */
export interface Side {
  readonly name: 'theirs' | 'ours'
  readonly url: string
  output(): string
}

export const sides = ({ theirs, ours }: Pair): readonly [theirs: Side, ours: Side] => [
  { name: 'theirs', url: theirs.url, output: theirs.output },
  { name: 'ours', url: ours.url, output: () => ours.output() },
]

const JAVA = join(import.meta.dirname, 'probe-java', 'Probe.java')
const SERVICES = {
  'org.apache.kafka.connect.source.SourceConnector': 'millrace.test.Probe$Source',
  'org.apache.kafka.connect.transforms.Transformation': 'millrace.test.Probe$Flaky',
}

/** The places of classes of the probes for Kafka Connect: what names them as services, and themselves. */
async function probeClasses(folder: string): Promise<readonly string[]> {
  const services = join(folder, 'services', 'META-INF', 'services')
  await mkdir(services, { recursive: true })
  for (const [service, name] of Object.entries(SERVICES)) await writeFile(join(services, service), `${name}\n`)
  return [join(folder, 'services'), await javaClasses([JAVA], [await kafkaJars()])]
}

export async function startPair(): Promise<Pair> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-pair-'))
  const classes = await probeClasses(folder)
  const broker = await startMillraceBroker()
  const { bootstrapServers } = broker
  const [theirs, ours] = await Promise.all([
    startKafkaConnect({ bootstrapServers, group: 'theirs', classes }),
    startMillraceWorker(bootstrapServers, 'ours', { 'plugin.path': join(import.meta.dirname, 'plugins') }),
  ])
  const client = clientOf(broker)
  return {
    theirs,
    ours,
    broker,
    client,
    folder,
    async stop() {
      await Promise.all([theirs.stop(), ours.stop()])
      await broker.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export const FILE_SOURCE = 'org.apache.kafka.connect.file.FileStreamSourceConnector'
export const FILE_SINK = 'org.apache.kafka.connect.file.FileStreamSinkConnector'
export const PROBE_SOURCE = 'millrace.test.Probe$Source'
export const FLAKY = 'millrace.test.Probe$Flaky'

export interface Call {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  /** Where we answer differently, on purpose: what Kafka answers, what we answer, and why. */
  readonly intended?: { readonly theirs: number; readonly ours: number; readonly why: string }
}

/** Kafka sends the errors of its HTTP server as JSON without saying so. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Traces are those of different languages: only that there is one is compared. Kafka lists tasks in any order. */
function withoutChance(value: unknown): unknown {
  if (Array.isArray(value)) {
    const id = (item: unknown) => (item as { id?: unknown } | null)?.id
    const isOrdered = value.every((item) => typeof id(item) === 'number')
    return (isOrdered ? value.toSorted((a, b) => Number(id(a)) - Number(id(b))) : value).map(withoutChance)
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, key === 'trace' ? typeof inner : withoutChance(inner)]),
  )
}

/** Both answers without what differs from worker to worker. */
export async function answers({ theirs, ours }: Pair, { method, path, body }: Call) {
  const ask = (url: string) => settledRest(url, method, path, body)
  const [kafka, millrace] = await Promise.all([ask(theirs.url), ask(ours.url)])
  const plain = (text: string) =>
    text
      .replaceAll(theirs.url, 'http://worker')
      .replaceAll(ours.url, 'http://worker')
      .replaceAll(new URL(theirs.url).host, 'worker')
      .replaceAll(new URL(ours.url).host, 'worker')
  const comparable = ({ status, headers, body: found }: Answer) => ({
    status,
    location: plain(headers.get('location') ?? ''),
    body: withoutChance(parsed(plain(typeof found === 'string' ? found : JSON.stringify(found)))),
  })
  return { kafka: comparable(kafka), millrace: comparable(millrace) }
}

/** Compares all, so that one run shows every difference. */
export async function same(pair: Pair, calls: readonly Call[]): Promise<void> {
  const expected: unknown[] = []
  const actual: unknown[] = []
  for (const call of calls) {
    const { kafka, millrace } = await answers(pair, call)
    const { method, path, intended } = call
    const what = `${method} ${path} ${JSON.stringify(call.body ?? '')}`
    if (intended) {
      expected.push({ what, why: intended.why, kafka: intended.theirs, millrace: intended.ours })
      actual.push({ what, why: intended.why, kafka: kafka.status, millrace: millrace.status })
    } else {
      expected.push({ what, ...kafka })
      actual.push({ what, ...millrace })
    }
  }
  expect(actual).toEqual(expected)
}

/** Whether the connector is in this state, with so many tasks, and all of them too where they have it. */
export function isIn(status: any, state: string, tasks: number): boolean {
  return (
    status.connector.state === state &&
    status.tasks.length === tasks &&
    status.tasks.every((task: { state: string }) => task.state === state)
  )
}

/** Waits on both workers until the status of a connector is as wanted. */
export async function untilBoth(
  pair: Pair,
  name: string,
  what: string,
  isRight: (status: any) => boolean,
): Promise<[any, any]> {
  const look = async ({ url }: Side) => {
    const path = `/connectors/${encodeURIComponent(name)}/status`
    return (
      await until(
        `${name} ${what}`,
        () => rest(url, 'GET', path),
        ({ status, body }) => status === 200 && isRight(body),
      )
    ).body
  }
  const [theirs, ours] = sides(pair)
  return Promise.all([look(theirs), look(ours)])
}
