import { isRetriable, KafkaCallError } from '@millrace/sdk'
import { expect, test } from 'vitest'
import { seededRandom, silentLogger } from '../../../../src/base/index.ts'
import { realClock, realNet } from '../../../../src/base/real/index.ts'
import { createPluginClients } from '../../../../src/connect/worker/plugin-clients.ts'
import { freePort } from '../../../services/free-port.ts'

const environment = { clock: realClock, net: realNet, random: seededRandom(1), logger: silentLogger }
const QUICK = { 'default.api.timeout.ms': '200', 'socket.connection.setup.timeout.ms': '200' }

const failureOf = async (call: Promise<unknown>): Promise<KafkaCallError> =>
  call.then(
    () => {
      throw new Error('the call succeeded')
    },
    (error: unknown) => error as KafkaCallError,
  )

test('calls that fail reject with an error of the SDK that names the error of Kafka', async () => {
  const { kafka, close } = createPluginClients({}, environment)
  const admin = kafka.admin({ ...QUICK, 'bootstrap.servers': `127.0.0.1:${await freePort()}` })
  const failure = await failureOf(admin.topics())
  expect(failure).toBeInstanceOf(KafkaCallError)
  expect([isRetriable(failure), failure.code]).toEqual([true, 'RETRIABLE'])
  expect(failure.kafkaCode).toMatch(/^CLIENT_/)
  await close()
})

test('a client without brokers of its own is of the cluster of the worker', async () => {
  const port = await freePort()
  const { kafka, close } = createPluginClients({ 'bootstrap.servers': `127.0.0.1:${port}` }, environment)
  const { message } = await failureOf(kafka.admin(QUICK).topics())
  expect(message).toContain(String(port))
  await close()
})

test('what is open is closed with the unit, and nothing opens afterwards', async () => {
  const { kafka, close } = createPluginClients({}, environment)
  const settings = { 'bootstrap.servers': `127.0.0.1:${await freePort()}` }
  const consumer = kafka.consumer(settings)
  consumer.assign([{ topic: 't', partition: 0 }])
  const reading = failureOf(consumer.poll(60_000))
  const calling = failureOf(kafka.admin(settings).topics())
  await close()
  expect((await reading).kafkaCode).toBe('CLIENT_CLOSED')
  expect((await calling).kafkaCode).toMatch(/^CLIENT_/)
  expect(() => kafka.producer(settings)).toThrow('has ended')
})

test('a setting that means nothing is refused with its name', () => {
  const { kafka } = createPluginClients({}, environment)
  const settings = { 'bootstrap.servers': 'localhost:1', 'max.poll.records': 'many' }
  expect(() => kafka.consumer(settings)).toThrow('max.poll.records')
  const failure = { name: 'KafkaCallError', kafkaCode: 'CLIENT_CONFIG', retriable: false }
  expect(() => kafka.admin({ 'bootstrap.servers': 'nowhere' })).toThrow(expect.objectContaining(failure))
})
