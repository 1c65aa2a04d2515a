import { readFile } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type ConnectionOptions,
  PostgresConnection,
  type SslMode,
} from '../../connectors/_shared/postgres-wire/index.ts'
import { type Certificates, createCertificates, opensslMissing } from '../services/certificates.ts'
import { type Postgres, postgresMissing, startPostgres } from '../services/postgres.ts'

const missing = postgresMissing(18) !== null

const options = (pg: Postgres, more: Partial<ConnectionOptions> = {}): ConnectionOptions => ({
  host: pg.host,
  port: pg.port,
  user: pg.user,
  password: pg.password,
  database: pg.database,
  sslmode: 'disable',
  ...more,
})

describe.skipIf(missing)('a connection', () => {
  let pg: Postgres
  beforeAll(async () => {
    pg = await startPostgres({ version: 18 })
  })
  afterAll(async () => pg?.stop())

  const connect = (more: Partial<ConnectionOptions> = {}) => PostgresConnection.connect(options(pg, more))

  test('runs statements in both protocols, one after another', async () => {
    const connection = await connect({ parameters: { TimeZone: 'UTC' } })
    const results = await Promise.all([
      connection.rows(`select 1 as a, null as b, 'é' as c; select '2' as last`),
      connection.rows('select $1::int + 1 as n, $2::text as t', ['41', null]),
      connection.rows('show timezone'),
      connection.query(''),
    ])
    expect(results.slice(0, 3)).toEqual([[{ last: '2' }], [{ n: '42', t: null }], [{ TimeZone: 'UTC' }]])
    expect(connection.serverVersion).toBe(18)
    await connection.close()
    await expect(connection.query('select 1')).rejects.toThrow('closed')
  })

  test('an error has its SQLSTATE and leaves the connection usable', async () => {
    const connection = await connect()
    await expect(connection.query('select * from nowhere')).rejects.toMatchObject({
      sqlstate: '42P01',
      transient: false,
    })
    await expect(connection.execute('select $1::int', ['x'])).rejects.toMatchObject({ sqlstate: '22P02' })
    await expect(connection.copyOut('copy nowhere to stdout', () => undefined)).rejects.toMatchObject({
      sqlstate: '42P01',
    })
    expect(await connection.rows('select 1 as one')).toEqual([{ one: '1' }])
    await connection.close()
  })

  test('COPY stands still while it is paused and loses nothing', async () => {
    const connection = await connect()
    let rows = 0
    let bytes = 0
    await connection.copyOut(
      `copy (select g, repeat('x', g % 3000) from generate_series(1, 5000) g) to stdout`,
      (_buffer, start, end) => {
        rows++
        bytes += end - start
        if (rows % 1000 === 0) {
          connection.pause()
          setImmediate(() => connection.resume())
        }
      },
    )
    expect(rows).toBe(5000)
    expect(bytes).toBeGreaterThan(5000 * 1000)
    expect(await connection.rows('select 1 as one')).toEqual([{ one: '1' }])
    await connection.close()
  })

  test('cancel ends what runs', async () => {
    const connection = await connect()
    // Looked at from now on: it may end before the call of `cancel` does.
    const sleeping = expect(connection.query('select pg_sleep(1000)')).rejects.toMatchObject({ sqlstate: '57014' })
    const other = await connect()
    const isAsleep = `select 1 from pg_stat_activity where pid = ${connection.backendPid} and wait_event = 'PgSleep'`
    while ((await other.rows(isAsleep)).length === 0);
    await connection.cancel()
    await sleeping
    await Promise.all([connection.close(), other.close()])
  })

  test('a backend that is terminated fails what runs with a transient error', async () => {
    const connection = await connect()
    const other = await connect()
    const sleeping = expect(connection.query('select pg_sleep(1000)')).rejects.toMatchObject({ transient: true })
    await other.query(`select pg_terminate_backend(${connection.backendPid})`)
    await sleeping
    await expect(connection.query('select 1')).rejects.toMatchObject({ transient: true })
    await other.close()
  })

  test('without TLS on the server, prefer goes on without and require does not', async () => {
    const plain = await connect({ sslmode: 'prefer' })
    await plain.close()
    await expect(connect({ sslmode: 'require' })).rejects.toThrow('offers no TLS')
  })
})

