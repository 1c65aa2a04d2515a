import { describe, expect, test } from 'vitest'
import { ErrorCode, errorByCode } from '../../../src/protocol/index.ts'

describe('error table', () => {
  test('has code, name, message and whether to retry', () => {
    expect(errorByCode(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)).toEqual({
      code: 3,
      name: 'UNKNOWN_TOPIC_OR_PARTITION',
      message: 'This server does not host this topic-partition.',
      retriable: true,
    })
    expect(errorByCode(ErrorCode.MESSAGE_TOO_LARGE).retriable).toBe(false)
    expect(errorByCode(0).name).toBe('NONE')
  })

  test('every code finds its own name', () => {
    for (const [name, code] of Object.entries(ErrorCode)) expect(errorByCode(code).name).toBe(name)
  })

  test('a code of a newer broker counts as unknown server error', () => {
    expect(errorByCode(9999).name).toBe('UNKNOWN_SERVER_ERROR')
  })
})
