import { expect, test } from 'vitest'
import { namesOf } from '../src/names.ts'

test.each([
  ['hacker-news', 'hacker-news', 'hacker-news', 'HackerNews'],
  ['connector-hacker-news', 'connector-hacker-news', 'hacker-news', 'HackerNews'],
  ['@acme/connector-hacker-news', 'connector-hacker-news', 'hacker-news', 'HackerNews'],
  ['millrace-connector-drawer', 'millrace-connector-drawer', 'drawer', 'Drawer'],
  ['drawer-sink', 'drawer-sink', 'drawer', 'Drawer'],
  ['a.b_c', 'a.b_c', 'a-b-c', 'ABC'],
  // Class names cannot start with a digit, and need to have something in them.
  ['connector-3d', 'connector-3d', 'connector-3d', 'Connector3d'],
  ['connector', 'connector', 'connector', 'Connector'],
])('%s is in the folder %s and about %s, with classes of %s', (name, folder, subject, className) => {
  expect(namesOf(` ${name} `)).toEqual({ package: name, folder, subject, className })
})

test.each([
  ['', 'empty', 'connector-hacker-news'],
  ['HackerNews', 'small letters', 'connector-hacker-news'],
  ['hacker news', 'npm allows', 'connector-hacker-news'],
  ['../elsewhere', 'npm allows', 'connector-elsewhere'],
  ['@acme/', 'npm allows', 'connector-acme'],
  ['.hidden', 'npm allows', 'connector-hidden'],
  ['3d', 'start with a letter', 'connector-d'],
  ['node_modules', 'has a meaning', 'connector-node-modules'],
  ['stream', 'has a meaning', 'connector-stream'],
  ['x'.repeat(215), 'more than 214', 'connector-x'],
])('"%s" is refused because %s, with the suggestion %s', (name, reason, suggestion) => {
  const failure = expect.objectContaining({ code: 'BAD_NAME', message: expect.stringContaining(reason) })
  expect(() => namesOf(name)).toThrow(failure)
  expect(() => namesOf(name)).toThrow(suggestion)
})
