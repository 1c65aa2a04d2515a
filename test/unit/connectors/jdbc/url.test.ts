import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JdbcUrlError, parseJdbcUrl } from '../../../../connectors/jdbc/url.ts'
import '../../property-settings.ts'

describe('a JDBC URL', () => {
  test.each([
    ['jdbc:postgresql://postgres:5432/postgres', [['postgres', 5432]], 'postgres'],
    ['jdbc:postgresql://localhost/shop', [['localhost', 5432]], 'shop'],
    ['jdbc:postgresql://localhost:6000/', [['localhost', 6000]], undefined],
    ['jdbc:postgresql://localhost:6000', [['localhost', 6000]], undefined],
    ['jdbc:postgresql:shop', [['localhost', 5432]], 'shop'],
    ['jdbc:postgresql:/', [['localhost', 5432]], undefined],
    ['jdbc:postgresql:///shop', [['localhost', 5432]], 'shop'],
    ['jdbc:postgresql://[::1]:5740/accounting', [['::1', 5740]], 'accounting'],
    ['jdbc:postgresql://[fe80::1]/a', [['fe80::1', 5432]], 'a'],
    [
      'jdbc:postgresql://a:1,b,[::2]:3/d',
      [
        ['a', 1],
        ['b', 5432],
        ['::2', 3],
      ],
      'd',
    ],
    ['JDBC:PostgreSQL://a/d', [['a', 5432]], 'd'],
    ['jdbc:postgresql://a/my%20db', [['a', 5432]], 'my db'],
    ['jdbc:mysql://a/shop', [['a', 3306]], 'shop'],
    ['jdbc:mysql://a', [['a', 3306]], undefined],
    [
      'jdbc:mariadb://a:1,b/shop?useSSL=false',
      [
        ['a', 1],
        ['b', 3306],
      ],
      'shop',
    ],
    ['jdbc:sqlite:/var/lib/shop.db', [], '/var/lib/shop.db'],
    ['jdbc:sqlite:shop+1.db?busy_timeout=1', [], 'shop+1.db'],
    ['jdbc:sqlite:file:/var/a%20b.db', [], '/var/a b.db'],
    ['jdbc:sqlite:file:///var/a.db', [], '/var/a.db'],
  ] as const)('%s', (text, hosts, database) => {
    const url = parseJdbcUrl(text)
    expect(url.hosts.map(({ host, port }) => [host, port])).toEqual(hosts)
    expect(url.database).toBe(database)
  })

  test('carries the properties of the driver, decoded', () => {
    const { properties } = parseJdbcUrl(
      'jdbc:postgresql://h/d?user=fred&password=s%26cret&ssl=true&currentSchema=a,b&options=-c%20x',
    )
    expect(Object.fromEntries(properties)).toEqual({
      user: 'fred',
      password: 's&cret',
      ssl: 'true',
      currentSchema: 'a,b',
      options: '-c x',
    })
  })

  test.each([
    ['postgresql://h/d', /not a JDBC URL/],
    ['', /not a JDBC URL/],
    ['jdbc:oracle:thin:@h', /not supported yet: "oracle"/],
    ['jdbc:mysql:d', /write it as jdbc:mysql/],
    ['jdbc:sqlite::memory:', /a file is needed/],
    ['jdbc:sqlite:', /a file is needed/],
    ['jdbc:nonsense://h/d', /unknown database: "nonsense"/],
    ['jdbc:postgresql://u:p@h/d', /connection.user/],
    ['jdbc:postgresql://h:99999/d', /port 99999/],
    ['jdbc:postgresql://h:x/d', /not a host and port/],
    ['jdbc:postgresql://::1/d', /brackets/],
    ['jdbc:postgresql://h/d?a=%', /percent sign/],
    ['jdbc:postgresql://h/a/b', /slash/],
  ])('%s is refused with the reason', (text, reason) => {
    expect(() => parseJdbcUrl(text)).toThrow(reason)
  })

  test('never names the password that stands before the host', () => {
    expect(() => parseJdbcUrl('jdbc:postgresql://u:topsecret@h/d')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('topsecret') }),
    )
  })

  test('any text is read or refused with a reason', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseJdbcUrl(`jdbc:postgresql:${text}`)
        } catch (error) {
          expect(error).toBeInstanceOf(JdbcUrlError)
        }
      }),
    )
  })
})
