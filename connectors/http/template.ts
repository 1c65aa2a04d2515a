import { compileDatePattern } from './date-pattern.ts'

/** What a template may name: `offset.timestamp` is `scope.offset.timestamp`. */
export type Scope = Readonly<Record<string, Readonly<Record<string, string | undefined>>>>

/** A compiled template. `render` throws a TypeError that names what is missing. */
export interface Template {
  render(scope: Scope): string
}

type Node = (scope: Scope) => string
type Value = string | number
type Expression = (scope: Scope) => Value | undefined

const TAG = /\$\{([^}]*)\}|<#if\s+([^>]*)>|<#else>|<\/#if>|<(\/?#[a-z]*)/g
const LITERAL = /^(?:'([^']*)'|"([^"]*)")/
const TOP = /^\s*([A-Za-z_]\w*)\.([A-Za-z_]\w*)\s*/

/**
 * Compiles the part of FreeMarker that requests need: `${offset.name}` with `!'default'` and built-ins, and
 * `<#if offset.name??> ... <#else> ... </#if>`. Throws what is wrong, so that validation can say it.
 */
export function compileTemplate(text: string): Template {
  interface Open {
    readonly condition: ((scope: Scope) => boolean) | null
    then: Node[] | null
    nodes: Node[]
  }
  const stack: Open[] = [{ condition: null, then: null, nodes: [] }]
  let at = 0
  for (const match of text.matchAll(TAG)) {
    const top = stack.at(-1)!
    addText(top.nodes, text.slice(at, match.index))
    at = match.index + match[0].length
    if (match[1] !== undefined) top.nodes.push(interpolation(match[1]))
    else if (match[2] !== undefined) stack.push({ condition: compileCondition(match[2]), then: null, nodes: [] })
    else if (match[3] !== undefined)
      throw new TypeError(`the template has "<${match[3]}"; only <#if>, <#else> and </#if> are understood`)
    else if (top.condition === null || (match[0] === '<#else>' && top.then !== null)) {
      throw new TypeError(`the template has ${match[0]} without its <#if>`)
    } else if (match[0] === '<#else>') {
      top.then = top.nodes
      top.nodes = []
    } else {
      stack.pop()
      const { condition } = top
      const [yes, no] = top.then === null ? [top.nodes, []] : [top.then, top.nodes]
      stack.at(-1)!.nodes.push((scope) => join(condition(scope) ? yes : no, scope))
    }
  }
  if (stack.length > 1) throw new TypeError('the template has an <#if> without </#if>')
  addText(stack[0]!.nodes, text.slice(at))
  return { render: (scope) => join(stack[0]!.nodes, scope) }
}

function addText(nodes: Node[], text: string): void {
  if (text.includes('${'))
    throw new TypeError(`the template has "\${" without "}": ${text.slice(text.indexOf('${'), 40)}`)
  if (text !== '') nodes.push(() => text)
}

const join = (nodes: readonly Node[], scope: Scope): string => nodes.map((node) => node(scope)).join('')

function interpolation(source: string): Node {
  const expression = compileExpression(source)
  return (scope) => {
    const value = expression(scope)
    if (value === undefined) {
      throw new TypeError(
        `the template needs \${${source}}, which has no value yet; set it in http.offset.initial or write \${${source}!''}`,
      )
    }
    return String(value)
  }
}

/** A name and what follows it: defaults and built-ins, from left to right. */
function compileExpression(source: string): Expression {
  const name = TOP.exec(source)
  if (name === null) throw new TypeError(`the template has "\${${source}}"; write \${offset.name} or \${page.number}`)
  const [whole, group, field] = name as unknown as [string, string, string]
  let expression: Expression = (scope) => scope[group]?.[field]
  for (let rest = source.slice(whole.length).trim(); rest !== ''; ) {
    const { used, apply } = rest.startsWith('!') ? fallback(rest) : builtIn(rest, source)
    const before = expression
    expression = (scope) => apply(before(scope), scope)
    rest = rest.slice(used).trim()
  }
  return expression
}

