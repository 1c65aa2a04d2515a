import { MongoBulkWriteError, MongoNetworkError, MongoServerError } from 'mongodb'
import { RetriableError } from '@millrace/sdk'
import { expect, test } from 'vitest'
import { failureOf } from '../../../../connectors/mongodb/failures.ts'

const server = (code: number) => new MongoServerError({ message: 'no', code })
const labelled = server(1)
labelled.addErrorLabel('RetryableWriteError')

test.each([
  ['a network that breaks', new MongoNetworkError('closed'), 'retriable'],
  ['a bulk write whose connection breaks', bulkError(new MongoNetworkError('closed')), 'retriable'],
  [
    'a socket that the other side has ended',
    Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' }),
    'retriable',
  ],
  ['a label that says so', labelled, 'retriable'],
  ['an election', server(189), 'retriable'],
  ['a cursor that is gone', server(43), 'retriable'],
  [
    'a write concern that failed in time',
    bulkError({ message: 'waiting for replication timed out', code: 64 }),
    'retriable',
  ],
  ['an error of the SDK that passes', new RetriableError('later'), 'retriable'],
  ['no permission', server(13), 'fatal'],
  ['no permission for a bulk write', bulkError(server(13)), 'fatal'],
  ['a write concern that nobody can satisfy', bulkError({ message: 'no such tag', code: 100 }), 'fatal'],
  ['a document that breaks a rule of the collection', server(121), 'data'],
  ['a document that is too large', new RangeError('offset is out of bounds'), 'data'],
  ['what nobody knows', new Error('?'), 'fatal'],
  ['what is no error', 'x', 'fatal'],
])('%s', (_, error, kind) => {
  expect(failureOf(error).kind).toBe(kind)
})

/** As the driver tells of a bulk write of which the server has refused no single write. */
function bulkError(reason: Error | { message: string; code: number }): MongoBulkWriteError {
  return new MongoBulkWriteError(reason as never, {} as never)
}
