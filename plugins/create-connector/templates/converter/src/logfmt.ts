import { DataError } from '@millrace/sdk'

/** The format: put your own in place of this file. */
export function writeLogfmt(pairs: Readonly<Record<string, unknown>>): string {
  return Object.entries(pairs)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${checkedName(name)}=${quoted(textOf(name, value))}`)
    .join(' ')
}

const PAIR = /\s*(?:([^\s="]+)=("(?:[^"\\]|\\.)*"|[^\s"]*)(?=\s|$)|(\S+))/g

/** Reads `name=value` pairs; values in double quotes may hold anything, with JSON's escapes. */
export function readLogfmt(line: string, pairsMax: number): Record<string, string> {
  const pairs: [string, string][] = []
  for (const [, name, value = '', other] of line.matchAll(PAIR)) {
    if (name === undefined) throw new DataError(`pair ${pairs.length + 1} is not name=value: ${other?.slice(0, 100)}`)
    if (pairs.length === pairsMax) throw new DataError(`there are more than ${pairsMax} pairs`)
    pairs.push([name, value.startsWith('"') ? unquoted(name, value) : value])
  }
  return Object.fromEntries(pairs)
}

function checkedName(name: string): string {
  if (!/^[^\s="]+$/.test(name)) throw new DataError(`"${name}" cannot be a name: spaces, = and " end it`)
  return name
}

function textOf(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return value.toString()
  throw new DataError(`${name} must be text, a number or a boolean, not ${typeof value}`)
}

function quoted(text: string): string {
  return /^[^\s="\\]+$/.test(text) ? text : JSON.stringify(text)
}

function unquoted(name: string, text: string): string {
  try {
    return JSON.parse(text) as string
  } catch (error) {
    throw new DataError(`the quoted value of ${name} cannot be read`, { cause: error })
  }
}
