import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { seededRandom } from '../../../../src/base/index.ts'
import {
  ALGORITHM_HEADER,
  generateSessionKey,
  remainingKeyMs,
  type SessionKeySettings,
  SIGNATURE_HEADER,
  signatureHeaders,
  verifySignature,
} from '../../../../src/connect/herder/session-keys.ts'

const settings: SessionKeySettings = {
  keyAlgorithm: 'HmacSHA256',
  keySizeBits: null,
  ttlMs: 1000,
  signatureAlgorithm: 'HmacSHA256',
  verificationAlgorithms: ['HmacSHA256'],
}
const body = Buffer.from('[{"a":"b"}]')
const key = generateSessionKey(settings, seededRandom(1), 5000)

function requestOf(headers: Record<string, string>, sent = body) {
  return { body: sent, signature: headers[SIGNATURE_HEADER], algorithm: headers[ALGORITHM_HEADER] }
}

test('a key has the size of its algorithm, or what is asked for', () => {
  expect(Buffer.from(key.key, 'base64').length).toBe(32)
  const long = generateSessionKey({ ...settings, keySizeBits: 512 }, seededRandom(1), 0)
  expect(Buffer.from(long.key, 'base64').length).toBe(64)
})

test('the signature is the HMAC of the body, in base64', () => {
  const headers = signatureHeaders(key, settings, body)
  const expected = createHmac('sha256', Buffer.from(key.key, 'base64')).update(body).digest('base64')
  expect(headers).toEqual({ [SIGNATURE_HEADER]: expected, [ALGORITHM_HEADER]: 'HmacSHA256' })
  expect(() => verifySignature(key, settings, requestOf(headers))).not.toThrow()
})

test('a changed body, another key, a strange algorithm and a missing signature are refused', () => {
  const headers = signatureHeaders(key, settings, body)
  expect(() => verifySignature(key, settings, requestOf(headers, Buffer.from('[]')))).toThrow('invalid signature')
  const other = generateSessionKey(settings, seededRandom(2), 0)
  expect(() => verifySignature(other, settings, requestOf(headers))).toThrow('invalid signature')
  const strange = { ...headers, [ALGORITHM_HEADER]: 'HmacMD5' }
  expect(() => verifySignature(key, settings, requestOf(strange))).toThrow("does not support the 'HmacMD5'")
  expect(() => verifySignature(key, settings, requestOf({}))).toThrow('missing required signature')
  expect(() => verifySignature(null, settings, requestOf(headers))).toThrow('no session key yet')
})

test('a key is used for its time and no longer', () => {
  expect(remainingKeyMs(key, settings, 5400)).toBe(600)
  expect(remainingKeyMs(key, settings, 6000)).toBe(0)
  expect(remainingKeyMs(null, settings, 0)).toBe(0)
})
