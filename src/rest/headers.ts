/** A rule of `response.http.headers.config`. */
export interface HeaderRule {
  readonly action: 'set' | 'add' | 'setDate' | 'addDate'
  readonly name: string
  readonly value: string
}

/** A header rule that cannot be read. */
export class HeaderRuleError extends Error {
  override name = 'HeaderRuleError'
  readonly code = 'HEADER_RULE'
}

/** Splits at commas that are not within double quotes. */
function splitRules(text: string): string[] {
  return [...text.matchAll(/(?:"[^"]*"|[^,"])+/g)].map((match) => match[0].trim()).filter((part) => part !== '')
}

/** Reads `set|add|setDate|addDate Name:Value, ...`. */
export function parseHeaderRules(text: string): readonly HeaderRule[] {
  return splitRules(text).map((part) => {
    const rule = part.replaceAll('"', '')
    const match = /^(set|add|setDate|addDate)\s+([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*:\s*(.*)$/.exec(rule)
    if (!match) {
      throw new HeaderRuleError(
        `Invalid value ${rule} for configuration response.http.headers.config: ` +
          'write `set Name:Value` (or add, setDate, addDate), rules separated by commas',
      )
    }
    const [, action, name, value] = match as unknown as [string, HeaderRule['action'], string, string]
    return { action, name, value }
  })
}

/** The value of a rule: dates are written as an offset in milliseconds from now. */
export function headerValue(rule: HeaderRule, nowMs: number): string {
  return rule.action.endsWith('Date') ? new Date(nowMs + Number(rule.value)).toUTCString() : rule.value
}

/** Cross-origin access, from access.control.allow.origin and .methods. */
export interface CorsSettings {
  /** `*`, or a comma separated list; empty allows none. */
  readonly allowOrigin: string
  readonly allowMethods: string
}

/** The CORS headers for a request's origin; none when it is not allowed. */
export function corsHeaders(settings: CorsSettings, origin: string | undefined): Record<string, string> {
  if (settings.allowOrigin === '' || origin === undefined) return {}
  const allowed = settings.allowOrigin.split(',').map((entry) => entry.trim())
  if (!allowed.includes('*') && !allowed.includes(origin)) return {}
  return { 'access-control-allow-origin': origin, vary: 'Origin' }
}

/** What a preflight is told in addition; Kafka's defaults when no methods are configured. */
export function preflightHeaders(settings: CorsSettings): Record<string, string> {
  return {
    'access-control-allow-methods': settings.allowMethods === '' ? 'GET,POST,HEAD' : settings.allowMethods,
    'access-control-allow-headers': 'X-Requested-With,Content-Type,Accept,Origin',
    'access-control-max-age': '1800',
  }
}
