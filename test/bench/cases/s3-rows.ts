import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { parquetMetadata } from 'hyparquet'
import { clientOf } from '../../integration/client/clusters.ts'
import { type NewRecord, produce } from '../../integration/support/topics.ts'
import type { S3Server } from '../../services/s3.ts'
import { scaled } from '../measure.ts'

/** The rows of the S3 cases: how they get into the topic, and what of them is stored. */
export const RECORDS = scaled(1_000_000)
export const FOLDERS = 500
export const TOPIC = 'bench-rows'
export type Format = 'json' | 'parquet'

const FIELDS = [
  { field: 'id', type: 'int64' },
  { field: 'folder', type: 'int32' },
  { field: 'name', type: 'string' },
  { field: 'amount', type: 'double' },
  { field: 'note', type: 'string' },
]
const SCHEMA = JSON.stringify({
  type: 'struct',
  optional: false,
  fields: FIELDS.map((each) => ({ ...each, optional: false })),
})
const LINE_FEED = 10

function rowText(n: number, withSchema: boolean): string {
  const row = {
    id: n,
    folder: n % FOLDERS,
    name: `customer ${n % 10_000}`,
    amount: (n % 1000) / 8,
    note: 'a few words that are the same each time',
  }
  const payload = JSON.stringify(row)
  return withSchema ? `{"schema":${SCHEMA},"payload":${payload}}` : payload
}

function* records(withSchema: boolean): Generator<NewRecord> {
  for (let n = 0; n < RECORDS; n++) yield { partition: 0, key: null, value: Buffer.from(rowText(n, withSchema)) }
}

export const fillTopic = (bootstrapServers: string, withSchema: boolean): Promise<void> =>
  produce(clientOf({ bootstrapServers }), TOPIC, records(withSchema))

/** How far a sink has committed. */
export async function committedOffset(bootstrapServers: string, connector: string): Promise<number> {
  await using admin = clientOf({ bootstrapServers }).admin()
  const offsets = await admin.groups.offsets(`connect-${connector}`, [{ topic: TOPIC, partition: 0 }])
  return offsets[0]?.offset ?? 0
}

/** The keys of the objects below a prefix, looked up at the server. */
export async function storedKeys(server: S3Server, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for (let token: string | undefined; ; ) {
    const page = await server.client.send(
      new ListObjectsV2Command({
        Bucket: server.bucket,
        Prefix: prefix,
        ...(token ? { ContinuationToken: token } : {}),
      }),
    )
    keys.push(...(page.Contents ?? []).map(({ Key }) => Key ?? ''))
    token = page.NextContinuationToken
    if (token === undefined) return keys
  }
}

export async function storedBodies(server: S3Server, prefix: string): Promise<Buffer[]> {
  const bodies: Buffer[] = []
  for (const Key of await storedKeys(server, prefix)) {
    const answer = await server.client.send(new GetObjectCommand({ Bucket: server.bucket, Key }))
    bodies.push(Buffer.from((await answer.Body?.transformToByteArray()) ?? []))
  }
  return bodies
}

/** Throws unless each row is there once. */
export async function checkRows(server: S3Server, prefix: string, format: Format): Promise<void> {
  const rowsOf = format === 'json' ? linesOf : parquetRowsOf
  const rows = (await storedBodies(server, prefix)).reduce((sum, body) => sum + rowsOf(body), 0)
  if (rows !== RECORDS) throw new Error(`${prefix} has ${rows} rows and not ${RECORDS}`)
}

/** The last line may be without its end. */
function linesOf(body: Buffer): number {
  let lines = body.at(-1) === LINE_FEED ? 0 : 1
  for (let at = body.indexOf(LINE_FEED); at >= 0; at = body.indexOf(LINE_FEED, at + 1)) lines++
  return lines
}

function parquetRowsOf(body: Buffer): number {
  return Number(parquetMetadata(new Uint8Array(body).buffer).num_rows)
}
