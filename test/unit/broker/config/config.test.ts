import { describe, expect, test } from 'vitest'
import {
  BrokerConfig,
  BrokerConfigError,
  dynamicBrokerConfigError,
} from '../../../../src/broker/config/broker-config.ts'
import { BROKER_CONFIG_KEYS } from '../../../../src/broker/config/broker-keys.ts'
import { type ConfigKey, configValueError } from '../../../../src/broker/config/config-key.ts'
import { effectiveTopicConfig } from '../../../../src/broker/config/effective-config.ts'
import { TOPIC_CONFIG_KEYS, topicConfigError, topicConfigKey } from '../../../../src/broker/config/topic-config.ts'
import { logConfigOf } from '../../../../src/broker/topics/log-config.ts'
import { topicNameError } from '../../../../src/broker/topics/topic-name.ts'
import { DEFAULT_LOG_CONFIG } from '../../../../src/log/index.ts'

function problems(config: Record<string, string>): readonly string[] {
  try {
    new BrokerConfig(config)
    return []
  } catch (error) {
    if (error instanceof BrokerConfigError) return error.problems
    throw error
  }
}

describe('the tables', () => {
  test.each([...TOPIC_CONFIG_KEYS, ...BROKER_CONFIG_KEYS].map((key): [string, ConfigKey] => [key.name, key]))(
    '%s: the default passes its own check, the documentation is a sentence',
    (_, key) => {
      if (key.default !== null) expect(configValueError(key, key.default)).toBeUndefined()
      expect(key.doc).toMatch(/\.$/)
    },
  )

  test('no name is there twice', () => {
    for (const keys of [TOPIC_CONFIG_KEYS, BROKER_CONFIG_KEYS]) {
      expect(new Set(keys.map((key) => key.name)).size).toBe(keys.length)
    }
  })

  test('the defaults are those of the log', () => {
    expect(logConfigOf(new Map(), new BrokerConfig({}))).toEqual(DEFAULT_LOG_CONFIG)
  })
})

describe('values', () => {
  test.each([
    ['retention.ms', '-1', true],
    ['retention.ms', '-2', false],
    ['retention.ms', '9223372036854775807', true],
    ['retention.ms', '9223372036854775808', false],
    ['retention.ms', '1.5', false],
    ['retention.ms', '', false],
    ['segment.bytes', '2147483648', false],
    ['cleanup.policy', 'compact, delete', true],
    ['cleanup.policy', 'compact,vacuum', false],
    ['cleanup.policy', 'delete,delete', false],
    ['compression.type', 'zip', false],
    ['min.cleanable.dirty.ratio', '0.3', true],
    ['min.cleanable.dirty.ratio', '1.1', false],
    ['preallocate', 'TRUE', true],
    ['preallocate', 'yes', false],
    ['no.such.config', '1', false],
  ])('%s=%s is %s', (name, value, good) => {
    const error = topicConfigError(new Map([[name, value]]))
    expect(error === undefined).toBe(good)
    if (error !== undefined) expect(error).toContain(name)
  })

  test.each([
    ['', false],
    ['.', false],
    ['..', false],
    ['a'.repeat(249), true],
    ['a'.repeat(250), false],
    ['Az09._-', true],
    ['a b', false],
    ['ä', false],
  ])('topic name %j is %s', (name, good) => {
    expect(topicNameError(name) === undefined).toBe(good)
  })
})

describe('broker configuration', () => {
  test('all problems are told at once, each with its key', () => {
    const found = problems({
      'num.partitions': 'many',
      'log.dirs': '/a,/b',
      listeners: 'PLAINTEXT://127.0.0.1:99999,SSL://:9093',
      'advertised.listeners': 'ELSEWHERE://host:1',
      'cluster.id': 'short',
      'log.flush': 'sometimes',
    })
    for (const key of ['num.partitions', 'log.dirs', 'listeners', 'advertised.listeners', 'cluster.id', 'log.flush']) {
      expect(found.some((problem) => problem.includes(key))).toBe(true)
    }
  })

  test('Kafka’s own file for a KRaft node is taken as it is', () => {
    const config = new BrokerConfig({
      'process.roles': 'broker,controller',
      'node.id': '7',
      'controller.quorum.bootstrap.servers': 'localhost:9093',
      listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093',
      'inter.broker.listener.name': 'PLAINTEXT',
      'advertised.listeners': 'PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093',
      'controller.listener.names': 'CONTROLLER',
      'listener.security.protocol.map':
        'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
      'num.network.threads': '3',
      'log.dirs': '/tmp/kraft-combined-logs',
      'log.retention.hours': '24',
    })
    expect(config.nodeId).toBe(7)
    expect(config.listeners).toEqual([
      { name: 'PLAINTEXT', host: '', port: 9092, advertised: { host: 'localhost', port: 9092 } },
    ])
    expect(config.unknown).toContain('num.network.threads')
  })

  test('IPv6 addresses are written in brackets', () => {
    expect(new BrokerConfig({ listeners: 'PLAINTEXT://[::1]:9092' }).listeners[0]).toMatchObject({
      host: '::1',
      port: 9092,
    })
  })

  test('broker.id counts when node.id is not given', () => {
    expect(new BrokerConfig({ 'broker.id': '5' }).nodeId).toBe(5)
    expect(new BrokerConfig({ 'broker.id': '5', 'node.id': '6' }).nodeId).toBe(6)
  })

  test('a topic’s retention comes from the topic, then what was altered, then the file in any unit, then the default', () => {
    const key = topicConfigKey('retention.ms')!
    const config = new BrokerConfig({ 'log.retention.minutes': '2' })
    const inForce = (overrides = new Map<string, string>()) => effectiveTopicConfig(key, overrides, config)
    // Kafka tells of other units only behind a value in milliseconds.
    expect(inForce()).toMatchObject({ value: '120000', source: 5, synonyms: [] })
    config.setDynamic(new Map([['log.retention.ms', '5']]))
    expect(inForce()).toMatchObject({ value: '5', source: 2 })
    expect(inForce(new Map([['retention.ms', '1']]))).toMatchObject({ value: '1', source: 1 })
    expect(inForce(new Map([['retention.ms', '1']])).synonyms.map((synonym) => synonym.name)).toEqual([
      'retention.ms',
      'log.retention.ms',
      'log.retention.minutes',
      'log.retention.hours',
    ])
  })

  test('only what can change while the broker runs may be altered', () => {
    expect(dynamicBrokerConfigError(new Map([['message.max.bytes', '10']]))).toBeUndefined()
    expect(dynamicBrokerConfigError(new Map([['listeners', 'PLAINTEXT://:1']]))).toContain('listeners')
    expect(dynamicBrokerConfigError(new Map([['message.max.bytes', 'big']]))).toContain('message.max.bytes')
  })
})
