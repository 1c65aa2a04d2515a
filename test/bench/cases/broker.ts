import { join } from 'node:path'
import { kafkaJars, kafkaTool } from '../../services/kafka.ts'
import { cpuSeconds } from '../measure.ts'
import type { BenchCase, Figures, Side } from '../report.ts'
import { type BrokerUnderTest, kafkaBroker, millraceBroker } from '../systems.ts'
import { spawn } from 'node:child_process'

const TOPIC = 'org.apache.kafka.tools.TopicCommand'

/** Runs one of Kafka's load generators with the same JVM settings for both sides. */
async function load(className: string, args: readonly string[]): Promise<string> {
  const lib = await kafkaJars()
  return new Promise((resolve, reject) => {
    const child = spawn('java', ['-Xmx512M', '-cp', join(lib, '*'), className, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    child.stdout.on('data', (chunk) => (output += chunk))
    let errors = ''
    child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(-4000)))
    child.on('error', reject)
    child.on('close', (code) => (code === 0 ? resolve(output) : reject(new Error(`${className}: ${output}${errors}`))))
  })
}

async function createTopic(broker: BrokerUnderTest, topic: string): Promise<void> {
  const args = ['--bootstrap-server', broker.bootstrapServers, '--create', '--topic', topic, '--partitions', '1']
  const result = await kafkaTool(TOPIC, args)
  if (result.code !== 0) throw new Error(`${broker.name} cannot create ${topic}: ${result.stdout}${result.stderr}`)
}

async function deleteTopic(broker: BrokerUnderTest, topic: string): Promise<void> {
  await kafkaTool(TOPIC, ['--bootstrap-server', broker.bootstrapServers, '--delete', '--topic', topic])
}

function produce(broker: BrokerUnderTest, topic: string, spec: { size: number; records: number; throughput?: number }) {
  return load('org.apache.kafka.tools.ProducerPerformance', [
    '--bootstrap-server',
    broker.bootstrapServers,
    '--topic',
    topic,
    '--num-records',
    String(spec.records),
    '--record-size',
    String(spec.size),
    '--throughput',
    String(spec.throughput ?? -1),
    ...(spec.throughput ? ['--warmup-records', String(Math.floor(spec.records / 5))] : []),
    '--command-property',
    'acks=all',
    'linger.ms=5',
    'batch.size=65536',
  ])
}

/** The last summary line of ProducerPerformance. */
function producerSummary(output: string): { mbPerSecond: number; p99: number } {
  const line = output.trim().split('\n').at(-1) ?? ''
  const rate = /\(([\d.]+) MB\/sec\)/.exec(line)
  const p99 = /(\d+) ms 99th/.exec(line)
  if (!rate || !p99) throw new Error(`not a summary of producer-perf-test: ${line}`)
  return { mbPerSecond: Number(rate[1]), p99: Number(p99[1]) }
}

type Run = (broker: BrokerUnderTest, round: number) => Promise<Figures>

function sidesOf(run: Run, ours: () => Promise<BrokerUnderTest>): () => Promise<Side[]> {
  return async () => {
    const brokers = [await ours(), await kafkaBroker()]
    return brokers.map((broker) => ({
      name: broker.name,
      run: (round) => run(broker, round),
      stop: () => broker.stop(),
    }))
  }
}

/** Runs the work between two looks at the broker's CPU time. */
async function withCpu(broker: BrokerUnderTest, work: () => Promise<Figures>): Promise<Figures> {
  const before = cpuSeconds(broker.pid())
  const figures = await work()
  return { ...figures, brokerCpu: cpuSeconds(broker.pid()) - before }
}

function producing(size: number, records: number): Run {
  return async (broker, round) => {
    const topic = `produce-${size}-${round + 9}`
    await createTopic(broker, topic)
    const figures = await withCpu(broker, async () => {
      const { mbPerSecond } = producerSummary(await produce(broker, topic, { size, records }))
      return { throughput: mbPerSecond }
    })
    await deleteTopic(broker, topic)
    return figures
  }
}

