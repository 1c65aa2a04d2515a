import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Random } from '../../base/index.ts'
import type { SessionKey } from './config-state.ts'
import { HerderError } from './errors.ts'
import type { InternalRequest } from './herder.ts'

/** How internal requests between workers are signed (KIP-507). */
export interface SessionKeySettings {
  readonly keyAlgorithm: string
  /** Bits; null takes the algorithm's own size. */
  readonly keySizeBits: number | null
  readonly ttlMs: number
  readonly signatureAlgorithm: string
  readonly verificationAlgorithms: readonly string[]
}

export const SIGNATURE_HEADER = 'x-connect-authorization'
export const ALGORITHM_HEADER = 'x-connect-request-signature-algorithm'

/** Java's names of the algorithms, with the name in Node and the key size in bytes that Java generates. */
const ALGORITHMS: Readonly<Record<string, readonly [string, number]>> = {
  HmacSHA1: ['sha1', 64],
  HmacSHA224: ['sha224', 28],
  HmacSHA256: ['sha256', 32],
  HmacSHA384: ['sha384', 48],
  HmacSHA512: ['sha512', 64],
}

export const signatureAlgorithms: readonly string[] = Object.keys(ALGORITHMS)

/** Makes a new key; only the leader does, and writes it to the config topic. */
export function generateSessionKey(settings: SessionKeySettings, random: Random, nowMs: number): SessionKey {
  const bytes = settings.keySizeBits === null ? ALGORITHMS[settings.keyAlgorithm]?.[1] : settings.keySizeBits / 8
  return { key: random.bytes(bytes ?? 32).toString('base64'), algorithm: settings.keyAlgorithm, createdMs: nowMs }
}

/** How long the key may still be used, in milliseconds; 0 when there is none or it is too old. */
export function remainingKeyMs(key: SessionKey | null, settings: SessionKeySettings, nowMs: number): number {
  return key === null ? 0 : Math.max(0, key.createdMs + settings.ttlMs - nowMs)
}

function hmac(algorithm: string, key: SessionKey, body: Buffer): Buffer {
  const name = ALGORITHMS[algorithm]?.[0]
  if (name === undefined) throw new HerderError('BAD_REQUEST', `unknown signature algorithm ${algorithm}`)
  return createHmac(name, Buffer.from(key.key, 'base64')).update(body).digest()
}

/** The headers that prove to another worker that the request comes from this cluster. */
export function signatureHeaders(key: SessionKey, settings: SessionKeySettings, body: Buffer): Record<string, string> {
  return {
    [SIGNATURE_HEADER]: hmac(settings.signatureAlgorithm, key, body).toString('base64'),
    [ALGORITHM_HEADER]: settings.signatureAlgorithm,
  }
}

/** Refuses a request that no worker of this cluster has signed. */
export function verifySignature(key: SessionKey | null, settings: SessionKeySettings, request: InternalRequest): void {
  const { signature, algorithm } = request
  if (signature === undefined || algorithm === undefined) {
    throw new HerderError('BAD_REQUEST', 'Internal request missing required signature')
  }
  if (!settings.verificationAlgorithms.includes(algorithm)) {
    throw new HerderError(
      'BAD_REQUEST',
      `This worker does not support the '${algorithm}' key signing algorithm used by other workers. ` +
        `This worker is currently configured to use: ${settings.signatureAlgorithm}. ` +
        'Check that all workers have inter.worker.verification.algorithms in common.',
    )
  }
  if (key === null) throw new HerderError('UNAVAILABLE', 'This worker is still starting up and has no session key yet')
  const expected = hmac(algorithm, key, request.body)
  const given = Buffer.from(signature, 'base64')
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw new HerderError('FORBIDDEN', 'Internal request contained invalid signature.')
  }
}
