// Redis and MariaDB over TLS: whom the connectors trust, and what they show of themselves. HTTP has a file of its own,
// Elasticsearch and Postgres have theirs beside the rest of their tests.
import { parseConfigOrThrow } from '@millrace/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import jdbcSource from '../../connectors/jdbc/source.ts'
import redisSink from '../../connectors/redis/sink.ts'
import { type Certificates, createCertificates, opensslMissing } from '../services/certificates.ts'
import { freePort } from '../services/free-port.ts'
import { type MariaDb, mariadbMissing, startMariaDb } from '../services/mariadb.ts'
import { redisMissing, type RedisServer, startRedis } from '../services/redis.ts'
import { startSource } from './support/jdbc-tasks.ts'
import { sinkRecord, startSink } from './support/redis-tasks.ts'

const noOpenssl = opensslMissing()
let certificates: Certificates

beforeAll(async () => {
  if (!noOpenssl) certificates = await createCertificates()
})
afterAll(() => certificates?.remove())

const noRedis = redisMissing()

describe.skipIf(noOpenssl || noRedis)('Redis', () => {
  let server: RedisServer
  let port: number

  beforeAll(async () => {
    port = await freePort()
    const { certificate, key } = certificates.server
    server = await startRedis({
      settings: [
        `tls-port ${port}`,
        `tls-cert-file ${certificate}`,
        `tls-key-file ${key}`,
        `tls-ca-cert-file ${certificates.authority}`,
        'tls-auth-clients yes',
      ],
    })
  })
  afterAll(() => server?.stop())

  const open = [{ topic: 'orders', partition: 0 }]
  /** Writes a record to a stream and gives how many it has then. */
  const write = async (raw: Record<string, string>): Promise<number> => {
    const { task, put } = await startSink(redisSink, raw, { open, name: 'tls' })
    await put([sinkRecord(await server.client().xlen('orders'), 'a', { n: 0 })])
    await task.stop?.()
    return server.client().xlen('orders')
  }
  const at = (host: string) => ({ 'redis.host': host, 'redis.port': String(port) })
  const login = () => ({
    'redis.key.cert': certificates.client.certificate,
    'redis.key.file': certificates.client.key,
    'redis.key.password': certificates.clientKeyPassword,
  })

  test('records are written to a server that is trusted and asks for a certificate', async () => {
    const raw = { 'redis.tls': 'true', 'redis.cacert': certificates.authority, ...login() }
    expect(await write({ ...raw, ...at('localhost') })).toBe(1)
    const uri = { 'redis.cacert': certificates.authority, ...login() }
    expect(await write({ ...uri, 'redis.uri': `rediss://localhost:${port}` })).toBe(2)
    const insecure = { 'redis.tls': 'true', 'redis.insecure': 'true', ...login() }
    expect(await write({ ...insecure, ...at('127.0.0.1') })).toBe(3)
  })

  test('a server of another name or authority is refused, and nothing is written', async () => {
    const before = await server.client().xlen('orders')
    const raw = { 'redis.tls': 'true', ...login() }
    const byAddress = { ...raw, ...at('127.0.0.1'), 'redis.cacert': certificates.authority }
    await expect(write(byAddress)).rejects.toThrow(/altnames/)
    const stranger = { ...raw, ...at('localhost'), 'redis.cacert': certificates.otherAuthority }
    await expect(write(stranger)).rejects.toThrow(/certificate/)
    const missing = { ...raw, ...at('localhost'), 'redis.cacert': '/nowhere/ca.pem' }
    await expect(write(missing)).rejects.toThrow('redis.cacert: cannot read /nowhere/ca.pem')
    expect(await server.client().xlen('orders')).toBe(before)
  })
})

const noMariaDb = mariadbMissing()

describe.skipIf(noOpenssl || noMariaDb)('MariaDB', () => {
  let server: MariaDb

  beforeAll(async () => {
    const { certificate, key } = certificates.server
    server = await startMariaDb([`--ssl-cert=${certificate}`, `--ssl-key=${key}`])
    await server.query('CREATE TABLE orders (id INT PRIMARY KEY)')
    await server.query('INSERT INTO orders VALUES (7)')
    await server.query("CREATE USER secured IDENTIFIED BY 'secured-password' REQUIRE SSL")
    await server.query('GRANT ALL ON *.* TO secured')
  })
  afterAll(() => server?.stop())

  const rawOf = (properties: string, host = 'localhost') => ({
    'connection.url': `jdbc:mysql://${host}:${server.port}/${server.database}?${properties}`,
    'connection.user': 'secured',
    'connection.password': 'secured-password',
    'connection.attempts': '1',
    mode: 'bulk',
    'topic.prefix': 'shop-',
    'table.whitelist': 'orders',
  })
  /** The ids that a table source reads. */
  const read = async (...connection: Parameters<typeof rawOf>): Promise<readonly unknown[]> => {
    const source = await startSource(rawOf(...connection))
    const records = await source.take(1)
    await source.task.stop?.()
    return records.map(({ value }) => (value as { id: unknown }).id)
  }
  /** What validation says against the configuration. */
  const problems = async (...connection: Parameters<typeof rawOf>): Promise<string> => {
    const raw = rawOf(...connection)
    const issues = (await jdbcSource.validate?.(parseConfigOrThrow(jdbcSource.config, raw), raw)) ?? []
    return issues.map(({ key, message }) => `${key}: ${message}`).join()
  }

  test('an account that needs TLS is let in where it is used, and only then', async () => {
    expect(await read('sslMode=REQUIRED')).toEqual([7])
    expect(await read('sslMode=PREFERRED')).toEqual([7])
    expect(await problems('sslMode=DISABLED')).toMatch(/Access denied/)
  })

  test('verification holds the server to its authority and its name', async () => {
    const { authority, otherAuthority } = certificates
    expect(await read(`sslMode=VERIFY_IDENTITY&serverSslCert=${authority}`)).toEqual([7])
    expect(await read(`sslMode=VERIFY_CA&serverSslCert=${authority}`, '127.0.0.1')).toEqual([7])
    // The driver would not compare an address with the certificate.
    const byAddress = [`sslMode=VERIFY_IDENTITY&serverSslCert=${authority}`, '127.0.0.1'] as const
    expect(await problems(...byAddress)).toMatch(/connection.url: .*the address 127\.0\.0\.1 cannot be checked/)
    await expect(read(...byAddress)).rejects.toThrow(/the address 127\.0\.0\.1 cannot be checked/)
    expect(await problems(`sslMode=VERIFY_CA&serverSslCert=${otherAuthority}`)).toMatch(/certificate/)
    expect(await problems('sslMode=VERIFY_CA&serverSslCert=/nowhere/ca.pem')).toMatch(/serverSslCert cannot be read/)
  })
})
