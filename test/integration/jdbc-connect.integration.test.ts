import { chmodSync, chownSync, copyFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { parseConfigOrThrow } from '@millrace/sdk'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connectionSettings } from '../../connectors/jdbc/connection-config.ts'
import { dialectOf } from '../../connectors/jdbc/dialect.ts'
import { sourceConfig } from '../../connectors/jdbc/source-config.ts'
import type { SqlConnection } from '../../connectors/jdbc/sql.ts'
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

  const open = (properties: string, host = '127.0.0.1', password = postgres.password): Promise<SqlConnection> => {
    const raw = {
      mode: 'bulk',
      'connection.url': `jdbc:postgresql://${host}:${postgres.port}/postgres?${properties}`,
      'connection.user': 'postgres',
      'connection.password': password,
    }
    const settings = connectionSettings(parseConfigOrThrow(sourceConfig, raw), raw)
    return dialectOf(settings).connect(settings, 'read')
  }

  /** What the session says of itself. */
  const ask = async (...how: Parameters<typeof open>): Promise<Record<string, string>> => {
    const connection = await open(...how)
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

  it('a statement says what it did, and several say what the last one did', async () => {
    const connection = await open('')
    try {
      const said = async (text: string, values?: readonly string[]) => {
        const { command, affected, rows } = await connection.run(values === undefined ? text : { text, values })
        return [command, affected, rows]
      }
      expect(
        await said('create temp table done (id int); select 1 as first; insert into done values (1), (2)'),
      ).toEqual(['INSERT', 2, []])
      expect(await said('select id, null from done order by id')).toEqual([
        'SELECT',
        2,
        [
          ['1', null],
          ['2', null],
        ],
      ])
      expect(await said('select id from done where id > $1::int', ['1'])).toEqual(['SELECT', 1, [['2']]])
      expect(await said('update done set id = 3 where id = 1; drop table done')).toEqual(['DROP', 0, []])
      expect(await said('')).toEqual(['', 0, []])
      expect(await said('begin')).toEqual(['BEGIN', 0, []])
      await expect(said('select * from done')).rejects.toThrow(/does not exist/)
      expect(await said('commit')).toEqual(['ROLLBACK', 0, []])
      expect(connection.broken).toBe(false)
    } finally {
      await connection.close()
    }
    await expect(connection.run('select 1')).rejects.toThrow(/closed/)
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
