/** What a message says. */
export interface SyslogMessage {
  readonly facility: number
  readonly level: number
  readonly date: Date | null
  readonly host: string | null
  readonly message: string
  readonly version: number | null
  readonly appName: string | null
  readonly processId: string | null
  readonly messageId: string | null
  readonly structuredData: ReadonlyMap<string, ReadonlyMap<string, string>> | null
  readonly cef: CefEvent | null
}

export interface CefEvent {
  readonly cefVersion: string
  readonly deviceVendor: string
  readonly deviceProduct: string
  readonly deviceVersion: string
  readonly deviceEventClassId: string
  readonly name: string
  readonly severity: string
  readonly extension: ReadonlyMap<string, string>
}

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'
const PRIORITY_MAX = 191
/** RFC 3164: what has no priority is a notice of a user. */
const PRIORITY_NONE = 13
const DAY_MS = 86_400_000

const MODERN = /^<(\d{1,3})>(\d{1,2}) (\S+) (\S+) (\S+) (\S+) (\S+) /
const OLD = /^<(\d{1,3})>/
const OLD_DATE = /^([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d)(?:\.\d+)? /
const ISO_DATE = /^(\d{4}-\d\d-\d\dT\S+) /
const TAG = /^([^\s:[\]]{1,48})(?:\[([^\]]{0,128})\])?: ?/
const MODERN_VERSION = 1
const CEF_FIELDS = 6

/** Reads a message of any of the forms. What is none of them becomes the text of a notice, so that nothing is lost. */
export function parseMessage(text: string, nowMs: number): SyslogMessage {
  return modern(text) ?? old(text, nowMs)
}

function modern(text: string): SyslogMessage | undefined {
  const match = MODERN.exec(text)
  const priority = Number(match?.[1])
  if (match === null || priority > PRIORITY_MAX || Number(match[2]) !== MODERN_VERSION) return undefined
  const [whole, , version, time, host, app, process, id] = match
  const data = structuredData(text, whole.length)
  const ms = time === '-' ? Number.NaN : Date.parse(time!)
  if (data === undefined || (time !== '-' && Number.isNaN(ms))) return undefined
  const message = text.slice(data.end).replace(/^ ?\u{feff}?/u, '')
  const orNull = (field: string | undefined): string | null => (field === '-' ? null : (field ?? null))
  return {
    facility: priority >> 3,
    level: priority & 7,
    date: Number.isNaN(ms) ? null : new Date(ms),
    host: orNull(host),
    message,
    version: Number(version),
    appName: orNull(app),
    processId: orNull(process),
    messageId: orNull(id),
    structuredData: data.elements,
    cef: parseCef(message),
  }
}

type Elements = ReadonlyMap<string, ReadonlyMap<string, string>>

function structuredData(text: string, from: number): { elements: Elements; end: number } | undefined {
  const elements = new Map<string, Map<string, string>>()
  if (text[from] === '-') return { elements, end: from + 1 }
  const element = /\[([^\s=\]"]+)((?: [^\s=\]"]+="(?:[^"\\\]]|\\.)*")*)\]/y
  const param = / ([^\s=\]"]+)="((?:[^"\\\]]|\\.)*)"/g
  let end = from
  for (element.lastIndex = from; ; end = element.lastIndex) {
    const match = element.exec(text)
    if (match === null) break
    const values = [...match[2]!.matchAll(param)].map(
      ([, name, value]) => [name!, value!.replaceAll(/\\(["\\\]])/g, '$1')] as const,
    )
    elements.set(match[1]!, new Map(values))
  }
  return end === from ? undefined : { elements, end }
}

function old(text: string, nowMs: number): SyslogMessage {
  const match = OLD.exec(text)
  const isOld = match !== null && Number(match[1]) <= PRIORITY_MAX
  const priority = isOld ? Number(match[1]) : PRIORITY_NONE
  const body = isOld ? text.slice(match[0].length) : text
  const dated = isOld ? dateOf(body, nowMs) : undefined
  let rest = dated === undefined ? body : body.slice(dated.length)
  const host = dated === undefined ? null : /^(\S+) /.exec(rest)
  if (host) rest = rest.slice(host[0].length)
  const cef = parseCef(rest)
  const tag = isOld && cef === null ? TAG.exec(rest) : null
  return {
    facility: priority >> 3,
    level: priority & 7,
    date: dated?.date ?? null,
    host: host?.[1] ?? null,
    message: tag ? rest.slice(tag[0].length) : rest,
    version: null,
    appName: tag?.[1] ?? null,
    processId: tag?.[2] ?? null,
    messageId: null,
    structuredData: null,
    cef,
  }
}

function dateOf(text: string, nowMs: number): { date: Date; length: number } | undefined {
  const iso = ISO_DATE.exec(text)
  if (iso !== null) {
    const ms = Date.parse(iso[1]!)
    return Number.isNaN(ms) ? undefined : { date: new Date(ms), length: iso[0].length }
  }
  const match = OLD_DATE.exec(text)
  const month = MONTHS.indexOf(match?.[1] ?? '?') / 3
  if (match === null || month < 0 || month % 1 !== 0) return undefined
  const [day, hour, minute, second] = match.slice(2).map(Number) as [number, number, number, number]
  const at = (year: number): number => Date.UTC(year, month, day, hour, minute, second)
  // There is no year: it is the one that does not put the message into the future, but for clocks that differ.
  const year = new Date(nowMs).getUTCFullYear()
  const ms = [at(year + 1), at(year)].find((candidate) => candidate <= nowMs + DAY_MS) ?? at(year - 1)
  return { date: new Date(ms), length: match[0].length }
}

/** An event in ArcSight's form; null for other texts. */
export function parseCef(text: string): CefEvent | null {
  const start = /^CEF: ?(\d+(?:\.\d+)?)\|/.exec(text)
  if (start === null) return null
  const fields: string[] = []
  const field = /((?:[^\\|]|\\.)*)\|/y
  field.lastIndex = start[0].length
  while (fields.length < CEF_FIELDS) {
    const match = field.exec(text)
    if (match === null) return null
    fields.push(match[1]!.replaceAll(/\\([\\|])/g, '$1'))
  }
  const [deviceVendor, deviceProduct, deviceVersion, deviceEventClassId, name, severity] = fields as [
    string,
    string,
    string,
    string,
    string,
    string,
  ]
  const extension = extensionOf(text.slice(field.lastIndex))
  return {
    cefVersion: start[1]!,
    deviceVendor,
    deviceProduct,
    deviceVersion,
    deviceEventClassId,
    name,
    severity,
    extension,
  }
}

/** Values may have spaces: one ends where the next name with its = begins. */
function extensionOf(text: string): Map<string, string> {
  const names = [...text.matchAll(/(?:^|\s)([\w.[\]]+)=/g)]
  const pairs = new Map<string, string>()
  for (const [index, match] of names.entries()) {
    const value = text.slice(match.index + match[0].length, names[index + 1]?.index ?? text.length).trim()
    pairs.set(
      match[1]!,
      value.replaceAll(/\\([\\=nr])/g, (_all, c: string) => (c === 'n' ? '\n' : c === 'r' ? '\r' : c)),
    )
  }
  return pairs
}
