import { expect, test } from 'vitest'
import {
  parseDistributedConfig,
  parseListener,
  parseStandaloneConfig,
  topicSettings,
} from '../../../../src/connect/config/worker-config.ts'

const common = { 'bootstrap.servers': 'localhost:9092', 'key.converter': 'K', 'value.converter': 'V' }
const standalone = { ...common, 'offset.storage.file.filename': '/tmp/o' }
const distributed = {
  ...common,
  'group.id': 'g',
  'config.storage.topic': 'c',
  'offset.storage.topic': 'o',
  'status.storage.topic': 's',
}

test('the defaults are those of Kafka Connect but for what is faster here', () => {
  const config = parseDistributedConfig(distributed)
  expect(config['session.timeout.ms']).toBe(10_000)
  expect(config['offset.storage.partitions']).toBe(25)
  expect(config['status.storage.partitions']).toBe(5)
  expect(config['config.storage.replication.factor']).toBe(3)
  expect(config['connect.protocol']).toBe('sessioned')
  expect(config.listeners).toEqual(['http://:8083'])
  expect(config['scheduled.rebalance.max.delay.ms']).toBe(0)
  expect(config['heartbeat.interval.ms']).toBe(500)
})

test('all that is missing is told at once', () => {
  expect(() => parseDistributedConfig({})).toThrow(
    /"bootstrap.servers"(.|\n)*"key.converter"(.|\n)*"group.id"(.|\n)*"config.storage.topic"/,
  )
})

test.each([
  [{ 'connect.protocol': 'fast' }, 'connect.protocol'],
  [{ 'config.storage.replication.factor': '0' }, 'config.storage.replication.factor'],
  [{ 'offset.storage.topic': 'c' }, 'three different topics'],
  [{ 'heartbeat.interval.ms': '10000' }, 'heartbeat.interval.ms'],
  [{ listeners: 'https://:8443' }, 'https'],
  [{ 'exactly.once.source.support': 'enabled' }, 'leave it out or set it to disabled'],
  [{ 'exactly.once.source.support': 'PREPARING' }, 'leave it out or set it to disabled'],
  [{ listeners: 'nonsense' }, 'http://host:port'],
])('%j is refused', (wrong, message) => {
  expect(() => parseDistributedConfig({ ...distributed, ...wrong })).toThrow(message)
})

test('a standalone worker needs a file for its offsets', () => {
  expect(() => parseStandaloneConfig(common)).toThrow('offset.storage.file.filename')
  expect(parseStandaloneConfig({ ...standalone, 'producer.acks': '1' })['offset.storage.file.filename']).toBe('/tmp/o')
})

test.each([
  ['http://:8083', { host: null, port: 8083 }],
  ['HTTP://localhost:0', { host: 'localhost', port: 0 }],
  ['http://[::1]:80/', { host: '::1', port: 80 }],
  ['http://host:99999', null],
  ['host:80', null],
])('listener %s is read as %j', (text, listener) => {
  expect(parseListener(text)).toEqual(listener)
})

test('settings of an internal topic are what follows its prefix', () => {
  const raw = { ...distributed, 'config.storage.min.insync.replicas': '2', 'config.storage.replication.factor': '1' }
  expect(topicSettings(raw, 'config')).toEqual({ 'min.insync.replicas': '2' })
})
