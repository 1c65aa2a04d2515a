import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeAssignment,
  decodeMetadata,
  encodeAssignment,
  encodeMetadata,
  type GroupAssignment,
  GroupProtocolError,
} from '../../../../src/connect/herder/group-protocol.ts'
import { noLabels } from '../../../../src/connect/config/worker-labels.ts'
import { emptyWork } from '../../../../src/connect/herder/work.ts'
import '../../property-settings.ts'

const memberId = 'connect-127.0.0.1:38083-123e4567-e89b-12d3-a456-42661417400'
const url = 'http://127.0.0.1:38083/'

function hex(...parts: (string | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part.replaceAll(' ', ''), 'hex') : part)),
  )
}

/** What a one-worker group of Connect 4.3.1 showed in DescribeGroups; the member id there has 60 characters. */
function goldenNested(id: string): Buffer {
  return hex(
    '0002 0000',
    '003c',
    Buffer.from(id),
    '0017',
    Buffer.from(url),
    '0000000000000003',
    '00000001 0003',
    Buffer.from('src'),
    '00000001 ffffffff',
    '00000000',
    '00000000',
  )
}

test('metadata has the bytes of a Connect 4.3.1 worker', () => {
  const id = memberId.padEnd(60, '0')
  const golden = hex('0002 0017', Buffer.from(url), '0000000000000007', '0000007c', goldenNested(id))
  const metadata = {
    url,
    configOffset: 7,
    assignment: {
      error: 0,
      leader: id,
      leaderUrl: url,
      configOffset: 3,
      assigned: { connectors: new Set(['src']), tasks: new Set<string>() },
      revoked: emptyWork,
      delayMs: 0,
    },
    labels: noLabels,
  }
  expect(encodeMetadata(2, metadata).toString('hex')).toBe(golden.toString('hex'))
  expect(decodeMetadata(golden)).toEqual(metadata)
})

test('an assignment names the new task only', () => {
  const bytes = encodeAssignment(2, {
    error: 0,
    leader: 'm',
    leaderUrl: url,
    configOffset: 7,
    assigned: { connectors: new Set(), tasks: new Set(['src-0']) },
    revoked: emptyWork,
    delayMs: 0,
  })
  const golden = hex(
    '0002 0000 0001',
    Buffer.from('m'),
    '0017',
    Buffer.from(url),
    '0000000000000007',
    '00000001 0003',
    Buffer.from('src'),
    '00000001 00000000',
    '00000000 00000000',
  )
  expect(bytes.toString('hex')).toBe(golden.toString('hex'))
})

test('version 0 carries neither revocations nor a delay nor the present assignment', () => {
  const bytes = encodeMetadata(0, { url, configOffset: 7, assignment: null, labels: noLabels })
  expect(bytes.toString('hex')).toBe(hex('0000 0017', Buffer.from(url), '0000000000000007').toString('hex'))
  expect(decodeMetadata(bytes)).toEqual({ url, configOffset: 7, assignment: null, labels: noLabels })
})

test('labels come behind the metadata, which stays as it is for those that know no labels', () => {
  const plain = { url, configOffset: 7, assignment: null, labels: noLabels }
  for (const version of [0, 1, 2] as const) {
    const without = encodeMetadata(version, plain)
    const labelled = encodeMetadata(version, { ...plain, labels: new Set(['zone=a', 'role=edge']) })
    expect(labelled.toString('hex')).toBe(
      hex(
        without,
        '000d',
        Buffer.from('worker.labels'),
        '00000002 0006',
        Buffer.from('zone=a'),
        '0009',
        Buffer.from('role=edge'),
      ).toString('hex'),
    )
    expect(decodeMetadata(labelled)).toEqual({ ...plain, labels: new Set(['zone=a', 'role=edge']) })
    // Whatever somebody else writes there is none of ours.
    expect(decodeMetadata(hex(without, '0003 616263 00'))).toEqual(plain)
    expect(() => decodeMetadata(labelled.subarray(0, -1))).toThrow(GroupProtocolError)
  }
})

const name = fc.string({ minLength: 1, maxLength: 12 })
const work = fc.record({
  connectors: fc.uniqueArray(name, { maxLength: 5 }).map((names) => new Set(names)),
  tasks: fc
    .uniqueArray(fc.tuple(name, fc.nat(9)), { maxLength: 8, selector: ([connector, task]) => `${connector}-${task}` })
    .map((ids) => new Set(ids.map(([connector, task]) => `${connector}-${task}`))),
})
const anyAssignment: fc.Arbitrary<GroupAssignment> = fc.record({
  error: fc.constantFrom(0, 1),
  leader: fc.string(),
  leaderUrl: fc.string(),
  configOffset: fc.integer({ min: -1 }),
  assigned: work,
  revoked: work,
  delayMs: fc.nat(),
})

test('every assignment survives the way to bytes and back', () => {
  fc.assert(
    fc.property(anyAssignment, (assignment) => {
      expect(decodeAssignment(encodeAssignment(2, assignment))).toEqual(assignment)
    }),
  )
})

test('arbitrary bytes are refused or decoded, never an endless loop or another error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      for (const decode of [decodeAssignment, decodeMetadata]) {
        try {
          decode(Buffer.from(bytes))
        } catch (error) {
          expect(error).toBeInstanceOf(GroupProtocolError)
        }
      }
    }),
  )
})
