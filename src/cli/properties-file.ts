import { readFileSync } from 'node:fs'
import { PropertiesError, parseProperties } from '../base/index.ts'
import { UsageError } from './usage-error.ts'

/** Reads a file that an option names; when it cannot be read, that is the caller's mistake. */
export function readTextFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(`cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Reads a `.properties` file; a missing or malformed one is the caller's mistake. */
export function readPropertiesFile(path: string): Record<string, string> {
  const text = readTextFile(path)
  try {
    return parseProperties(text)
  } catch (error) {
    if (error instanceof PropertiesError) throw new UsageError(`${path}: ${error.message}`)
    throw error
  }
}

/** Adds `key=value` to what earlier `--override` options gave; for commander's option parser. */
export function collectOverride(text: string, given: Record<string, string>): Record<string, string> {
  const equals = text.indexOf('=')
  if (equals <= 0) throw new UsageError(`${text} is not an override; write key=value`)
  return { ...given, [text.slice(0, equals).trim()]: text.slice(equals + 1) }
}
