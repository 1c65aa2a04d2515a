// Sinks of S3 in a role: sessions of a token service, and a server that takes nobody without one.
import { parseConfigOrThrow } from '@millrace/sdk'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import templates from '../../connectors/s3/aiven/sink.ts'
import partitions from '../../connectors/s3/sink.ts'
import { type S3Server, s3Missing, startS3 } from '../services/s3.ts'
import { RunningTasks } from './support/hooks.ts'
import { aivenConnectionOf, connectionOf, keysOf, sinkRecord } from './support/s3-tasks.ts'
import { startGate, startSts, type StsAnswer } from './support/sts.ts'
import { startSinkTask } from './support/task-contract.ts'

const ROLE = 'arn:aws:iam::123456789012:role/writer'
const BASE = 'arn:aws:iam::123456789012:role/base'
const HOUR_MS = 3_600_000

describe.skipIf(s3Missing() !== null)('roles', () => {
  let server: S3Server
  const open: { close(): Promise<void> }[] = []
  const running = new RunningTasks()

  beforeAll(async () => {
    server = await startS3()
  })
  afterAll(() => server?.stop())
  afterEach(async () => {
    await running.stop()
    for (const one of open.splice(0)) await one.close()
  })

  const KEYS = { accessKeyId: 'ASIASESSION', secretAccessKey: 'secret-of-session' }
  const good = (lastsMs = HOUR_MS): StsAnswer => ({ ...KEYS, lastsMs })
  /** A token service, and a way to the server that is open to its newest session alone. */
  const setUp = async (answerTo: Parameters<typeof startSts>[0]) => {
    const sts = await startSts(answerTo)
    const gate = await startGate(server, (token) => (token === sts.token() ? KEYS : undefined))
    open.push(gate, sts)
    return { sts, gate }
  }
  const templatesIn = (gate: { url: string }, sts: { url: string }, more: Record<string, string> = {}) => ({
    ...aivenConnectionOf(server),
    'aws.s3.endpoint': gate.url,
    'aws.access.key.id': 'MASTER',
    'aws.secret.access.key': 'secret-of-master',
    'aws.sts.role.arn': ROLE,
    'aws.sts.config.endpoint': sts.url,
    'format.output.type': 'jsonl',
    'aws.s3.backoff.delay.ms': '1',
    'kafka.retry.backoff.ms': '10',
    ...more,
  })
  /** A task that writes an object with each call; the objects are named by offsets. */
  const writerOf = async (raw: Record<string, string>) => {
    const started = await startSinkTask(templates, raw, { connectorName: 's3-roles', hasQueue: false })
    running.add(started)
    return async (offset: number) => {
      await started.task.put([sinkRecord(offset, { n: offset })])
      await started.task.preCommit?.([{ topic: 'orders', partition: 0, offset: offset + 1 }])
    }
  }
  const issuesOf = async (raw: Record<string, string>) =>
    templates.validate?.(parseConfigOrThrow(templates.config, raw), raw)

  test('objects are written in the role, by one session as long as it lasts', async () => {
    const { sts, gate } = await setUp(() => good())
    const more = {
      'aws.sts.role.session.name': 'nightly',
      'aws.sts.role.external.id': 'ext-1',
      'aws.sts.role.session.duration': '900',
      'aws.s3.prefix': 'once/',
    }
    const write = await writerOf(templatesIn(gate, sts, more))
    for (let offset = 0; offset < 3; offset++) await write(offset)
    expect(await keysOf(server, 'once/')).toHaveLength(3)
    expect(sts.requests).toEqual([
      {
        arn: ROLE,
        sessionName: 'nightly',
        externalId: 'ext-1',
        seconds: '900',
        accessKeyId: 'MASTER',
        sessionToken: undefined,
      },
    ])
  })

  test('a session that is about to end is followed by the next one', async () => {
    // The client counts what lasts less than five minutes as about to end; the gate knows the newest session alone.
    const { sts, gate } = await setUp((_asked, count) => good(count < 3 ? 60_000 : HOUR_MS))
    const write = await writerOf(templatesIn(gate, sts, { 'aws.s3.prefix': 'renewed/' }))
    for (let offset = 0; offset < 6; offset++) await write(offset)
    expect(await keysOf(server, 'renewed/')).toHaveLength(6)
    expect(sts.requests).toHaveLength(3)
    expect(sts.requests[0]).toMatchObject({ sessionName: 'millrace', externalId: null, seconds: '3600' })
  })

  test('a token service that is away for a moment is asked again', async () => {
    const { sts, gate } = await setUp((_asked, count) =>
      count === 1 ? { ...good(), refusal: [503, 'ServiceUnavailable'] } : good(),
    )
    const write = await writerOf(templatesIn(gate, sts, { 'aws.s3.prefix': 'later/' }))
    await write(0)
    expect(await keysOf(server, 'later/')).toHaveLength(1)
    expect(sts.requests).toHaveLength(2)
  })

  test('a role that is refused is told by name, and no secret with it', async () => {
    const { sts, gate } = await setUp(() => ({ ...good(), refusal: [403, 'AccessDenied'] }))
    const issues = await issuesOf(templatesIn(gate, sts))
    expect(issues).toEqual([
      { key: 'aws.sts.role.arn', message: `the role ${ROLE} cannot be assumed: AccessDenied: no role for you` },
    ])
    const { gate: closed } = await setUp(() => good())
    const nobody = templatesIn(closed, { url: 'http://127.0.0.1:1' })
    expect(await issuesOf(nobody)).toEqual([
      { key: 'aws.sts.role.arn', message: expect.stringMatching(/cannot be assumed: .*ECONNREFUSED/) },
    ])
  })

  test("Confluent's provider assumes a role by way of another one", async () => {
    const { sts, gate } = await setUp((asked) =>
      asked.arn === BASE ? { accessKeyId: 'BASEKEY', secretAccessKey: 'base-secret', lastsMs: HOUR_MS } : good(),
    )
    const provider = 's3.credentials.provider'
    const raw = {
      ...connectionOf(server),
      'store.url': gate.url,
      'aws.access.key.id': 'MASTER',
      'aws.secret.access.key': 'secret-of-master',
      'flush.size': '1',
      'format.class': 'io.confluent.connect.s3.format.json.JsonFormat',
      'topics.dir': 'based',
      [`${provider}.class`]: 'io.confluent.connect.s3.auth.AwsAssumeRoleCredentialsProvider',
      [`${provider}.sts.role.arn`]: ROLE,
      [`${provider}.sts.role.session.name`]: 'second',
      [`${provider}.sts.role.external.id`]: 'ext-2',
      [`${provider}.sts.base.role.arn`]: BASE,
      [`${provider}.sts.base.session.name`]: 'first',
      [`${provider}.sts.endpoint`]: sts.url,
    }
    const started = await startSinkTask(partitions, raw, { connectorName: 's3-roles', hasQueue: false })
    running.add(started)
    await started.task.put([sinkRecord(0, { n: 0 })])
    await started.task.preCommit?.([{ topic: 'orders', partition: 0, offset: 1 }])
    expect(await keysOf(server, 'based/')).toHaveLength(1)
    expect(sts.requests).toEqual([
      {
        arn: BASE,
        sessionName: 'first',
        externalId: null,
        seconds: '900',
        accessKeyId: 'MASTER',
        sessionToken: undefined,
      },
      {
        arn: ROLE,
        sessionName: 'second',
        externalId: 'ext-2',
        seconds: '900',
        accessKeyId: 'BASEKEY',
        sessionToken: 'session-1',
      },
    ])
  })
})
