import { BSON } from 'mongodb'
import { ConnectError } from '@millrace/sdk'
import type { Document } from './documents.ts'
import { jsonText } from './json-text.ts'

const write = jsonText('Relaxed')

/** A resume token as offsets hold it. */
export function tokenText(token: unknown): string {
  return write(token as Document)
}

/** The resume token of an offset, which may be one that the original has written. Throws ConnectError. */
export function tokenOf(text: string): Document {
  try {
    return BSON.EJSON.parse(text) as Document
  } catch (error) {
    throw new ConnectError('the committed offset is no resume token; reset the offsets of the connector', {
      cause: error,
    })
  }
}

/** InvalidResumeToken, ChangeStreamFatalError, ChangeStreamHistoryLost, BSONObjectTooLarge. */
const LOST = new Set([260, 280, 286, 10_334])

/** Whether a stream cannot go on from its resume token, because the server does not have that place any more. */
export function isTokenLost(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (typeof code === 'number' && LOST.has(code)) return true
  const text = String(message).toLowerCase()
  return (
    /resume token|resume point/.test(text) &&
    /not found|does not exist|invalid resume token|no longer be in the oplog/.test(text)
  )
}
