import { expect, test } from 'vitest'
import { topicMapper } from '../../../../connectors/mongodb/topic-mapper.ts'

const topicOf = (map: string, more: object = {}) =>
  topicMapper({ 'topic.prefix': '', 'topic.suffix': '', 'topic.separator': '.', 'topic.namespace.map': map, ...more })

test.each([
  ['', 'shop', 'orders', 'shop.orders'],
  ['', 'shop', '', 'shop'],
  ['{"shop.orders": "o", "shop": "s"}', 'shop', 'orders', 'o'],
  ['{"shop": "s"}', 'shop', 'items', 's.items'],
  ['{"shop": "s"}', 'shop', '', 's'],
  ['{"*": "all", "shop.orders": "o"}', 'other', 'x', 'all'],
  ['{"*": "all", "/sh.p(?:\\\\..*)?": "re{sep_coll}"}', 'shop', 'items', 're.items'],
  ['{"/.*": "{db}-{coll_sep}{sep}x"}', 'shop', 'items', 'shop-items..x'],
  ['{"/.*": "a{sep_coll_sep}b"}', 'shop', '', 'ab'],
  ['{"/hop": "part"}', 'shop', '', 'shop'],
  ['{"shop.orders": ""}', 'shop', 'orders', 'shop.orders'],
])('%s maps %s and %s to %s', (map, database, collection, topic) => {
  expect(topicOf(map)(database, collection)).toBe(topic)
})

test('prefix and suffix are around what the map says', () => {
  const settings = { 'topic.prefix': 'p', 'topic.suffix': 's', 'topic.separator': '-' }
  expect(topicOf('', settings)('shop', 'orders')).toBe('p-shop-orders-s')
  expect(topicOf('{"shop.orders": "o"}', settings)('shop', 'orders')).toBe('p-o-s')
})

test.each([
  ['[]', 'JSON object'],
  ['{"a": 1}', 'JSON object'],
  ['{', 'no JSON'],
  ['{"a/b": "x"}', 'has a slash'],
  ['{"/.*": "{nope}"}', '{nope} is no variable'],
  ['{"/.*": "{constructor}"}', 'is no variable'],
  ['{"/.*": "a}b"}', 'belongs to no variable'],
])('%s is refused', (map, message) => {
  expect(() => topicOf(map)).toThrow(message)
})
