import { startKafka } from '../services/kafka.ts'
import { startKafkaConnect } from '../services/kafka-connect.ts'
import { startMillraceBroker, startMillraceWorker } from '../services/millrace.ts'

export interface BrokerUnderTest {
  readonly name: string
  readonly bootstrapServers: string
  pid(): number
  stop(): Promise<void>
}

export interface WorkerUnderTest {
  readonly name: string
  readonly url: string
  readonly workerId: string
  pid(): number
  kill(): Promise<void>
  stop(): Promise<void>
}

/** Our broker as a process of its own, with temporary data. */
export async function millraceBroker(properties: Readonly<Record<string, string>> = {}): Promise<BrokerUnderTest> {
  return Object.assign(await startMillraceBroker(properties), { name: 'millrace' })
}

/** Apache Kafka 4.3.1 with the heap of the baseline. */
export async function kafkaBroker(): Promise<BrokerUnderTest> {
  const heap = ['-Xms1024M', '-Xmx1024M', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20']
  const kafka = await startKafka({
    jvm: [...heap, '-XX:InitiatingHeapOccupancyPercent=35'],
    properties: { 'auto.create.topics.enable': 'true' },
  })
  return { name: 'kafka', bootstrapServers: kafka.bootstrapServers, pid: () => kafka.pid(), stop: () => kafka.stop() }
}

/** One of our distributed workers. */
export async function millraceWorker(
  bootstrapServers: string,
  group: string,
  properties: Readonly<Record<string, string>> = {},
): Promise<WorkerUnderTest> {
  return Object.assign(await startMillraceWorker(bootstrapServers, group, properties), { name: 'millrace' })
}

/** A distributed worker of Kafka Connect 4.3.1 with Debezium. */
export async function kafkaWorker(bootstrapServers: string, group: string): Promise<WorkerUnderTest> {
  const worker = await startKafkaConnect({ bootstrapServers, group })
  const stop = () => worker.stop()
  return { name: 'kafka', url: worker.url, workerId: worker.url.slice(7), pid: () => worker.pid(), kill: stop, stop }
}
