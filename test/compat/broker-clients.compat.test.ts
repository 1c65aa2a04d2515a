// Clients that others wrote, in JavaScript, C and Python, against our broker.
import { spawn } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BrokerUnderTest } from '../integration/broker/broker-under-test.ts'
import { DEADLINE_MS } from '../services/deadline.ts'
import { PYTHON_CLIENTS, pythonMissing, pythonWith, runPython } from '../services/python.ts'
import { requireCommand } from '../services/require.ts'

let broker: BrokerUnderTest
let address: string

beforeAll(async () => {
  broker = await BrokerUnderTest.start({ 'auto.create.topics.enable': 'true', 'num.partitions': '2' })
  address = `127.0.0.1:${broker.port}`
})
afterAll(() => broker[Symbol.asyncDispose]())

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => `value-${i}`)

describe('kcat (librdkafka)', () => {
  const missing = requireCommand('kcat', 'apt-get install kcat')

  function kcat(args: readonly string[], input = ''): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = spawn('kcat', ['-b', address, '-m', '120', ...args])
      let out = ''
      let err = ''
      child.stdout.on('data', (chunk) => (out += chunk))
      child.stderr.on('data', (chunk) => (err += chunk))
      child.on('error', reject)
      child.on('close', (code) => (code === 0 ? resolve(out) : reject(new Error(`kcat ended with ${code}: ${err}`))))
      child.stdin.on('error', () => {})
      child.stdin.end(input)
    })
  }

  test.skipIf(missing)('shows metadata, produces with every codec, consumes alone and in a group', async () => {
    const lines = numbers(100)
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      await kcat(['-P', '-t', 'kcat', '-p', '0', '-z', codec], `${lines.join('\n')}\n`)
    }
    expect(await kcat(['-L'])).toMatch(/topic "kcat" with 2 partitions/)
    const alone = (await kcat(['-C', '-t', 'kcat', '-p', '0', '-e', '-q', '-o', 'beginning'])).trim().split('\n')
    expect(alone).toEqual(Array(5).fill(lines).flat())
    const since = await kcat(['-C', '-t', 'kcat', '-p', '0', '-e', '-q', '-o', '495'])
    expect(since.trim().split('\n')).toEqual(lines.slice(95))
    const group = await kcat(['-G', 'kcat-group', '-e', '-q', '-X', 'auto.offset.reset=earliest', 'kcat'])
    expect(group.trim().split('\n')).toHaveLength(500)
    expect(await kcat(['-Q', '-t', 'kcat:0:-1'])).toContain('offset 500')
  })
})

describe('kafkajs', () => {
  test('admin, producer with gzip, consumer group', async () => {
    const { CompressionTypes, Kafka, logLevel } = await import('kafkajs')
    // Left to itself it gives a connection one second, in a process that has the broker in it.
    const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, connectionTimeout: DEADLINE_MS })
    const admin = kafka.admin()
    await admin.connect()
    expect(await admin.createTopics({ topics: [{ topic: 'kafkajs', numPartitions: 3 }] })).toBe(true)
    const producer = kafka.producer({ idempotent: true })
    await producer.connect()
    const messages = numbers(50).map((value, i) => ({ key: `k${i}`, value, headers: { h: 'x' } }))
    await producer.send({ topic: 'kafkajs', messages, compression: CompressionTypes.GZIP })
    await producer.disconnect()
    const consumer = kafka.consumer({ groupId: 'kafkajs-group', sessionTimeout: 60_000 })
    await consumer.connect()
    await consumer.subscribe({ topics: ['kafkajs'], fromBeginning: true })
    const seen = new Set<string>()
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          eachMessage: async ({ message }) => {
            seen.add(message.value!.toString())
            if (seen.size === 50) resolve()
          },
        })
        .catch(reject)
    })
    await consumer.stop()
    await consumer.disconnect()
    expect([...seen].toSorted()).toEqual(numbers(50).toSorted())
    const [offsets] = await admin.fetchOffsets({ groupId: 'kafkajs-group', topics: ['kafkajs'] })
    expect(offsets!.partitions.reduce((sum, partition) => sum + Math.max(0, Number(partition.offset)), 0)).toBe(50)
    expect((await admin.describeGroups(['kafkajs-group'])).groups[0]!.state).toBe('Empty')
    await admin.deleteGroups(['kafkajs-group'])
    await admin.deleteTopics({ topics: ['kafkajs'] })
    await admin.disconnect()
  })
})

