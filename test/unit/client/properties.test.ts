import { describe, expect, test } from 'vitest'
import { consumerOptionsFrom, producerOptionsFrom } from '../../../src/client/index.ts'

describe('options from Kafka’s property names', () => {
  test('values get their types and unknown keys are told', () => {
    const read = producerOptionsFrom({
      'linger.ms': '20',
      acks: 'all',
      'compression.type': 'zstd',
      'enable.idempotence': 'TRUE',
      'bootstrap.servers': 'a:1',
      'key.serializer': 'org.apache.kafka.common.serialization.ByteArraySerializer',
      'no.such.key': 'x',
    })
    expect(read).toEqual({
      options: { lingerMs: 20, acks: -1, compressionType: 'zstd', enableIdempotence: true, bootstrapServers: 'a:1' },
      unknown: ['no.such.key'],
    })
  })

  test('assignors are known by their Java classes', () => {
    const strategy =
      'org.apache.kafka.clients.consumer.CooperativeStickyAssignor, org.apache.kafka.clients.consumer.RangeAssignor'
    expect(consumerOptionsFrom({ 'partition.assignment.strategy': strategy }).options).toEqual({
      partitionAssignmentStrategy: ['cooperative-sticky', 'range'],
    })
  })

  test.each([
    ['linger.ms', 'soon', 'Not a number of type INT'],
    ['acks', '2', 'must be one of: all, -1, 0, 1'],
    ['compression.type', 'rar', 'must be one of: none, gzip, snappy, lz4, zstd'],
    ['enable.idempotence', 'maybe', 'either true or false'],
    ['security.protocol', 'SASL_SSL', 'PLAINTEXT only'],
  ])('a bad value is refused by key: %s=%s', (key, value, reason) => {
    expect(() => producerOptionsFrom({ [key]: value })).toThrow(
      expect.objectContaining({
        code: 'CLIENT_CONFIG',
        message: expect.stringMatching(new RegExp(`Invalid value ${value} for configuration ${key}: .*${reason}`)),
      }),
    )
  })
})