describe.skipIf(missing)('TLS', () => {
  const noOpenssl = opensslMissing()
  let pg: Postgres | undefined
  let certificates: Certificates | undefined

  beforeAll(async () => {
    if (noOpenssl) return
    certificates = await createCertificates()
    const { certificate, key } = certificates.server
    pg = await startPostgres({
      version: 18,
      tls: { certificate: await readFile(certificate, 'utf8'), key: await readFile(key, 'utf8') },
      hba: ['hostssl all all 127.0.0.1/32 trust', 'host all all 127.0.0.1/32 reject'],
    })
  })
  afterAll(async () => {
    await pg?.stop()
    await certificates?.remove()
  })

  const outcome = async (sslmode: SslMode, more: Partial<ConnectionOptions> = {}): Promise<string> => {
    try {
      const connection = await PostgresConnection.connect(options(pg as Postgres, { sslmode, ...more }))
      const [row] = await connection.rows('select ssl from pg_stat_ssl where pid = pg_backend_pid()')
      await connection.close()
      return row?.['ssl'] === 't' ? 'encrypted' : 'plain'
    } catch (error) {
      return (error as Error).message
    }
  }

  test.skipIf(noOpenssl)('each sslmode does what libpq does', async () => {
    const { authority, otherAuthority: other } = certificates as Certificates
    expect(await outcome('disable')).toContain('rejects connection')
    expect(await outcome('allow')).toBe('encrypted')
    expect(await outcome('prefer')).toBe('encrypted')
    expect(await outcome('require')).toBe('encrypted')
    expect(await outcome('require', { sslrootcert: other })).toContain('TLS with')
    expect(await outcome('verify-ca', { sslrootcert: authority })).toBe('encrypted')
    expect(await outcome('verify-ca', { sslrootcert: other })).toContain('TLS with')
    expect(await outcome('verify-full', { sslrootcert: authority, host: 'localhost' })).toBe('encrypted')
    expect(await outcome('verify-full', { sslrootcert: authority })).toContain('TLS with')
  })
})

describe('a server that is none', () => {
  async function against(answer: (socket: Socket) => void, run: (port: number) => Promise<void>): Promise<void> {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => undefined)
      answer(socket)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      await run((server.address() as { port: number }).port)
    } finally {
      for (const socket of sockets) socket.destroy()
      server.close()
    }
  }
  const connect = (port: number, sslmode: SslMode = 'disable'): Promise<PostgresConnection> =>
    PostgresConnection.connect({ host: '127.0.0.1', port, user: 'u', database: 'd', sslmode })

  test.each([
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
    ['a length below four', 'R\0\0\0\u0001'],
    ['a length beyond any message', 'R\u007f\u00ff\u00ff\u00ff'],
    ['an unknown authentication method', 'R\0\0\0\u0008\0\0\0\u0007'],
  ])('%s is a protocol error', async (_name, bytes) => {
    await against(
      (socket) => socket.end(Buffer.from(bytes, 'latin1')),
      async (port) => {
        await expect(connect(port)).rejects.toMatchObject({ name: 'PostgresError' })
      },
    )
  })

  test('bytes behind the answer to SSLRequest are refused', async () => {
    await against(
      (socket) => socket.once('data', () => socket.write('Sinjected')),
      async (port) => {
        await expect(connect(port, 'require')).rejects.toThrow('unencrypted bytes')
      },
    )
  })

  test('a connection closed at once is a transient error', async () => {
    await against(
      (socket) => socket.destroy(),
      async (port) => {
        await expect(connect(port)).rejects.toMatchObject({ transient: true })
      },
    )
  })
})