const consuming: Run = async (broker, round) => {
  const topic = 'consume-1024'
  const records = 300_000
  if (round < 0) {
    await createTopic(broker, topic).catch(() => undefined)
    await produce(broker, topic, { size: 1024, records })
  }
  return withCpu(broker, async () => {
    const output = await load('org.apache.kafka.tools.ConsumerPerformance', [
      '--bootstrap-server',
      broker.bootstrapServers,
      '--topic',
      topic,
      '--num-records',
      String(records),
      '--timeout',
      '20000',
      '--hide-header',
    ])
    const cells = output.trim().split('\n').at(-1)?.split(', ') ?? []
    if (Number(cells[4]) < records) throw new Error(`${broker.name}: consumed ${cells[4]} of ${records}`)
    return { throughput: Number(cells[8]), total: Number(cells[3]) }
  })
}

const paced: Run = async (broker, round) => {
  const topic = `paced-${round + 9}`
  await createTopic(broker, topic)
  const figures = await withCpu(broker, async () => {
    const output = await produce(broker, topic, { size: 1024, records: 200_000, throughput: 20_000 })
    return { p99: producerSummary(output).p99 }
  })
  await deleteTopic(broker, topic)
  return figures
}

const endToEnd: Run = async (broker, round) => {
  const topic = `e2e-${round + 9}`
  await createTopic(broker, topic)
  return withCpu(broker, async () => {
    const output = await load('org.apache.kafka.tools.EndToEndLatency', [
      '--bootstrap-server',
      broker.bootstrapServers,
      '--topic',
      topic,
      '--num-records',
      '10000',
      '--producer-acks',
      'all',
      '--record-size',
      '100',
    ])
    const average = /Avg latency: ([\d.]+) ms/.exec(output)
    if (!average) throw new Error(`not a summary of the end-to-end tool: ${output}`)
    return { average: Number(average[1]) }
  })
}

const pageCache = () => millraceBroker({ 'log.flush': 'os' })
const groupCommit = () => millraceBroker({ 'log.flush': 'commit' })
const throughput = (ratio: number) => ({ figure: 'throughput', unit: 'MB/s', better: 'more', ratio }) as const
const cpu = (ratio: number) => ({ figure: 'brokerCpu', unit: 's', better: 'less', ratio }) as const

export const brokerCases: readonly BenchCase[] = [
  {
    name: 'produce-1k',
    title: 'producer-perf-test, 1 KiB, acks=all, page cache on both',
    targets: [throughput(1), cpu(0.5)],
    sides: sidesOf(producing(1024, 400_000), pageCache),
  },
  {
    name: 'produce-100',
    title: 'producer-perf-test, 100 B, acks=all, page cache on both',
    targets: [throughput(1), cpu(0.5)],
    sides: sidesOf(producing(100, 2_000_000), pageCache),
  },
  {
    name: 'produce-1k-commit',
    title: 'producer-perf-test, 1 KiB, acks=all, fdatasync before the answer here, page cache there',
    targets: [throughput(0.75)],
    sides: sidesOf(producing(1024, 400_000), groupCommit),
  },
  {
    name: 'produce-100-commit',
    title: 'producer-perf-test, 100 B, acks=all, fdatasync before the answer here, page cache there',
    targets: [throughput(0.75)],
    sides: sidesOf(producing(100, 2_000_000), groupCommit),
  },
  {
    name: 'consume-1k',
    title: 'consumer-perf-test, 1 KiB',
    targets: [throughput(1), cpu(1.3)],
    sides: sidesOf(consuming, pageCache),
  },
  {
    name: 'paced',
    title: '20,000 x 1 KiB/s, acks=all, page cache on both',
    targets: [{ figure: 'p99', unit: 'ms', better: 'less', ratio: 1 }],
    sides: sidesOf(paced, pageCache),
  },
  {
    name: 'end-to-end',
    title: '100 B one at a time, acks=all, page cache on both',
    targets: [{ figure: 'average', unit: 'ms', better: 'less', ratio: 1 }],
    sides: sidesOf(endToEnd, pageCache),
  },
]