describe('@platformatic/kafka', () => {
  test('admin, producer, consumer group', async () => {
    const { Admin, Consumer, MessagesStreamModes, Producer, stringDeserializers, stringSerializers } = await import(
      '@platformatic/kafka'
    )
    const patient = { connectTimeout: DEADLINE_MS, timeout: DEADLINE_MS }
    const base = { bootstrapBrokers: [address], clientId: 'platformatic', strict: true, ...patient }
    const admin = new Admin(base)
    await admin.createTopics({ topics: ['platformatic'], partitions: 2, replicas: 1 })
    const producer = new Producer({ ...base, serializers: stringSerializers })
    const messages = numbers(50).map((value) => ({ topic: 'platformatic', key: value, value }))
    await producer.send({ messages })
    await producer.close()
    const consumer = new Consumer({ ...base, groupId: 'platformatic-group', deserializers: stringDeserializers })
    const stream = await consumer.consume({
      topics: ['platformatic'],
      mode: MessagesStreamModes.EARLIEST,
      autocommit: true,
    })
    const seen = new Set<string>()
    for await (const message of stream) {
      seen.add(message.value)
      if (seen.size === 50) break
    }
    expect([...seen].toSorted()).toEqual(numbers(50).toSorted())
    await consumer.close(true)
    const groups = await admin.describeGroups({ groups: ['platformatic-group'] })
    expect(groups.get('platformatic-group')!.state).toMatch(/empty|stable/i)
    await admin.close()
  })
})

describe('Python', () => {
  const missing = pythonMissing()
  let python = ''

  beforeAll(async () => {
    if (missing === null) python = await pythonWith(PYTHON_CLIENTS)
  })

  async function lastLine(script: string): Promise<string> {
    const { code, stdout, stderr } = await runPython(python, script, [address])
    if (code !== 0) throw new Error(`Python ended with ${code}: ${stderr.slice(-2000)}`)
    return stdout.trim().split('\n').at(-1) ?? ''
  }

  test.skipIf(missing !== null)('kafka-python: producer with gzip, consumer group', async () => {
    const script = `
import sys
from kafka import KafkaProducer, KafkaConsumer
producer = KafkaProducer(bootstrap_servers=sys.argv[1], compression_type='gzip', acks='all')
for i in range(50): producer.send('kafka-python', key=b'k', value=b'value-%d' % i)
producer.flush(); producer.close()
consumer = KafkaConsumer('kafka-python', bootstrap_servers=sys.argv[1], group_id='kafka-python-group', auto_offset_reset='earliest', consumer_timeout_ms=120000)
seen = []
for record in consumer:
    seen.append(record.value)
    if len(seen) == 50: break
consumer.commit(); consumer.close()
print(seen == [b'value-%d' % i for i in range(50)])
`
    expect(await lastLine(script)).toBe('True')
  })

  test.skipIf(missing !== null)('confluent-kafka: idempotent producer with gzip, consumer group', async () => {
    const script = `
import sys
from confluent_kafka import Producer, Consumer
failed = []
producer = Producer({'bootstrap.servers': sys.argv[1], 'compression.type': 'gzip', 'enable.idempotence': True})
for i in range(50): producer.produce('confluent', key='k', value='value-%d' % i, on_delivery=lambda e, m: failed.append(e) if e else None)
producer.flush(120)
consumer = Consumer({'bootstrap.servers': sys.argv[1], 'group.id': 'confluent-group', 'auto.offset.reset': 'earliest'})
consumer.subscribe(['confluent'])
seen = []
for _ in range(600):
    m = consumer.poll(0.2)
    if m is not None and not m.error(): seen.append(m.value().decode())
    if len(seen) == 50: break
consumer.commit(asynchronous=False); consumer.close()
print(not failed and seen == ['value-%d' % i for i in range(50)])
`
    expect(await lastLine(script)).toBe('True')
  })
})
