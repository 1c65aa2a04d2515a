const SPACE = new Set([' ', '\t', '\f'])

/** Thrown for text that java.util.Properties would refuse too; names the line. */
export class PropertiesError extends Error {
  override name = 'PropertiesError'
}

interface LogicalLine {
  readonly text: string
  readonly lineNumber: number
}

/** Joins continued lines: an odd number of backslashes at the end means that the next line belongs to this one. */
function logicalLines(text: string): LogicalLine[] {
  const natural = text.split(/\r\n|\r|\n/)
  const lines: LogicalLine[] = []
  for (let i = 0; i < natural.length; i++) {
    let line = stripLeadingSpace(natural[i]!)
    // A comment or a blank line never continues.
    if (line === '' || line[0] === '#' || line[0] === '!') continue
    const lineNumber = i + 1
    while (endsWithOddBackslashes(line)) {
      line = line.slice(0, -1)
      if (i + 1 >= natural.length) break
      i++
      line += stripLeadingSpace(natural[i]!)
    }
    lines.push({ text: line, lineNumber })
  }
  return lines
}

function stripLeadingSpace(line: string): string {
  let start = 0
  while (start < line.length && SPACE.has(line[start]!)) start++
  return line.slice(start)
}

function endsWithOddBackslashes(line: string): boolean {
  let count = 0
  while (count < line.length && line[line.length - 1 - count] === '\\') count++
  return count % 2 === 1
}

/** The index after the key: the first unescaped `=`, `:` or white space. */
function endOfKey(line: string): number {
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!
    if (char === '\\') i++
    else if (char === '=' || char === ':' || SPACE.has(char)) return i
  }
  return line.length
}

function startOfValue(line: string, keyEnd: number): number {
  let i = keyEnd
  while (i < line.length && SPACE.has(line[i]!)) i++
  if (line[i] === '=' || line[i] === ':') {
    i++
    while (i < line.length && SPACE.has(line[i]!)) i++
  }
  return i
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescape(text: string, lineNumber: number): string {
  if (!text.includes('\\')) return text
  let out = ''
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!
    if (char !== '\\') {
      out += char
      continue
    }
    i++
    const escaped = text[i]
    if (escaped === undefined) break
    if (escaped === 'u') {
      const hex = text.slice(i + 1, i + 5)
      if (!/^[0-9a-fA-F]{4}$/.test(hex)) {
        throw new PropertiesError(
          `line ${lineNumber}: malformed \\uxxxx escape; write four hexadecimal digits after \\u`,
        )
      }
      out += String.fromCharCode(Number.parseInt(hex, 16))
      i += 4
    } else {
      out += ESCAPES[escaped] ?? escaped
    }
  }
  return out
}

/** Reads the text of a `.properties` file exactly as java.util.Properties does; the last of two equal keys wins. */
export function parseProperties(text: string): Record<string, string> {
  const entries = new Map<string, string>()
  for (const { text: line, lineNumber } of logicalLines(text)) {
    const keyEnd = endOfKey(line)
    const key = unescape(line.slice(0, keyEnd), lineNumber)
    entries.set(key, unescape(line.slice(startOfValue(line, keyEnd)), lineNumber))
  }
  return Object.fromEntries(entries)
}
