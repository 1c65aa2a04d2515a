// Sinks that are killed while they store a topic: task hosts and the server that they write to.
import { seededRandom } from '../../../src/base/index.ts'
import type { Client } from '../../../src/client/index.ts'
import { type MillraceBroker, startMillraceBroker } from '../../services/millrace.ts'
import { clientOf } from '../client/clusters.ts'
import { startTestWorker, type TestWorker, until } from '../worker-harness.ts'
import { impatientConsumer, patient } from './kills.ts'
import { createTopic, lagOf, type NewRecord, produce } from './topics.ts'

const ROUNDS = 3
const RECORDS_A_ROUND = 3000
const PARTITIONS = 2

export interface Row {
  readonly id: number
  readonly partition: number
  readonly color: string
}

export const keyOf = ({ partition, color }: Row): string => `${partition}-${color}`

function recordOf(row: Row): NewRecord {
  return { partition: row.partition, key: Buffer.from(keyOf(row)), value: Buffer.from(JSON.stringify(row)) }
}

export interface StoredTopic {
  readonly topic: string
  readonly config: Readonly<Record<string, string>>
  /** How many rows are stored so far, about. */
  stored(): Promise<number>
  /** kill -9 of the server, and its start. */
  killServer(): Promise<void>
}

/** A broker and a worker whose connectors are killed. */
export class SinkKills {
  readonly broker: MillraceBroker
  readonly worker: TestWorker
  readonly client: Client

  private constructor(broker: MillraceBroker, worker: TestWorker) {
    this.broker = broker
    this.worker = worker
    this.client = clientOf(broker)
  }

  static async start(): Promise<SinkKills> {
    const broker = await startMillraceBroker()
    const worker = await startTestWorker(broker.bootstrapServers, {
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'value.converter.schemas.enable': 'false',
      'offset.flush.interval.ms': '1000',
    })
    return new SinkKills(broker, worker)
  }

  async stop(): Promise<void> {
    await this.worker.stop()
    await this.broker.stop()
  }

  /**
   * Writes rows to a new topic while a sink stores them and is killed, its hosts and the server, once in each round but the
   * last: what is repeated has been by then. Gives the rows when all are committed.
   */
  async store({ topic, config, stored, killServer }: StoredTopic): Promise<readonly Row[]> {
    const random = seededRandom(20_261_121)
    await createTopic(this.client, topic, PARTITIONS)
    const connector = `${topic}-sink`
    await this.worker.create(
      {
        name: connector,
        topics: topic,
        'consumer.override.auto.offset.reset': 'earliest',
        'consumer.override.max.poll.records': '200',
        ...impatientConsumer,
        ...patient,
        ...config,
      },
      PARTITIONS,
    )
    const rows: Row[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const added = Array.from({ length: RECORDS_A_ROUND }, (_, index) => ({
        id: round * RECORDS_A_ROUND + index,
        partition: index % PARTITIONS,
        color: random.next() < 0.5 ? 'red' : random.next() < 0.5 ? 'green' : 'blue',
      }))
      rows.push(...added)
      const producing = produce(this.client, topic, added.map(recordOf))
      if (round < ROUNDS - 1) {
        const before = round * RECORDS_A_ROUND + RECORDS_A_ROUND / 4
        await until('some of the round is stored', async () => (await stored()) > before)
        this.worker.killHosts()
        await killServer()
      }
      await producing
      await until('everything is committed', async () => (await lagOf(this.client, connector, topic, PARTITIONS)) === 0)
    }
    await this.worker.worker.stopTasks(Array.from({ length: PARTITIONS }, (_, task) => ({ connector, task })))
    await this.worker.worker.stopConnector(connector)
    return rows
  }
}