interface Postfix {
  readonly used: number
  readonly apply: (value: Value | undefined, scope: Scope) => Value | undefined
}

function fallback(rest: string): Postfix {
  const after = rest.slice(1)
  const literal = LITERAL.exec(after) ?? /^(\d+)/.exec(after)
  if (literal === null) {
    const name = TOP.exec(after)
    if (name === null) return { used: 1, apply: (value) => value ?? '' }
    return { used: 1 + name[0].length, apply: (value, scope) => value ?? scope[name[1]!]?.[name[2]!] }
  }
  const text = literal[1] ?? literal[2] ?? ''
  return { used: 1 + literal[0].length, apply: (value) => value ?? text }
}

const BUILT_INS: Readonly<Record<string, (value: Value) => Value>> = {
  url: (value) => encodeURIComponent(String(value)),
  c: (value) => value,
  string: (value) => (typeof value === 'number' ? new Date(value).toISOString() : value),
  number: (value) => numeric(value),
  long: (value) => numeric(value),
  trim: (value) => String(value).trim(),
  lower_case: (value) => String(value).toLowerCase(),
  upper_case: (value) => String(value).toUpperCase(),
  json_string: (value) => JSON.stringify(String(value)).slice(1, -1),
  'datetime.iso': (value) => instant(value),
  datetime: (value) => instant(value),
}

function builtIn(rest: string, source: string): Postfix {
  const format = /^\?string(?:\[(.*?)\]|\((.*?)\))/.exec(rest)
  if (format !== null) {
    const literal = LITERAL.exec(format[1] ?? format[2] ?? '')
    if (literal === null) throw new TypeError(`the template has "${rest}"; write ?string['yyyy-MM-dd']`)
    const pattern = compileDatePattern(literal[1] ?? literal[2] ?? '', 'UTC')
    return { used: format[0].length, apply: (value) => value && pattern.format(instant(value)) }
  }
  const name = /^\?([a-z_]+(?:\.iso)?)/.exec(rest)
  const apply = BUILT_INS[name?.[1] ?? '']
  if (name === null || apply === undefined) {
    throw new TypeError(
      `the template has "${rest}" in "\${${source}}"; understood are !'default', ?${Object.keys(BUILT_INS).join(', ?')}`,
    )
  }
  return { used: name[0].length, apply: (value) => (value === undefined ? undefined : apply(value)) }
}

function numeric(value: Value): number {
  const number = Number(value)
  if (Number.isNaN(number)) throw new TypeError(`"${value}" is no number`)
  return number
}

function instant(value: Value): number {
  const ms = typeof value === 'number' || /^\d+$/.test(value) ? Number(value) : Date.parse(value)
  if (Number.isNaN(ms)) throw new TypeError(`"${value}" is no time in ISO form`)
  return ms
}

function compileCondition(source: string): (scope: Scope) => boolean {
  const parts = source.split('&&').map((part) => {
    const exists = /^\s*(!?)\s*([\w.]+)\?\?\s*$/.exec(part)
    if (exists !== null) {
      const expression = compileExpression(exists[2]!)
      return (scope: Scope) => (expression(scope) !== undefined) === (exists[1] === '')
    }
    const compared = /^(.*?)\s*(==?|!=)\s*(?:'([^']*)'|"([^"]*)")\s*$/.exec(part)
    if (compared === null)
      throw new TypeError(
        `the template has <#if ${source}>; understood are name??, name == 'text', name != 'text' and &&`,
      )
    const expression = compileExpression(compared[1]!)
    const text = compared[3] ?? compared[4] ?? ''
    return (scope: Scope) => (String(expression(scope) ?? '') === text) === (compared[2] !== '!=')
  })
  return (scope) => parts.every((part) => part(scope))
}
