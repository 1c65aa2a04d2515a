/** Frontend messages. Their wire forms: https://www.postgresql.org/docs/current/protocol-message-formats.html */

const PROTOCOL_3_0 = 196_608
const SSL_REQUEST = 80_877_103
const CANCEL_REQUEST = 80_877_102

const zeroTerminated = (text: string): Buffer => Buffer.from(`${text}\0`, 'utf8')

function int32(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(4)
  buffer.writeInt32BE(value)
  return buffer
}

function int16(value: number): Buffer {
  const buffer = Buffer.allocUnsafe(2)
  buffer.writeInt16BE(value)
  return buffer
}

function untyped(...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([int32(body.length + 4), body])
}

function typed(type: string, ...parts: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(type, 'latin1'), untyped(...parts)])
}

export const sslRequest = (): Buffer => untyped(int32(SSL_REQUEST))
export const cancelRequest = (pid: number, secret: Buffer): Buffer => untyped(int32(CANCEL_REQUEST), int32(pid), secret)
export const terminate = (): Buffer => typed('X')
export const query = (sql: string): Buffer => typed('Q', zeroTerminated(sql))
export const copyData = (data: Buffer): Buffer => typed('d', data)
export const copyDone = (): Buffer => typed('c')
export const password = (text: string): Buffer => typed('p', zeroTerminated(text))

export function startup(parameters: Readonly<Record<string, string>>): Buffer {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [zeroTerminated(name), zeroTerminated(value)])
  return untyped(int32(PROTOCOL_3_0), ...pairs, Buffer.from([0]))
}

export function saslInitial(mechanism: string, response: string): Buffer {
  const body = Buffer.from(response, 'utf8')
  return typed('p', zeroTerminated(mechanism), int32(body.length), body)
}

export const saslResponse = (response: string): Buffer => typed('p', Buffer.from(response, 'utf8'))

/** Parse, Bind, Describe, Execute and Sync of the unnamed statement with text parameters. */
export function extendedQuery(sql: string, parameters: readonly (string | null)[]): Buffer {
  const values = parameters.flatMap((value) => {
    if (value === null) return [int32(-1)]
    const bytes = Buffer.from(value, 'utf8')
    return [int32(bytes.length), bytes]
  })
  return Buffer.concat([
    typed('P', zeroTerminated(''), zeroTerminated(sql), int16(0)),
    typed('B', zeroTerminated(''), zeroTerminated(''), int16(0), int16(parameters.length), ...values, int16(0)),
    typed('D', Buffer.from('P', 'latin1'), zeroTerminated('')),
    typed('E', zeroTerminated(''), int32(0)),
    typed('S'),
  ])
}
