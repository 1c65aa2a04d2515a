// AWS's Security Token Service as far as roles go, and a gate that lets only its sessions through to an S3 server.
import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, request as httpRequest, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An AssumeRole request as it came. */
export interface AssumedRole {
  readonly arn: string | null
  readonly sessionName: string | null
  readonly externalId: string | null
  readonly seconds: string | null
  /** Who signed it: the access key, and the session token where it has one. */
  readonly accessKeyId: string | undefined
  readonly sessionToken: string | undefined
}

export interface Sts {
  readonly url: string
  readonly requests: readonly AssumedRole[]
  /** The token of the newest session. */
  token(): string
  close(): Promise<void>
}

export interface StsAnswer {
  /** The status and code of an error instead of a session. */
  readonly refusal?: readonly [status: number, code: string]
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly lastsMs: number
}

async function listen(server: Server): Promise<{ url: string; close(): Promise<void> }> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const NAMESPACE = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"'

const session = (answer: StsAnswer, token: string, arn: string | null): string => `
  <AssumeRoleResponse ${NAMESPACE}>
    <AssumeRoleResult>
      <AssumedRoleUser><AssumedRoleId>AROA:session</AssumedRoleId><Arn>${arn}/session</Arn></AssumedRoleUser>
      <Credentials>
        <AccessKeyId>${answer.accessKeyId}</AccessKeyId>
        <SecretAccessKey>${answer.secretAccessKey}</SecretAccessKey>
        <SessionToken>${token}</SessionToken>
        <Expiration>${new Date(Date.now() + answer.lastsMs).toISOString()}</Expiration>
      </Credentials>
      <PackedPolicySize>6</PackedPolicySize>
    </AssumeRoleResult>
    <ResponseMetadata><RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId></ResponseMetadata>
  </AssumeRoleResponse>`

const refused = (code: string): string => `
  <ErrorResponse ${NAMESPACE}>
    <Error><Type>Sender</Type><Code>${code}</Code><Message>no role for you</Message></Error>
    <RequestId>c6104cbe-af31-11e0-8154-cbc7ccf896c7</RequestId>
  </ErrorResponse>`

/** Answers each request for a role as it is told. */
export async function startSts(answerTo: (request: AssumedRole, count: number) => StsAnswer): Promise<Sts> {
  const requests: AssumedRole[] = []
  const token = () => `session-${requests.length}`
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const form = new URLSearchParams(body.toString())
      const asked: AssumedRole = {
        arn: form.get('RoleArn'),
        sessionName: form.get('RoleSessionName'),
        externalId: form.get('ExternalId'),
        seconds: form.get('DurationSeconds'),
        accessKeyId: /Credential=([^/]+)\//.exec(request.headers.authorization ?? '')?.[1],
        sessionToken: request.headers['x-amz-security-token'] as string | undefined,
      }
      requests.push(asked)
      const answer = answerTo(asked, requests.length)
      const [status, code] = answer.refusal ?? [200, '']
      const xml = answer.refusal ? refused(code) : session(answer, token(), asked.arn)
      response.writeHead(status, { 'content-type': 'text/xml' }).end(xml.trim())
    })
  })
  return { ...(await listen(server)), requests, token }
}

type Headers = IncomingMessage['headers']

/** The signature of a request (version 4) over these of its headers. */
function signatureOf(
  request: IncomingMessage,
  headers: Headers,
  signed: readonly string[],
  scope: string,
  secret: string,
) {
  const [path = '/', query = ''] = (request.url ?? '/').split('?')
  const canonical = [
    request.method,
    path,
    query.split('&').toSorted().join('&'),
    ...signed.map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    signed.join(';'),
    headers['x-amz-content-sha256'],
  ].join('\n')
  const hash = createHash('sha256').update(canonical).digest('hex')
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hash].join('\n')
  let key: Buffer = Buffer.from(`AWS4${secret}`)
  for (const part of scope.split('/')) key = createHmac('sha256', key).update(part).digest()
  return createHmac('sha256', key).update(text).digest('hex')
}

const TOKEN = 'x-amz-security-token'

export interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/**
 * Stands before a server that knows no sessions: what is signed in a session that is valid is signed anew with the keys
 * of the server and handed on; the rest is refused as S3 does it.
 */
export async function startGate(
  s3: Keys & { endpoint: string },
  keysOf: (token: string | undefined) => Keys | undefined,
) {
  const server = createServer((request, response) => {
    const { [TOKEN]: token, ...headers } = request.headers
    const session = keysOf(token as string | undefined)
    const [, id, scope, list, signature] =
      /Credential=([^/]+)\/([^,]+), *SignedHeaders=([^,]+), *Signature=(\w+)/.exec(headers.authorization ?? '') ?? []
    const signed = (list ?? '').split(';')
    const isGenuine =
      session?.accessKeyId === id &&
      signatureOf(request, request.headers, signed, scope ?? '', session?.secretAccessKey ?? '') === signature
    if (!isGenuine) {
      response.writeHead(400).end('<Error><Code>ExpiredToken</Code><Message>the session has ended</Message></Error>')
      return
    }
    const rest = signed.filter((name) => name !== TOKEN)
    const renewed = signatureOf(request, headers, rest, scope ?? '', s3.secretAccessKey)
    headers.authorization = `AWS4-HMAC-SHA256 Credential=${s3.accessKeyId}/${scope}, SignedHeaders=${rest.join(';')}, Signature=${renewed}`
    const onward = httpRequest(new URL(request.url ?? '/', s3.endpoint), { method: request.method ?? 'GET', headers })
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers)
      answer.pipe(response)
    })
    onward.on('error', () => response.destroy())
    request.pipe(onward)
  })
  return listen(server)
}
