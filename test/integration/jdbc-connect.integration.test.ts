import { chmodSync, chownSync, copyFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseConfigOrThrow } from '@millrace/sdk'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connectionSettings } from '../../connectors/jdbc/connection-config.ts'
import { dialectOf } from '../../connectors/jdbc/dialect.ts'
import { sourceConfig } from '../../connectors/jdbc/source-config.ts'
import { createCertificates, opensslMissing } from '../services/certificates.ts'
import { DEADLINE_MS } from '../services/deadline.ts'
import { type Postgres, postgresMissing, startPostgres } from '../services/postgres.ts'

const missing = postgresMissing(18)
const it = test.skipIf(missing !== null)

describe('connecting', () => {
  let postgres: Postgres

  beforeAll(async () => {
    if (missing === null) postgres = await startPostgres({ version: 18, auth: 'scram-sha-256' })
  })
  afterAll(async () => {
    await postgres?.stop()
  })

  /** What the session says of itself. */
  const ask = async (
    properties: string,
    host = '127.0.0.1',
    password = postgres.password,
  ): Promise<Record<string, string>> => {
    const raw = {
      mode: 'bulk',
      'connection.url': `jdbc:postgresql://${host}:${postgres.port}/postgres?${properties}`,
      'connection.user': 'postgres',
      'connection.password': password,
    }
    const settings = connectionSettings(parseConfigOrThrow(sourceConfig, raw), raw)
    const connection = await dialectOf(settings).connect(settings, 'read')
    try {
      const { columns, rows } = await connection.run(
        'select coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as ssl, ' +
          "current_setting('application_name') as name, current_setting('search_path') as path, " +
          "current_setting('TimeZone') as zone",
      )
      return Object.fromEntries(columns.map(({ name }, at) => [name, rows[0]?.[at] ?? '']))
    } finally {
      await connection.close()
    }
  }

  it('the session has the properties of the URL, and settings of our own', async () => {
    expect(await ask('ApplicationName=mine&currentSchema=a,%22B c%22')).toEqual({
      ssl: 'f',
      name: 'mine',
      path: 'a, "B c"',
      zone: 'UTC',
    })
  })

  it('a wrong password is told, and is not in the message', async () => {
    await expect(ask('', '127.0.0.1', 'topsecret')).rejects.toThrow(
      /password authentication failed for user "postgres"/,
    )
    await expect(ask('', '127.0.0.1', 'topsecret')).rejects.not.toThrow(/topsecret/)
  })

  it('targetServerType asks each host what it is', async () => {
    expect((await ask('targetServerType=primary')).zone).toBe('UTC')
    expect((await ask('targetServerType=preferSecondary')).zone).toBe('UTC')
    await expect(ask('targetServerType=secondary')).rejects.toThrow(/is no secondary/)
  })

  it('sslmode=require does not fall back to plain text', async () => {
    await expect(ask('sslmode=require')).rejects.toThrow(/does not support SSL/)
  })

  test.skipIf(missing !== null || opensslMissing())('TLS is checked as sslmode says', async () => {
    const certificates = await createCertificates()
    onTestFinished(() => certificates.remove())
    const { authority, server } = certificates
    const { uid, gid } = statSync(postgres.dataDirectory)
    for (const [file, name] of [
      [server.certificate, 'server.crt'],
      [server.key, 'server.key'],
    ] as const) {
      const target = join(postgres.dataDirectory, name)
      copyFileSync(file, target)
      chmodSync(target, 0o600)
      if (process.getuid?.() === 0) chownSync(target, uid, gid)
    }
    await postgres.query('alter system set ssl = on')
    await postgres.query('select pg_reload_conf()')
    const deadline = Date.now() + DEADLINE_MS
    while ((await ask('sslmode=prefer')).ssl !== 't') if (Date.now() > deadline) throw new Error('no TLS in time')

    expect((await ask('sslmode=require')).ssl).toBe('t')
    expect((await ask('sslmode=disable')).ssl).toBe('f')
    expect((await ask('sslmode=allow')).ssl).toBe('f')
    expect((await ask(`sslmode=verify-full&sslrootcert=${authority}`, 'localhost')).ssl).toBe('t')
    expect((await ask(`sslmode=verify-ca&sslrootcert=${authority}`)).ssl).toBe('t')
    await expect(ask(`sslmode=verify-full&sslrootcert=${authority}`)).rejects.toThrow(/127\.0\.0\.1/)
    await expect(ask('ssl=true', 'localhost')).rejects.toThrow(/certificate/i)
    await expect(ask('sslmode=verify-ca&sslrootcert=/nowhere/ca.crt')).rejects.toThrow(/sslrootcert cannot be read/)
  })
})
