import { defineConfig, parseConfigOrThrow } from '@millrace/sdk'
import { expect, test } from 'vitest'
import {
  classifyRedisError,
  classifyReply,
  redisConnectionConfig,
  redisSettings,
} from '../../../../../connectors/_shared/redis/index.ts'
import { readUri } from '../../../../../connectors/_shared/redis/settings.ts'

const config = defineConfig(redisConnectionConfig)
const settingsOf = (raw: Record<string, string>) => redisSettings(parseConfigOrThrow(config, raw))

test('without any key it is the server on this machine', () => {
  expect(settingsOf({})).toMatchObject({
    mode: 'standalone',
    nodes: [{ host: 'localhost', port: 6379 }],
    database: 0,
    tls: undefined,
    timeoutMs: 60_000,
  })
})

test('a URI wins over the other keys', () => {
  const raw = { 'redis.uri': 'rediss://me:p%40ss@[::1]:7000/3', 'redis.host': 'other', 'redis.password': 'other' }
  expect(settingsOf(raw)).toMatchObject({
    nodes: [{ host: '::1', port: 7000 }],
    username: 'me',
    password: 'p@ss',
    database: 3,
    tls: { insecure: false },
  })
  expect(settingsOf({ 'redis.uri': 'redis://secret@h' })).toMatchObject({ username: undefined, password: 'secret' })
  const password = { 'redis.uri': 'redis://h', 'redis.password': 'kept' }
  expect(settingsOf(password)).toMatchObject({ password: 'kept' })
})

test('sentinels come from a URI or from keys', () => {
  const wanted = {
    mode: 'sentinel',
    nodes: [
      { host: 'a', port: 26379 },
      { host: 'b', port: 5000 },
    ],
    sentinelMaster: 'main',
  }
  expect(settingsOf({ 'redis.uri': 'redis-sentinel://a,b:5000/0#main' })).toMatchObject(wanted)
  expect(settingsOf({ 'redis.sentinel.nodes': 'a,b:5000', 'redis.sentinel.master': 'main' })).toMatchObject(wanted)
})

test.each([
  ['http://h', /not of the form/],
  ['redis://a,b', /only redis-sentinel/],
  ['redis-sentinel://a', /names no master/],
  ['redis://user:hush@h:99999', /not of the form host:port/],
])('%s is refused without telling a password', (uri, message) => {
  expect(readUri(uri)).toMatch(message)
  expect(JSON.stringify(readUri(uri))).not.toContain('hush')
})

test.each([
  [{ 'redis.cluster': 'true', 'redis.database': '1' }, /redis\.database.*a cluster has no others/],
  [{ 'redis.cluster': 'true', 'redis.sentinel.nodes': 'a', 'redis.sentinel.master': 'm' }, /exclude each other/],
  [{ 'redis.sentinel.nodes': 'a' }, /redis\.sentinel\.master.*is needed/],
  [{ 'redis.cluster.nodes': 'a b' }, /"a b" is not of the form/],
  [{ 'redis.key.file': '/k' }, /belong together/],
])('%j is refused with the fix', (raw, message) => {
  expect(() => settingsOf(raw as Record<string, string>)).toThrow(message)
})

test.each([
  ['OOM command not allowed', 'retriable'],
  ['READONLY You can not write', 'retriable'],
  ['LOADING Redis is loading', 'retriable'],
  ['ERR max number of clients reached', 'retriable'],
  ['NOPERM no permissions', 'fatal'],
  ["ERR unknown command 'JSON.SET'", 'fatal'],
  ['WRONGTYPE Operation against a key', 'data'],
  ['ERR value is not a valid float', 'data'],
])('the answer "%s" is %s', (message, kind) => {
  expect(classifyReply(message).kind).toBe(kind)
})

test('a connection that has gone is tried again, an unknown error is not', () => {
  expect(classifyRedisError(new Error('Connection is closed.')).kind).toBe('retriable')
  expect(classifyRedisError(Object.assign(new Error('x'), { code: 'ECONNREFUSED' })).kind).toBe('retriable')
  expect(classifyRedisError(new TypeError('broken')).kind).toBe('fatal')
})
