import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { protocolError } from './postgres-error.ts'

const derive = promisify(pbkdf2)
/** More rounds than any server asks for; a bound on the work a hostile one can make us do. */
const ITERATIONS_MAX = 1_000_000

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** One SCRAM-SHA-256 exchange (RFC 5802, RFC 7677) without channel binding. */
export class ScramExchange {
  readonly #password: string
  readonly #nonce = randomBytes(18).toString('base64')
  #serverSignature: Buffer | undefined

  constructor(password: string) {
    this.#password = password.normalize('NFKC')
  }

  first(): string {
    return `n,,${this.#bare()}`
  }

  #bare(): string {
    return `n=*,r=${this.#nonce}`
  }

  /** Answers the server's first message. */
  async continue(serverFirst: string): Promise<string> {
    const match = /^r=([^,]+),s=([^,]+),i=(\d+)/.exec(serverFirst)
    const [, nonce, salt, rounds] = match ?? []
    if (nonce === undefined || salt === undefined || !nonce.startsWith(this.#nonce) || nonce === this.#nonce) {
      throw protocolError('SCRAM: the server-first message does not fit')
    }
    const iterations = Number(rounds)
    if (iterations < 1 || iterations > ITERATIONS_MAX) throw protocolError(`SCRAM: ${iterations} iterations`)
    const salted = await derive(this.#password, Buffer.from(salt, 'base64'), iterations, 32, 'sha256')
    const withoutProof = `c=biws,r=${nonce}`
    const message = `${this.#bare()},${serverFirst},${withoutProof}`
    const clientKey = hmac(salted, 'Client Key')
    const signature = hmac(createHash('sha256').update(clientKey).digest(), message)
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] as number)))
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), message)
    return `${withoutProof},p=${proof.toString('base64')}`
  }

  /** Checks that the server knows the password too. */
  finish(serverFinal: string): void {
    const given = Buffer.from(/^v=([^,]+)/.exec(serverFinal)?.[1] ?? '', 'base64')
    const expected = this.#serverSignature
    if (expected === undefined || given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw protocolError('SCRAM: the server does not know the password')
    }
  }
}

/** The answer to an MD5 challenge. */
export function md5Password(user: string, password: string, salt: Buffer): string {
  const md5 = (...parts: (string | Buffer)[]): string => {
    const hash = createHash('md5')
    for (const part of parts) hash.update(part)
    return hash.digest('hex')
  }
  return `md5${md5(md5(password, user), salt)}`
}
